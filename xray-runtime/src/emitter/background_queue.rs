//! Hands documents from the program's threads to a task on a background thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::queue::{Limits, Queue};
use crate::record::FinishedSegment;
use crate::support::background::{Background, Task};
use crate::support::process::PerProcess;
use crate::support::worker::Worker;

/// A queue of documents and the background task that empties it.
///
/// The task starts with the first document. It ends when the `BackgroundQueue` has been dropped and the queue is empty.
/// If it dies or cannot start, documents wait in the queue, and it is started again for a later document or a
/// [flush](Self::flush). Each process has a queue and a task of its own.
//
// The thread that ends a segment has a request to answer, so it only pushes the document. Sending a datagram takes
// about a microsecond and serialising a document takes longer. A push takes a tenth of a microsecond.
pub(super) struct BackgroundQueue {
    queues: PerProcess<ProcessQueue>,
}

/// The queue and the task of one process.
struct ProcessQueue {
    queue: Arc<Queue>,
    worker: Worker,
}

impl BackgroundQueue {
    /// Room for 2,000 documents of the largest size (63 KiB), or for 16,384 of the usual few kilobytes.
    //
    // The bounds are for a daemon or disk that cannot keep up: tracing may then lose documents, but must not take all
    // memory of the program. Both bounds are needed: small documents cost more memory than their JSON, and large ones
    // would reach gigabytes before their number counts.
    const LIMITS: Limits = Limits { documents: 16_384, bytes: 128 * 1024 * 1024 };

    /// Creates a queue. `consume` creates the task, which takes documents from the queue until [`Queue::next`] returns
    /// `None`.
    ///
    /// A task that dies must have counted the documents that it had taken, as sent or as dropped.
    pub(super) fn new<F>(
        background: Arc<Background>,
        consume: impl Fn(Arc<Queue>) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let queues = PerProcess::new(move || ProcessQueue::new(Arc::clone(&background), consume.clone()));
        Self { queues }
    }

    /// Queues a document for the task. Returns `false` if the queue is full.
    pub(super) fn push(&self, segment: FinishedSegment) -> bool {
        let ProcessQueue { queue, worker } = self.queues.get();
        let is_taken = queue.push(segment);
        worker.ensure_running();
        is_taken
    }

    /// Returns whether the task has documents to finish.
    pub(super) fn has_unfinished(&self) -> bool {
        self.queues.get().queue.has_unfinished()
    }

    /// Blocks until the task has finished with all documents queued so far, for at most `limit`. Returns whether it
    /// has.
    ///
    /// Does not wait if the task cannot be started. A task that dies meanwhile is started again once.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        let ProcessQueue { queue, worker } = self.queues.get();
        let start = Instant::now();
        let finish = || {
            if queue.has_unfinished() {
                worker.ensure_running_now();
            }
            queue.wait_until_finished(limit.saturating_sub(start.elapsed()))
        };
        finish() || finish()
    }
}

impl ProcessQueue {
    fn new<F>(background: Arc<Background>, consume: impl Fn(Arc<Queue>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let queue = Arc::new(Queue::new(BackgroundQueue::LIMITS));
        let (consumed, watched) = (Arc::clone(&queue), Arc::clone(&queue));
        let make = move || -> Task {
            // The documents that a dead task had taken are counted as dropped, so none of them is pending.
            consumed.mark_finished();
            Box::pin(consume(Arc::clone(&consumed)))
        };
        let worker = Worker::until_finished(background, make, move |is_running| watched.set_attended(is_running));
        Self { queue, worker }
    }
}

impl Drop for ProcessQueue {
    fn drop(&mut self) {
        if self.queue.has_unfinished() {
            self.worker.ensure_running_now();
        }
        self.queue.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::document::Document;
    use crate::id::SegmentId;

    #[test]
    fn a_task_that_ends_during_a_flush_is_started_again() {
        let has_run = Arc::new(AtomicBool::new(false));
        let queue = BackgroundQueue::new(Arc::new(Background::new("xray-test")), move |queue| {
            let is_second = has_run.swap(true, Ordering::Relaxed);
            async move {
                if !is_second {
                    // A document is waiting, so this is `true` only while a thread flushes.
                    while !queue.is_flush_due() {
                        tokio::task::yield_now().await;
                    }
                    return;
                }
                while queue.next().await.is_some() {
                    queue.mark_finished();
                }
            }
        });
        assert!(queue.push(Document::new(SegmentId::random(), "s".to_owned(), 1.0).into()));
        assert!(queue.flush(Duration::from_secs(20)));
    }
}
