//! The thread that takes work off the program's hands.

use std::pin::Pin;
use std::thread;

use once_cell::sync::OnceCell;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// A thread for tasks. It starts with the first of them, and ends when this is dropped and all of them have ended.
///
/// A task that panics takes no other with it. The process does not wait for the thread.
pub(crate) struct Background {
    thread_name: &'static str,
    tasks: OnceCell<UnboundedSender<Task>>,
}

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Background {
    pub(crate) fn new(thread_name: &'static str) -> Self {
        Self { thread_name, tasks: OnceCell::new() }
    }

    /// Runs a task on the thread; where there can be none, the task is dropped.
    pub(crate) fn spawn(&self, task: Task) {
        let _ = self.tasks.get_or_init(|| self.start()).send(task);
    }

    fn start(&self) -> UnboundedSender<Task> {
        let (sender, tasks) = unbounded_channel();
        let started = thread::Builder::new().name(self.thread_name.to_owned()).spawn(move || run(tasks));
        if let Err(error) = started {
            log::error!(target: "xray::recorder", "no thread for what is done in the background: {error}");
        }
        sender
    }
}

fn run(mut tasks: UnboundedReceiver<Task>) {
    let until_all_have_ended = async {
        let mut running = JoinSet::new();
        while let Some(task) = tasks.recv().await {
            running.spawn(task);
        }
        while running.join_next().await.is_some() {}
    };
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(until_all_have_ended),
        Err(error) => log::error!(target: "xray::recorder", "no runtime for what is done in the background: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn tasks_share_the_thread_and_outlive_who_gave_them() {
        let background = Background::new("xray-test");
        let (sender, seen) = channel();
        background.spawn(Box::pin(async { panic!("a task's own affair") }));
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
        assert_eq!(seen.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected), "the tasks have ended");
    }
}
