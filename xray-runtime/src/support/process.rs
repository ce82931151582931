//! State that each process has for itself.
//!
//! A child that was forked has a copy of its parent's memory, and only the thread that forked. No thread reads the
//! queues that the child inherits, and a lock that another thread held is never released.

use std::mem;
use std::sync::Arc;

use once_cell::sync::OnceCell;

use crate::id::Process;

/// A value that each process makes for itself when it first needs it.
///
/// A value that was made before a fork is never touched in the child, not even dropped: another thread may have held
/// one of its locks.
//
// A list with one value for each process from the first one to this one, because a cell that is written twice needs a
// lock, which a fork may leave locked.
pub(crate) struct PerProcess<T> {
    make: Box<dyn Fn() -> T + Send + Sync>,
    first: Made<T>,
}

struct Made<T> {
    process: Process,
    value: Arc<T>,
    next: OnceCell<Box<Made<T>>>,
}

impl<T> PerProcess<T> {
    /// Makes the value of this process, and keeps `make` for the processes that are forked from it.
    ///
    /// `make` runs while other threads may wait for it. It must run no code of the program and must not log.
    pub(crate) fn new(make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let first = Made::new(Process::current(), make());
        Self { make: Box::new(make), first }
    }

    /// Returns the value of the process that [`Process::current`] last found.
    #[inline]
    pub(crate) fn get(&self) -> &T {
        let process = Process::last_seen();
        if self.first.process == process { &self.first.value } else { self.later(process) }
    }

    #[cold]
    fn later(&self, process: Process) -> &T {
        let mut made = &self.first;
        while made.process != process {
            made = made.next.get_or_init(|| Box::new(Made::new(process, (self.make)())));
        }
        &made.value
    }
}

impl<T> Made<T> {
    fn new(process: Process, value: T) -> Self {
        Self { process, value: Arc::new(value), next: OnceCell::new() }
    }
}

impl<T> Drop for Made<T> {
    fn drop(&mut self) {
        if self.process != Process::current() {
            // The value is leaked by a reference that is never dropped.
            mem::forget(Arc::clone(&self.value));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_process_has_one_value() {
        let made = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&made);
        let value = PerProcess::new(move || counter.fetch_add(1, Ordering::Relaxed));
        let _ = Process::current();
        assert_eq!([(); 3].map(|()| *value.get()), [0; 3]);
        assert_eq!(made.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_value_of_another_process_is_not_dropped() {
        let value = Arc::new(());
        drop(Made { process: Process::OTHER, value: Arc::new(Arc::clone(&value)), next: OnceCell::new() });
        assert_eq!(Arc::strong_count(&value), 2);
        drop(Made::new(Process::current(), Arc::clone(&value)));
        assert_eq!(Arc::strong_count(&value), 2);
    }
}
