//! The user's own types with a method `send`, for the functions in the other files.

use std::cell::RefCell;
use std::rc::Rc;

/// `send` takes it by reference.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Shared(pub(crate) u32);

impl Shared {
    pub(crate) fn send(&self) -> u32 {
        self.0
    }
}

/// `send` takes it by exclusive reference, and counts.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    pub(crate) count: u32,
}

impl Counter {
    pub(crate) fn send(&mut self) -> u32 {
        self.count += 1;
        self.count
    }
}

/// `send` takes it by value. It is not `Copy`.
#[derive(Debug)]
pub(crate) struct Once(pub(crate) String);

impl Once {
    pub(crate) fn send(self) -> String {
        self.0
    }
}

/// `send` returns a `bool`, for calls between operators.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) bool);

impl Answer {
    pub(crate) fn send(&self) -> bool {
        self.0
    }
}

/// A trait with a method `send`, for `dyn`, `impl` and type parameters.
pub(crate) trait Send0 {
    fn send(&self) -> u32;
}

impl Send0 for u8 {
    fn send(&self) -> u32 {
        u32::from(*self) + 1
    }
}

impl Send0 for str {
    fn send(&self) -> u32 {
        u32::try_from(self.len()).unwrap()
    }
}

/// Events in the order in which they happened.
#[derive(Debug, Default, Clone)]
pub(crate) struct Log(Rc<RefCell<Vec<&'static str>>>);

impl Log {
    pub(crate) fn note(&self, event: &'static str) {
        self.0.borrow_mut().push(event);
    }

    pub(crate) fn take(&self) -> Vec<&'static str> {
        self.0.take()
    }

    /// Creates a value that logs its calls and its drop.
    pub(crate) fn noisy(&self, name: &'static str) -> Noisy {
        Noisy { log: self.clone(), name }
    }
}

/// Logs its calls as `send` and its drop by its name.
#[derive(Debug)]
pub(crate) struct Noisy {
    log: Log,
    name: &'static str,
}

impl Noisy {
    /// Creates another value with this log.
    pub(crate) fn part(&self, name: &'static str) -> Self {
        self.log.noisy(name)
    }

    /// Creates a guard that borrows this value.
    pub(crate) fn guard(&self, name: &'static str) -> Guard<'_> {
        Guard { whole: self, name }
    }

    pub(crate) fn send(&self) -> u32 {
        self.log.note("send");
        7
    }

    pub(crate) fn length(&self) -> usize {
        self.name.len()
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        self.log.note(self.name);
    }
}

/// Borrows and implements `Drop`, so the borrowed value must outlive it.
#[derive(Debug)]
pub(crate) struct Guard<'a> {
    whole: &'a Noisy,
    name: &'static str,
}

impl<'a> Guard<'a> {
    pub(crate) fn send(&self) -> u32 {
        self.whole.send()
    }

    /// Returns a reference that outlives the guard.
    pub(crate) fn whole(&self) -> &'a Noisy {
        self.whole
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.whole.log.note(self.name);
    }
}
