//! The invocation that a Lambda function works on, if it works on one at a time.
//!
//! `lambda_runtime` polls the stream of a response in a task of its own, which has no context. A process that works on one
//! invocation at a time does nothing else, so all work outside any context belongs to that invocation. The X-Ray SDKs for
//! Python and Node.js make the same assumption.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::live::entity::Entity;
use crate::support::lock::lock;

static RUNNING: Mutex<Option<Arc<Entity>>> = Mutex::new(None);
/// `true` if `RUNNING` names an invocation. A call outside any context reads this flag and nothing else.
static IS_ANY_RUNNING: AtomicBool = AtomicBool::new(false);

/// A guard that makes the facade of an invocation the context of all work that has no context of its own.
#[cfg_attr(not(feature = "lambda"), allow(dead_code))]
pub(crate) struct Running(Arc<Entity>);

#[cfg_attr(not(feature = "lambda"), allow(dead_code))]
impl Running {
    /// Begins the invocation. It replaces an earlier invocation that has not ended.
    pub(crate) fn begin(facade: &Arc<Entity>) -> Self {
        set(Some(Arc::clone(facade)));
        Self(Arc::clone(facade))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if entity().is_some_and(|entity| Arc::ptr_eq(&entity, &self.0)) {
            set(None);
        }
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
    running().clone()
}

fn set(entity: Option<Arc<Entity>>) {
    IS_ANY_RUNNING.store(entity.is_some(), Ordering::Relaxed);
    let before = std::mem::replace(&mut *running(), entity);
    // Drop it after the lock is released: the drop may run the program's emitter, which may ask for the context.
    drop(before);
}

fn running() -> MutexGuard<'static, Option<Arc<Entity>>> {
    lock(&RUNNING)
}
