//! A bounded queue between the program's threads and the task that sends documents.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::document::Document;

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
    /// Wakes the task: a document was pushed, or the queue was closed.
    pushed: Notify,
    /// Wakes flushing threads: the task has finished documents, or has ended.
    finished: Condvar,
}

/// Limits of a queue. A document that would exceed one of them is refused.
pub(super) struct Limits {
    pub(super) documents: usize,
    /// Estimated size of the documents as JSON.
    pub(super) bytes: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Document, usize)>,
    waiting_bytes: usize,
    /// How many documents were pushed since the start, how many of them were taken, and how many are finished.
    //
    // Three running numbers rather than the queue's length: a document that has been taken is not sent yet, and a flush
    // waits for the documents pushed before it and not for those that other threads push meanwhile.
    pushed: u64,
    taken: u64,
    finished: u64,
    /// How many threads are in [`Queue::wait_until_finished`].
    flushing: usize,
    is_closed: bool,
    is_abandoned: bool,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), pushed: Notify::new(), finished: Condvar::new() }
    }

    /// Appends a document. Returns `false` if the queue is full or closed.
    pub(super) fn push(&self, document: Document) -> bool {
        let bytes = document.total_bytes();
        let mut state = self.lock();
        let is_full = state.waiting.len() >= self.limits.documents
            // An empty queue takes a document of any size, which could never be sent otherwise.
            || !state.waiting.is_empty() && state.waiting_bytes.saturating_add(bytes) > self.limits.bytes;
        if state.is_closed || is_full {
            return false;
        }
        state.waiting.push_back((document, bytes));
        state.waiting_bytes = state.waiting_bytes.saturating_add(bytes);
        state.pushed += 1;
        // Unlocked first, so that the task does not wake up only to wait for the lock.
        drop(state);
        self.pushed.notify_one();
        true
    }

    /// Waits for the next document and takes it. Returns `None` once the queue is closed and empty.
    pub(super) async fn next(&self) -> Option<Document> {
        loop {
            // A block of its own: the guard must be gone before the `.await`, or the future would not be `Send`.
            {
                let mut state = self.lock();
                if let Some((document, bytes)) = state.waiting.pop_front() {
                    state.waiting_bytes = state.waiting_bytes.saturating_sub(bytes);
                    state.taken += 1;
                    return Some(document);
                }
                if state.is_closed {
                    return None;
                }
            }
            // A push between the check and this line is not missed: `notify_one` stores a permit if nobody waits.
            self.pushed.notified().await;
        }
    }

    /// Marks all documents taken so far as finished: sent, written or lost.
    pub(super) fn mark_finished(&self) {
        let mut state = self.lock();
        state.finished = state.taken;
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

    /// Refuses further documents and wakes all flushing threads, as the task has ended.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.is_abandoned = true;
        self.finished.notify_all();
    }

    /// Blocks until all documents pushed so far are finished, for at most `limit`. Returns whether they are.
    pub(super) fn wait_until_finished(&self, limit: Duration) -> bool {
        let mut state = self.lock();
        let pushed = state.pushed;
        state.flushing += 1;
        let is_unfinished = |state: &mut State| state.finished < pushed && !state.is_abandoned;
        let (mut state, _) =
            self.finished.wait_timeout_while(state, limit, is_unfinished).unwrap_or_else(PoisonError::into_inner);
        state.flushing -= 1;
        state.finished >= pushed
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
    fn a_queue_is_full_by_number_and_by_bytes() {
        let queue = Queue::new(Limits { documents: 2, bytes: usize::MAX });
        assert_eq!([1, 1, 1].map(|bytes| queue.push(document(bytes))), [true, true, false]);
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        assert_eq!([1_000, 1_000, 100].map(|bytes| queue.push(document(bytes))), [true, false, true]);
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        assert_eq!(
            [10_000, 10].map(|bytes| queue.push(document(bytes))),
            [true, false],
            "a single document may be of any size"
        );
    }

    #[tokio::test]
    async fn a_document_that_is_taken_makes_room() {
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        for _ in 0..100 {
            assert!(queue.push(document(1_500)) && !queue.push(document(1_500)));
            assert!(queue.next().await.is_some());
        }
    }

    #[tokio::test]
    async fn a_flush_waits_for_documents_that_are_taken_and_not_finished() {
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        assert!(queue.wait_until_finished(Duration::ZERO), "nothing was pushed");
        queue.push(document(1));
        queue.next().await;
        assert!(!queue.wait_until_finished(Duration::ZERO));
        queue.mark_finished();
        assert!(queue.wait_until_finished(Duration::ZERO));
    }

    #[test]
    fn a_flush_does_not_wait_for_a_task_that_has_ended() {
        let queue = Queue::new(Limits { documents: 10, bytes: 2_000 });
        queue.push(document(1));
        std::thread::scope(|scope| {
            let flush = scope.spawn(|| queue.wait_until_finished(Duration::from_secs(3600)));
            queue.abandon();
            assert!(!flush.join().unwrap());
        });
        assert!(!queue.push(document(1)));
    }
}
