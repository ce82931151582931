//! The bounded queue between the program's threads and the emitter's.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::document::Document;

/// First in, first out; a full queue refuses. One task takes, any thread puts in.
pub(super) struct Queue {
    limits: Limits,
    state: Mutex<State>,
    changed: Notify,
    settled: Condvar,
}

/// What may wait. The bytes are those of the documents' JSON, estimated.
pub(super) struct Limits {
    pub(super) documents: usize,
    pub(super) bytes: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Document, usize)>,
    waiting_bytes: usize,
    /// How many were ever put in, taken out, and done with.
    accepted: u64,
    taken: u64,
    settled: u64,
    /// How many threads wait until something is done with.
    flushing: usize,
    closed: bool,
    abandoned: bool,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), changed: Notify::new(), settled: Condvar::new() }
    }

    /// Whether it took the document: a queue that is full or closed does not.
    pub(super) fn push(&self, document: Document) -> bool {
        let bytes = document.total_bytes();
        let mut state = self.lock();
        let is_full = state.waiting.len() >= self.limits.documents
            // One document alone may be of any size.
            || !state.waiting.is_empty() && state.waiting_bytes.saturating_add(bytes) > self.limits.bytes;
        if state.closed || is_full {
            return false;
        }
        state.waiting.push_back((document, bytes));
        state.waiting_bytes = state.waiting_bytes.saturating_add(bytes);
        state.accepted += 1;
        drop(state);
        self.changed.notify_one();
        true
    }

    /// The next document, as soon as there is one; `None` once the queue is closed and empty.
    pub(super) async fn next(&self) -> Option<Document> {
        loop {
            {
                let mut state = self.lock();
                if let Some((document, bytes)) = state.waiting.pop_front() {
                    state.waiting_bytes = state.waiting_bytes.saturating_sub(bytes);
                    state.taken += 1;
                    return Some(document);
                }
                if state.closed {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// The taker is done with all that it took.
    pub(super) fn settle(&self) {
        let mut state = self.lock();
        state.settled = state.taken;
        self.settled.notify_all();
    }

    /// Whether it is time to settle, for a taker that does not for each document: nothing waits, or somebody does.
    pub(super) fn is_to_settle(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty() || state.flushing > 0
    }

    /// Refuses what comes from now on; what waits can still be taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// There is no taker any more: nothing is taken in, and nobody waits.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.abandoned = true;
        self.settled.notify_all();
    }

    /// Blocks until all that was put in before is done with, for at most `limit`; whether it is.
    pub(super) fn wait_settled(&self, limit: Duration) -> bool {
        let mut state = self.lock();
        let accepted = state.accepted;
        state.flushing += 1;
        let is_unsettled = |state: &mut State| state.settled < accepted && !state.abandoned;
        let (mut state, _) =
            self.settled.wait_timeout_while(state, limit, is_unsettled).unwrap_or_else(PoisonError::into_inner);
        state.flushing -= 1;
        state.settled >= accepted
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SegmentId;

    fn document(bytes: usize) -> Document {
        Document::new(SegmentId::random(), "n".repeat(bytes), 1.0)
    }

    #[test]
    fn it_is_full_by_number_and_by_bytes() {
        let queue = Queue::new(Limits { documents: 2, bytes: usize::MAX });
        assert_eq!([1, 1, 1].map(|bytes| queue.push(document(bytes))), [true, true, false]);
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        assert_eq!([1_000, 1_000, 100].map(|bytes| queue.push(document(bytes))), [true, false, true]);
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        assert_eq!([10_000, 10].map(|bytes| queue.push(document(bytes))), [true, false], "one alone may be large");
    }

    #[tokio::test]
    async fn what_is_taken_makes_room() {
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        for _ in 0..100 {
            assert!(queue.push(document(1_500)) && !queue.push(document(1_500)));
            assert!(queue.next().await.is_some());
        }
    }

    #[tokio::test]
    async fn it_is_settled_once_the_taker_says_so() {
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        assert!(queue.wait_settled(Duration::ZERO), "nothing was put in");
        queue.push(document(1));
        queue.next().await;
        assert!(!queue.wait_settled(Duration::ZERO));
        queue.settle();
        assert!(queue.wait_settled(Duration::ZERO));
    }

    #[test]
    fn nobody_waits_for_a_taker_that_is_gone() {
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        queue.push(document(1));
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| queue.wait_settled(Duration::from_secs(3600)));
            queue.abandon();
            assert!(!waits.join().unwrap());
        });
        assert!(!queue.push(document(1)));
    }
}
