//! A background thread that runs asynchronous tasks.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::sync::mpsc::error::SendError;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::support::guard::guard;
use crate::support::lock::lock;
use crate::support::log_line::{LoggedOnce, log_line};
use crate::support::process::PerProcess;

/// A thread that runs tasks on a tokio runtime of its own.
///
/// The thread starts with the first task, and again with the next task after it could not start or has died. It ends
/// after the `Background` has been dropped and all tasks have finished. A task that panics does not affect the others.
/// After a fork the child starts a thread of its own.
//
// A runtime of its own, because the program may use another executor or none. One thread is enough: the tasks wait for
// sockets and timers and do little else. The process does not join the thread at its end, so a daemon that hangs cannot
// delay the exit; `Recorder::flush` is the way to wait.
pub(crate) struct Background {
    thread_name: &'static str,
    /// The way to the thread, once it has started.
    tasks: PerProcess<Mutex<Option<UnboundedSender<Task>>>>,
    /// Limits the line about a failure to start the thread to one. Reset when the thread runs again.
    logged_failure: Arc<LoggedOnce>,
}

/// A future that the background thread runs to its end.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Background {
    /// Creates a background whose thread will have this name; starts nothing.
    pub(crate) fn new(thread_name: &'static str) -> Self {
        Self { thread_name, tasks: PerProcess::new(Mutex::default), logged_failure: Arc::default() }
    }

    /// Runs a task on the thread. If the thread cannot start, drops the task, and logs that once until the thread runs.
    pub(crate) fn spawn(&self, task: Task) {
        // The logger is the program's own code and may come back here, so it runs after the lock is released.
        if let Err(error) = self.send(task) {
            log_failure(&self.logged_failure, self.thread_name, &error, "how many threads the process may have");
        }
    }

    fn send(&self, mut task: Task) -> io::Result<()> {
        let mut tasks = lock(self.tasks.get());
        if let Some(running) = &*tasks {
            match running.send(task) {
                Ok(()) => return Ok(()),
                // The thread has ended: it had no runtime, or the runtime panicked.
                Err(SendError(unsent)) => task = unsent,
            }
        }
        let (sender, receiver) = unbounded_channel();
        // Cannot fail, because the receiver is here.
        let _ = sender.send(task);
        self.start(receiver)?;
        *tasks = Some(sender);
        Ok(())
    }

    fn start(&self, tasks: UnboundedReceiver<Task>) -> io::Result<()> {
        let (name, logged_failure) = (self.thread_name, Arc::clone(&self.logged_failure));
        thread::Builder::new().name(name.to_owned()).spawn(move || run(name, tasks, &logged_failure)).map(drop)
    }
}

/// Runs tasks until no more can come and all have finished.
fn run(thread_name: &str, mut tasks: UnboundedReceiver<Task>, logged_failure: &LoggedOnce) {
    let run_all = async {
        // A set of tasks rather than one loop over them: `JoinSet` contains a panic in the task that panicked.
        let mut running = JoinSet::new();
        while let Some(task) = tasks.recv().await {
            running.spawn(task);
        }
        while running.join_next().await.is_some() {}
    };
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            logged_failure.reset();
            if guard(|| runtime.block_on(run_all)).is_none() {
                // Logged before the end of this block drops the runtime, and with it the tasks, which then count what
                // they held as dropped.
                log_line!(
                    Error,
                    "xray::recorder",
                    "the thread {thread_name:?} died. A program that closes file descriptors of its libraries can \
                     cause this. The documents that the thread was sending are dropped and counted in \
                     `Stats::documents_dropped`. The next document starts the thread again",
                );
            }
        }
        Err(error) => log_failure(logged_failure, thread_name, &error, "how many files the process may open"),
    }
}

fn log_failure(logged: &LoggedOnce, thread_name: &str, error: &io::Error, check: &str) {
    if logged.is_first() {
        log_line!(
            Error,
            "xray::recorder",
            "could not start the thread {thread_name:?}: {error}. Documents wait in the queue, and the SDK tries \
             again. Check {check} (logged once until the thread runs)",
        );
    }
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
}
