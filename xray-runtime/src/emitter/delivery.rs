//! Hands documents from the program's threads to a task on a background thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::queue::{Limits, Queue};
use crate::document::Document;
use crate::support::background::{Background, Task};

/// A queue of documents and the background task that empties it.
///
/// The task starts with the first document. It ends when the `Delivery` has been dropped and the queue is empty. After a
/// task that ended early, for instance by a panic, every document is refused and [`flush`](Self::flush) does not wait.
//
// A queue, because a send takes about a microsecond and serialising a document takes more, and the thread that ends a
// segment has a request to answer. Pushing into the queue takes a tenth of that.
pub(super) struct Delivery {
    background: Arc<Background>,
    queue: Arc<Queue>,
    has_started: AtomicBool,
    /// The task until it starts.
    task: Mutex<Option<Task>>,
}

impl Delivery {
    /// Room for 2,000 documents of the largest size (63 KiB), or for 16,384 of the usual few kilobytes.
    //
    // The bounds are for a daemon or disk that cannot keep up: tracing may then lose documents, but must not take all
    // memory of the program. Both bounds are needed: small documents cost more memory than their JSON, and large ones
    // would reach gigabytes before their number counts.
    const LIMITS: Limits = Limits { documents: 16_384, bytes: 128 * 1024 * 1024 };

    /// `consume` makes the task, which takes documents from the queue until [`Queue::next`] returns `None`.
    pub(super) fn new<F>(background: Arc<Background>, consume: impl FnOnce(Arc<Queue>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let queue = Arc::new(Queue::new(Self::LIMITS));
        let (consumer, work) = (Consumer(Arc::clone(&queue)), consume(Arc::clone(&queue)));
        let task: Task = Box::pin(async move {
            let _consumer = consumer;
            work.await;
        });
        Self { background, queue, has_started: AtomicBool::new(false), task: Mutex::new(Some(task)) }
    }

    /// Queues a document for the task. Returns `false` if the queue is full or its task has ended.
    pub(super) fn push(&self, document: Document) -> bool {
        // Not a `Once`: starting a thread may log a failure, and a logger that ends a segment of its own would come back
        // to a `Once` that is running, and wait for itself. A second thread need not wait for the start either, since
        // the queue takes documents before it. The load spares later documents a write to a shared cache line.
        if !self.has_started.load(Ordering::Relaxed) && !self.has_started.swap(true, Ordering::Relaxed) {
            self.start();
        }
        self.queue.push(document)
    }

    /// Blocks until the task has finished with all documents queued so far, for at most `limit`. Returns whether it has.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        self.queue.wait_until_finished(limit)
    }

    fn start(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            self.background.spawn(task);
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The task's end of the queue. It is part of the task, so that dropping the task tells the queue.
//
// Every way in which a task can end drops it: it returns, it panics, its thread cannot be started, or its runtime
// cannot. Without this, `flush` would wait its whole limit for a task that does not exist.
struct Consumer(Arc<Queue>);

impl Drop for Consumer {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
