//! The invocation that a Lambda function works on, if it works on one at a time.
//!
//! `lambda_runtime` polls the stream of a response in a task of its own, which has no context. A process that works on
//! one invocation at a time does nothing else, so all work outside any context belongs to that invocation. The X-Ray
//! SDKs for Python and Node.js make the same assumption.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::live::entity::Entity;
use crate::support::lock::lock;

static RUNNING: Mutex<Option<Arc<Entity>>> = Mutex::new(None);
/// `true` if `RUNNING` names an invocation. A call outside any context reads only this flag and
/// `context::IS_SET`.
static IS_ANY_RUNNING: AtomicBool = AtomicBool::new(false);

/// A guard that makes the facade of an invocation the context of all work that has no context of its own.
#[cfg_attr(not(feature = "lambda"), allow(dead_code))]
pub(crate) struct Running(Arc<Entity>);

#[cfg_attr(not(feature = "lambda"), allow(dead_code))]
impl Running {
    /// Begins the invocation. It replaces an earlier invocation that has not ended.
    pub(crate) fn begin(facade: &Arc<Entity>) -> Self {
        replace(|_| true, Some(Arc::clone(facade)));
        Self(Arc::clone(facade))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        replace(|running| running.is_some_and(|running| Arc::ptr_eq(running, &self.0)), None);
    }
}

/// Returns whether an invocation is running.
#[inline]
pub(crate) fn is_any_running() -> bool {
    IS_ANY_RUNNING.load(Ordering::Relaxed)
}

/// Returns the facade of the invocation that is running.
pub(crate) fn entity() -> Option<Arc<Entity>> {
    if is_any_running() { locked_entity() } else { None }
}

#[cold]
fn locked_entity() -> Option<Arc<Entity>> {
    lock(&RUNNING).clone()
}

/// Replaces the invocation that is running by `next`, if `is_due` returns `true` for it.
fn replace(is_due: impl FnOnce(Option<&Arc<Entity>>) -> bool, next: Option<Arc<Entity>>) {
    // One lock for all steps: the task that ends an invocation's stream may run beside the beginning of the next
    // invocation.
    let mut running = lock(&RUNNING);
    if !is_due(running.as_ref()) {
        return;
    }
    IS_ANY_RUNNING.store(next.is_some(), Ordering::Relaxed);
    let before = mem::replace(&mut *running, next);
    drop(running);
    // Dropped after the lock is released: the drop may run the program's emitter, which may ask for the context.
    drop(before);
}
