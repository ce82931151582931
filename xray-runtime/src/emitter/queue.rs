//! The bounded queue between the program's threads and the emitter's.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// First in, first out; a full queue refuses. One task takes, any thread puts in.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    capacity: usize,
    changed: Notify,
    settled: Condvar,
}

struct State<T> {
    waiting: VecDeque<T>,
    /// How many were ever put in.
    accepted: u64,
    /// How many of those the taker is done with.
    settled: u64,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(capacity: usize) -> Self {
        let state = State { waiting: VecDeque::new(), accepted: 0, settled: 0, closed: false };
        Self { state: Mutex::new(state), capacity, changed: Notify::new(), settled: Condvar::new() }
    }

    /// Gives the item back if the queue is full or closed.
    pub(super) fn push(&self, item: T) -> Result<(), T> {
        let mut state = self.lock();
        if state.closed || state.waiting.len() >= self.capacity {
            return Err(item);
        }
        state.waiting.push_back(item);
        state.accepted += 1;
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The next item; the one before counts as settled from here on. `None` once the queue is closed and empty.
    pub(super) async fn next(&self, settle_last: bool) -> Option<T> {
        if settle_last {
            self.lock().settled += 1;
            self.settled.notify_all();
        }
        loop {
            {
                let mut state = self.lock();
                if let Some(item) = state.waiting.pop_front() {
                    return Some(item);
                }
                if state.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Refuses what comes from now on; what waits can still be taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Blocks until all that was put in before is settled, for at most `limit`; whether it is.
    pub(super) fn wait_settled(&self, limit: Duration) -> bool {
        let state = self.lock();
        let accepted = state.accepted;
        let (_state, timeout) = self
            .settled
            .wait_timeout_while(state, limit, |state| state.settled < accepted)
            .unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
