//! The task or thread that runs the code.

use std::thread::{self, ThreadId};

/// A task of tokio, or a thread outside any task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Runner {
    Task(tokio::task::Id),
    Thread(ThreadId),
}

impl Runner {
    /// Returns the task that runs this code; outside any task, the thread.
    pub(super) fn current() -> Self {
        tokio::task::try_id().map_or_else(|| Self::Thread(thread::current().id()), Self::Task)
    }

    /// Returns whether the current runner, which is this one, can spawn tasks.
    pub(super) fn is_in_a_runtime(self) -> bool {
        matches!(self, Self::Task(_)) || tokio::runtime::Handle::try_current().is_ok()
    }
}
