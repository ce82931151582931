//! A background thread that runs asynchronous tasks.

use crate::support::log_line::log_line;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::thread;

use once_cell::sync::OnceCell;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// A thread that runs tasks on a tokio runtime of its own.
///
/// The thread starts with the first task. It ends after the `Background` has been dropped and all tasks have
/// finished. A task that panics does not affect the others.
//
// A runtime of its own, because the program may use another executor or none. One thread is enough: the tasks wait for
// sockets and timers and do little else. The process does not join the thread at its end, so a daemon that hangs cannot
// delay the exit; `Recorder::flush` is the way to wait.
pub(crate) struct Background {
    thread_name: &'static str,
    tasks: OnceCell<UnboundedSender<Task>>,
}

/// A future that the background thread runs to its end.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Background {
    /// Creates a background whose thread will have this name; starts nothing.
    pub(crate) fn new(thread_name: &'static str) -> Self {
        Self { thread_name, tasks: OnceCell::new() }
    }

    /// Runs a task on the thread. If the thread cannot be started, logs that and drops the task.
    pub(crate) fn spawn(&self, task: Task) {
        let mut failure = None;
        let tasks = self.tasks.get_or_init(|| {
            let (sender, tasks) = unbounded_channel();
            failure = self.start(tasks).err();
            sender
        });
        // The logger is the program's own code and may come back here, for instance by a segment of its own. So it runs
        // after the cell has been filled: a cell that is initialised while it is being initialised deadlocks.
        if let Some(error) = failure {
            log_line!(
                Error,
                "xray::recorder",
                "could not start the thread {:?}: {error}; what it would send is dropped. \
                 Check how many threads the process may have",
                self.thread_name,
            );
        }
        // Fails if the thread did not start or has no runtime. The task is dropped with the error, which is how its
        // owner learns of it: see `Consumer` in `emitter/delivery.rs`.
        let _ = tasks.send(task);
    }

    fn start(&self, tasks: UnboundedReceiver<Task>) -> io::Result<()> {
        let name = self.thread_name;
        thread::Builder::new().name(name.to_owned()).spawn(move || run(name, tasks)).map(drop)
    }
}

/// Runs tasks until no more can come and all have finished.
fn run(thread_name: &str, mut tasks: UnboundedReceiver<Task>) {
    let run_all = async {
        // A set of tasks rather than one loop over them: `JoinSet` contains a panic in the task that panicked.
        let mut running = JoinSet::new();
        while let Some(task) = tasks.recv().await {
            running.spawn(task);
        }
        while running.join_next().await.is_some() {}
    };
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run_all),
        Err(error) => log_line!(
            Error,
            "xray::recorder",
            "could not start a tokio runtime on the thread {thread_name:?}: {error}; what it would send is dropped. \
             Check how many files the process may open",
        ),
    }
}

/// The owner of a task made by [`owned`]. Dropping it stops the task.
pub(crate) struct TaskOwner {
    /// Carries no message: the task waits for the channel to close.
    _open: oneshot::Sender<Infallible>,
}

/// Makes a task that runs `work` until it finishes or its owner is dropped.
//
// Work without an end, such as polling for sampling rules, must stop with the recorder that it serves. An abort handle
// of tokio would need the runtime, which exists only once the thread has started.
pub(crate) fn owned(work: impl Future<Output = ()> + Send + 'static) -> (TaskOwner, Task) {
    let (open, mut closed) = oneshot::channel::<Infallible>();
    let task = async move {
        let mut work = pin!(work);
        poll_fn(|context| {
            if Pin::new(&mut closed).poll(context).is_ready() { Poll::Ready(()) } else { work.as_mut().poll(context) }
        })
        .await;
    };
    (TaskOwner { _open: open }, Box::pin(task))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn tasks_share_one_thread_and_outlive_the_background() {
        let background = Background::new("xray-test");
        let (sender, seen) = channel();
        background.spawn(Box::pin(async { panic!("this task fails, the others do not") }));
        for number in 0..2 {
            let sender = sender.clone();
            background.spawn(Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                sender.send((number, thread::current().id())).unwrap();
            }));
        }
        drop((background, sender));
        let [first, second] = [(); 2].map(|()| seen.recv_timeout(SOON).unwrap());
        assert_eq!((first.0 + second.0, first.1), (1, second.1));
        assert_eq!(seen.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected), "all tasks have finished");
    }

    #[test]
    fn a_task_stops_when_its_owner_is_dropped() {
        let background = Background::new("xray-test");
        let (sender, seen) = channel::<()>();
        let (owner, task) = owned(async move {
            sender.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        background.spawn(task);
        seen.recv_timeout(SOON).expect("the task runs");
        drop(owner);
        assert_eq!(seen.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected), "the task is dropped");
    }
}
