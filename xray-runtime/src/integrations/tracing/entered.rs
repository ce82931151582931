//! The spans that are entered on this thread, and what was current before each.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;
use std::thread;

use crate::live::context::{self, Context};
use crate::live::entity::Entity;

thread_local! {
    static ENTERED: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// `tracing` gives no guard to keep, and spans are left in any order; so each is found by its entity.
struct Entry {
    span: Arc<Entity>,
    /// What it made current, or left so.
    current: Context,
    previous: Context,
    was_panicking: bool,
}

/// Makes a span's context current on this thread until [`exit`]. In a thread's last destructors nothing happens.
pub(super) fn enter(span: &Context) {
    let Some(entity) = span.entity() else { return };
    let previous = context::current();
    let current = if replaces(entity, &previous) { span.clone() } else { previous.clone() };
    let entry =
        Entry { span: Arc::clone(entity), current: current.clone(), previous, was_panicking: thread::panicking() };
    let is_kept = ENTERED.try_with(|entered| entered.try_borrow_mut().map(|mut entered| entered.push(entry)).is_ok());
    if is_kept == Ok(true) {
        drop(context::replace_current(current));
    }
}

/// Restores what was current before, if the span was entered on this thread. Tells whether a panic that began inside
/// leaves it.
pub(super) fn exit(span: &Context) -> bool {
    let Some(entity) = span.entity() else { return false };
    // What is dropped may run the emitter's own code, so no entry is dropped while they are borrowed.
    let take = |entered: &RefCell<Vec<Entry>>| {
        let mut entered = entered.try_borrow_mut().ok()?;
        let position = entered.iter().rposition(|entry| Arc::ptr_eq(&entry.span, entity))?;
        let mut entry = entered.remove(position);
        // One that was entered later and is left later restores what this one would have.
        if let Some(above) = entered.get_mut(position).filter(|above| above.previous.is(&entry.current)) {
            mem::swap(&mut above.previous, &mut entry.previous);
        }
        Some(entry)
    };
    let Some(entry) = ENTERED.try_with(take).ok().flatten() else { return false };
    // Where something else was made current since, that is for the one who did to restore.
    if context::current().is(&entry.current) {
        drop(context::replace_current(entry.previous));
    }
    !entry.was_panicking && thread::panicking()
}

/// Whether a span's entity is to be current in place of `current`. A span outlives its segment where it belongs to a
/// connection or a worker; then it is no reason to leave the segment that this thread is at work for.
fn replaces(entity: &Arc<Entity>, current: &Context) -> bool {
    current.entity().is_none_or(|current| current.is_in_trace_of(entity) || entity.root().is_open())
}
