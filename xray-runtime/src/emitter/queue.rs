//! A bounded queue between the program's threads and the task that sends documents.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::record::FinishedSegment;
use crate::support::lock::lock;

/// A first-in, first-out queue of documents. Any thread pushes; one task takes.
///
/// A full queue refuses documents.
//
// It refuses rather than blocks, because tracing must not slow the program down. It refuses the new document rather
// than drop the oldest, because what is queued was accepted: `flush` has promised to wait for it.
//
// The mutex is the standard library's, as pushing threads have no async context. It is held for a few instructions and
// never across an `.await`. Poisoning is ignored: no code under the lock can panic halfway through an update.
pub(super) struct Queue {
    limits: Limits,
    state: Mutex<State>,
    /// Wakes the task: a document was pushed, the queue was closed, or a thread waits for a flush.
    pushed: Notify,
    /// Wakes flushing threads: the task has finished documents, or has ended.
    finished: Condvar,
}

/// The next step of a task that collects documents.
pub(super) enum Next {
    /// Take this segment.
    Segment(FinishedSegment),
    /// Send the collected documents: the deadline has passed, or a thread waits for a flush.
    Send,
    /// Send the collected documents and end: the queue is closed and empty.
    End,
}

/// Limits of a queue. A document that would exceed one of them is refused.
pub(super) struct Limits {
    pub(super) documents: usize,
    /// The memory that the documents hold.
    pub(super) bytes: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(FinishedSegment, usize)>,
    waiting_bytes: usize,
    // Three running numbers rather than the queue's length: a document that has been taken is not sent yet, and a flush
    // waits for the documents pushed before it and not for those that other threads push meanwhile.
    /// The number of documents that were pushed since the start.
    pushed: u64,
    /// The number of these documents that were taken.
    taken: u64,
    /// The number of these documents that are finished.
    finished: u64,
    /// How many threads are in [`Queue::wait_until_finished`].
    flushing: usize,
    is_closed: bool,
    /// `true` if the task collects documents and waits for a deadline, not for the next document.
    is_collecting: bool,
    /// `true` if a task takes documents or will start to take them.
    is_attended: bool,
}

