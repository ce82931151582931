//! What takes documents off the program's hands.

use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use super::queue::{Limits, Queue};
use crate::document::Document;
use crate::support::background::{Background, Task};

/// A queue of documents, and the task in the background that empties it.
///
/// The task starts with the first document and ends when this is dropped and the queue is empty. One that ends before, by
/// a panic for instance, takes nothing more, and nobody waits for it.
pub(super) struct Delivery {
    background: Arc<Background>,
    queue: Arc<Queue>,
    started: Once,
    /// Until it starts.
    task: Mutex<Option<Task>>,
}

impl Delivery {
    /// What may wait: a burst of a thousand of the largest documents, or of many more of the usual ones.
    const LIMITS: Limits = Limits { documents: 16_384, bytes: 128 * 1024 * 1024 };

    pub(super) fn new<F>(background: Arc<Background>, task: impl FnOnce(Arc<Queue>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let queue = Arc::new(Queue::new(Self::LIMITS));
        let (taker, task) = (Taker(Arc::clone(&queue)), task(Arc::clone(&queue)));
        let task: Task = Box::pin(async move {
            let _taker = taker;
            task.await;
        });
        Self { background, queue, started: Once::new(), task: Mutex::new(Some(task)) }
    }

    /// Whether the document waits for the task now: not if too much waits already, or there is no task any more.
    pub(super) fn take(&self, document: Document) -> bool {
        self.started.call_once(|| self.start());
        self.queue.push(document)
    }

    /// Blocks until the task is done with all that it was given so far, for at most `limit`; whether it is.
    pub(super) fn flush(&self, limit: Duration) -> bool {
        self.queue.wait_settled(limit)
    }

    fn start(&self) {
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.background.spawn(task);
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The task's end of the queue. However the task ends, and if it cannot start, the queue is told.
struct Taker(Arc<Queue>);

impl Drop for Taker {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
