//! The spans that are entered on this thread, each with the context that it replaced.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;
use std::thread;

use crate::live::context::{self, Context};
use crate::live::entity::Entity;

thread_local! {
    static ENTERED: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// An entered span.
//
// `tracing` calls `on_enter` and `on_exit` without a guard in which the previous context could be kept, and spans may
// be exited in any order. So `exit` finds the entry by its entity.
struct Entry {
    span: Arc<Entity>,
    /// The context that was current after the entry.
    current: Context,
    previous: Context,
    was_panicking: bool,
    is_own: bool,
}

/// The exit of a span.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Exit {
    /// `true` if a panic that began inside the span is unwinding through it.
    pub(super) by_panic: bool,
    /// `true` if the entry belonged to the span's own work; see
    /// [`SpanSubsegment::enter`](super::span::SpanSubsegment::enter).
    pub(super) is_own: bool,
}

/// Makes a span's context current on this thread until [`exit`]. Does nothing while the thread's locals are destroyed.
pub(super) fn enter(span: &Context, is_own: bool) {
    let Some(entity) = span.entity() else { return };
    let previous = context::own();
    let current = if replaces(entity, &previous) { span.clone() } else { previous.clone() };
    let (span, was_panicking) = (Arc::clone(entity), thread::panicking());
    let entry = Entry { span, current: current.clone(), previous, was_panicking, is_own };
    let is_kept = ENTERED.try_with(|entered| entered.try_borrow_mut().map(|mut entered| entered.push(entry)).is_ok());
    if is_kept == Ok(true) {
        drop(context::replace_current(current));
    }
}

/// Restores the context that `enter` replaced, if the span was entered on this thread.
pub(super) fn exit(span: &Context) -> Exit {
    let Some(entity) = span.entity() else { return Exit::default() };
    // Dropping a context may end a segment and run the emitter, which may enter spans. So entries are moved out and
    // dropped after the borrow of the list has ended.
    let take = |entered: &RefCell<Vec<Entry>>| {
        let mut entered = entered.try_borrow_mut().ok()?;
        let position = entered.iter().rposition(|entry| Arc::ptr_eq(&entry.span, entity))?;
        let mut entry = entered.remove(position);
        // The spans are exited out of order: hand our saved context to the entry above, which will restore it.
        if let Some(above) = entered.get_mut(position).filter(|above| above.previous.is(&entry.current)) {
            mem::swap(&mut above.previous, &mut entry.previous);
        }
        Some(entry)
    };
    let entry = match ENTERED.try_with(take) {
        Ok(Some(entry)) => entry,
        // The span had no subsegment at the entry: another thread was about to begin it.
        Ok(None) => return Exit::default(),
        // The thread's locals are destroyed, so `enter` could not keep the entry.
        Err(_) => return Exit { by_panic: false, is_own: true },
    };
    // If another scope was entered since, its guard restores the context.
    if context::own().is(&entry.current) {
        drop(context::replace_current(entry.previous));
    }
    Exit { by_panic: !entry.was_panicking && thread::panicking(), is_own: entry.is_own }
}

/// Returns whether a span's entity replaces the context `current`.
//
// The span of a pooled connection or of a worker outlives the segment in which it was created. When such a span is
// entered while the thread works for another, open segment, that segment stays current.
fn replaces(entity: &Arc<Entity>, current: &Context) -> bool {
    current.entity().is_none_or(|current| {
        current.is_in_segment_of(entity) || entity.root().is_some_and(|segment| segment.is_open())
    })
}