impl Queue {
    /// The number of waiting documents that wakes a collecting task before its deadline, so that the queue does not
    /// fill up.
    const COLLECTED: usize = 64;

    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), pushed: Notify::new(), finished: Condvar::new() }
    }

    /// Appends a document. Returns `false` if the queue is full or closed.
    pub(super) fn push(&self, segment: FinishedSegment) -> bool {
        let bytes = segment.record().held_bytes();
        let mut state = self.lock();
        let is_full = state.waiting.len() >= self.limits.documents
            // An empty queue takes a document of any size, which could never be sent otherwise.
            || !state.waiting.is_empty() && state.waiting_bytes.saturating_add(bytes) > self.limits.bytes;
        if state.is_closed || is_full {
            return false;
        }
        state.waiting.push_back((segment, bytes));
        state.waiting_bytes = state.waiting_bytes.saturating_add(bytes);
        state.pushed += 1;
        // Waking the task costs this thread several microseconds.
        let is_woken = !state.is_collecting || state.waiting.len() % Self::COLLECTED == 0;
        // Unlocked first, so that the task does not wake up only to wait for the lock.
        drop(state);
        if is_woken {
            self.pushed.notify_one();
        }
        true
    }

    /// Waits for the next document and takes it. Returns `None` once the queue is closed and empty.
    pub(super) async fn next(&self) -> Option<FinishedSegment> {
        loop {
            // A block of its own: the guard must be gone before the `.await`, or the future would not be `Send`.
            {
                let mut state = self.lock();
                match state.take() {
                    Some(segment) => return Some(segment),
                    None if state.is_closed => return None,
                    // An earlier task may have died while it collected documents.
                    None => state.is_collecting = false,
                }
            }
            // A push between the check and this line is not missed: `notify_one` stores a permit if nobody waits.
            self.pushed.notified().await;
        }
    }

    /// Like [`next`](Self::next), for a task that has collected documents and waits for more until `deadline`.
    pub(super) async fn next_until(&self, deadline: Instant) -> Next {
        loop {
            {
                let mut state = self.lock();
                match state.take() {
                    Some(segment) => return Next::Segment(segment),
                    None if state.is_closed => return Next::End,
                    None if state.flushing > 0 => return Next::Send,
                    None => state.is_collecting = true,
                }
            }
            let is_over = timeout_at(deadline, self.pushed.notified()).await.is_err();
            self.lock().is_collecting = false;
            if is_over {
                return Next::Send;
            }
        }
    }

    /// Marks all documents taken so far as finished: sent, written or lost.
    pub(super) fn mark_finished(&self) {
        self.mark_finished_but(0);
    }

    /// Marks the documents taken so far as finished, except the last `unfinished` ones.
    pub(super) fn mark_finished_but(&self, unfinished: u64) {
        let mut state = self.lock();
        state.finished = state.taken.saturating_sub(unfinished);
        self.finished.notify_all();
    }

    /// Returns whether a task that buffers its output should write it out now: no document is waiting, or a thread is
    /// waiting for a flush.
    pub(super) fn is_flush_due(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty() || state.flushing > 0
    }

    /// Refuses further documents. The waiting documents can still be taken.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.pushed.notify_one();
    }

    /// Notes whether there is a task. The documents that wait are kept for the next one.
    pub(super) fn set_attended(&self, is_attended: bool) {
        self.lock().is_attended = is_attended;
        self.finished.notify_all();
    }

    /// Returns whether a document waits to be taken or finished.
    pub(super) fn has_unfinished(&self) -> bool {
        let state = self.lock();
        state.finished < state.pushed
    }

    /// Blocks until all documents pushed so far are finished, for at most `limit`. Returns whether they are.
    pub(super) fn wait_until_finished(&self, limit: Duration) -> bool {
        let mut state = self.lock();
        let pushed = state.pushed;
        state.flushing += 1;
        // Wakes a task that collects documents. A task that waits in `next` finds no document and waits again.
        self.pushed.notify_one();
        // Without a task there is nothing to wait for.
        let is_unfinished = |state: &mut State| state.finished < pushed && state.is_attended;
        let (mut state, _) =
            self.finished.wait_timeout_while(state, limit, is_unfinished).unwrap_or_else(PoisonError::into_inner);
        state.flushing -= 1;
        state.finished >= pushed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Takes the first document.
    fn take(&mut self) -> Option<FinishedSegment> {
        let (document, bytes) = self.waiting.pop_front()?;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
        self.taken += 1;
        Some(document)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::id::SegmentId;
    use crate::record::{Label, Record, Time};

    /// Returns a segment with a name of this length.
    fn segment(bytes: usize) -> FinishedSegment {
        let label = Label::named(&"n".repeat(bytes));
        FinishedSegment::new(Record::new(SegmentId::random(), label, Time::from_micros(1)))
    }

    #[test]
    fn a_flush_is_due_if_no_document_waits_or_a_thread_waits_for_it() {
        let queue = Arc::new(Queue::new(Limits { documents: 10, bytes: usize::MAX }));
        assert!(queue.is_flush_due());
        queue.set_attended(true);
        queue.push(segment(1));
        assert!(!queue.is_flush_due());
        let flushing = Arc::clone(&queue);
        let flush = std::thread::spawn(move || flushing.wait_until_finished(Duration::from_secs(60)));
        while !queue.is_flush_due() {
            std::thread::yield_now();
        }
        queue.lock().take();
        queue.mark_finished();
        assert!(flush.join().unwrap());
        queue.push(segment(1));
        assert!(!queue.is_flush_due(), "no thread waits any more");
    }

    #[test]
    fn a_queue_is_full_by_number_and_by_bytes() {
        let queue = Queue::new(Limits { documents: 2, bytes: usize::MAX });
        assert_eq!([1, 1, 1].map(|bytes| queue.push(segment(bytes))), [true, true, false]);
        let queue = Queue::new(Limits { documents: 10, bytes: 4_000 });
        assert_eq!([2_000, 2_000, 100].map(|bytes| queue.push(segment(bytes))), [true, false, true]);
        let bytes = 2 * segment(1).record().held_bytes();
        let queue = Queue::new(Limits { documents: 10, bytes });
        assert_eq!([1, 1, 1].map(|bytes| queue.push(segment(bytes))), [true, true, false]);
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        assert_eq!(
            [10_000, 10].map(|bytes| queue.push(segment(bytes))),
            [true, false],
            "a single document may be of any size"
        );
    }

    #[tokio::test]
    async fn a_document_that_is_taken_makes_room() {
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        for _ in 0..100 {
            assert!(queue.push(segment(1_500)) && !queue.push(segment(1_500)));
            assert!(queue.next().await.is_some());
        }
    }

    #[tokio::test]
    async fn a_flush_waits_for_documents_that_are_taken_and_not_finished() {
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        queue.set_attended(true);
        assert!(queue.wait_until_finished(Duration::ZERO), "nothing was pushed");
        queue.push(segment(1));
        queue.next().await;
        assert!(!queue.wait_until_finished(Duration::ZERO));
        queue.mark_finished();
        assert!(queue.wait_until_finished(Duration::ZERO));
    }

    #[tokio::test]
    async fn a_task_that_has_ended_leaves_what_waits_to_the_next() {
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        queue.set_attended(true);
        assert_eq!([1, 2].map(|bytes| queue.push(segment(bytes))), [true; 2]);
        std::thread::scope(|scope| {
            let flush = scope.spawn(|| queue.wait_until_finished(Duration::from_secs(3600)));
            queue.set_attended(false);
            assert!(!flush.join().unwrap(), "a flush does not wait for a task that has ended");
        });
        assert!(queue.push(segment(3)) && queue.has_unfinished());
        for bytes in [1, 2, 3] {
            assert_eq!(queue.next().await.map(|segment| segment.name().len()), Some(bytes));
        }
        queue.mark_finished();
        assert!(!queue.has_unfinished());
    }

    #[tokio::test]
    async fn a_closed_queue_ends_the_task_that_collects() {
        let queue = Queue::new(Limits { documents: 10, bytes: usize::MAX });
        queue.push(segment(1));
        queue.close();
        let deadline = Instant::now() + Duration::from_secs(20);
        assert!(matches!(queue.next_until(deadline).await, Next::Segment(_)));
        assert!(matches!(queue.next_until(deadline).await, Next::End));
    }

    #[tokio::test]
    async fn a_task_that_collects_is_woken_by_many_documents_and_not_by_each() {
        let queue = Arc::new(Queue::new(Limits { documents: 1000, bytes: usize::MAX }));
        let collect = || {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { queue.next_until(Instant::now() + Duration::from_secs(3600)).await })
        };
        let let_others_run = async || {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        };
        let collecting = collect();
        let_others_run().await;
        for _ in 1..Queue::COLLECTED {
            assert!(queue.push(segment(1)));
            let_others_run().await;
            assert!(!collecting.is_finished());
        }
        assert!(queue.push(segment(1)));
        assert!(matches!(collecting.await, Ok(Next::Segment(_))));

        // A task that died while it collected documents leaves no state to the next task.
        while let Ok(Some(_)) = tokio::time::timeout(Duration::ZERO, queue.next()).await {}
        let dying = collect();
        let_others_run().await;
        dying.abort();
        assert!(dying.await.is_err());
        let next = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.next().await }
        });
        let_others_run().await;
        assert!(queue.push(segment(1)));
        let woken = tokio::time::timeout(Duration::from_secs(20), next).await.expect("the next task is woken");
        assert!(woken.is_ok_and(|segment| segment.is_some()));
    }
}
