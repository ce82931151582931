//! The thread that takes documents off the program's hands.

use std::pin::Pin;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread;
use std::time::Duration;

use super::queue::{Limits, Queue};
use crate::document::Document;

/// A task of an emitter on a thread of its own, and the queue to it.
///
/// The thread starts with the first document and ends when this is dropped and the queue is empty. A task that ends
/// before, by a panic for instance, takes nothing more, and nobody waits for it.
pub(super) struct Background {
    thread_name: &'static str,
    queue: Arc<Queue>,
    started: Once,
    /// The task, until it starts.
    task: Mutex<Option<Task>>,
}

type Task = Box<dyn FnOnce(Arc<Queue>) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

impl Background {
    /// What may wait: a burst of a thousand of the largest documents, or of many more of the usual ones.
    const LIMITS: Limits = Limits { documents: 16_384, bytes: 128 * 1024 * 1024 };

    pub(super) fn new<F>(thread_name: &'static str, task: impl FnOnce(Arc<Queue>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        let task: Task = Box::new(|queue| Box::pin(task(queue)));
        let queue = Arc::new(Queue::new(Self::LIMITS));
        Self { thread_name, queue, started: Once::new(), task: Mutex::new(Some(task)) }
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
        let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let taker = Taker(Arc::clone(&self.queue));
        let started = thread::Builder::new().name(self.thread_name.to_owned()).spawn(move || taker.run(task));
        if let Err(error) = started {
            log::error!(target: "xray::emitter", "no thread for documents: {error}");
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The thread's end of the queue. However the thread ends, and if it cannot start, the queue is told.
struct Taker(Arc<Queue>);

impl Taker {
    fn run(&self, task: Task) {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(task(Arc::clone(&self.0))),
            Err(error) => log::error!(target: "xray::emitter", "no runtime for documents: {error}"),
        }
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
