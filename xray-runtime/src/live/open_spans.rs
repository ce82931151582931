//! Spans and database queries that are open although their work has ended. They end with the segment or subsegment in
//! which they began.
//!
//! `tracing` closes a span when its last handle is dropped. A library may spawn a long-lived task in the current span,
//! and the task then holds a handle: hyper-util does so for each pooled connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::id::SegmentId;
use crate::support::lock::lock;

/// The span or the query of a subsegment.
pub(crate) trait OpenSpan: Send + Sync {
    /// Returns whether the task or thread that calls this has done the work, and the work has ended.
    fn is_left(&self) -> bool;

    /// Ends the subsegment.
    fn end(&self);
}

/// The spans of a segment that were entered and are not closed, by the id of their parent and their own.
#[derive(Default)]
pub(crate) struct OpenSpans {
    spans: Mutex<HashMap<SegmentId, Siblings>>,
    /// `true` if a span was added. Most segments have no spans, and the end of each subsegment reads this flag.
    has_any: AtomicBool,
}

type Siblings = HashMap<SegmentId, Arc<dyn OpenSpan>>;

impl OpenSpans {
    pub(crate) fn add(&self, parent: SegmentId, id: SegmentId, span: Arc<dyn OpenSpan>) {
        self.has_any.store(true, Ordering::Relaxed);
        self.lock().entry(parent).or_default().insert(id, span);
    }

    pub(crate) fn remove(&self, parent: SegmentId, id: SegmentId) {
        let mut spans = self.lock();
        let Some(siblings) = spans.get_mut(&parent) else { return };
        let removed = siblings.remove(&id);
        if siblings.is_empty() {
            spans.remove(&parent);
        }
        drop(spans);
        // After the lock is released: this may be the last reference to the trace.
        drop(removed);
    }

    /// Ends the spans below `parent` whose own work has ended. Returns whether there were any.
    pub(crate) fn end_below(&self, parent: SegmentId) -> bool {
        if !self.has_any.load(Ordering::Relaxed) {
            return false;
        }
        // The spans end after the lock is released, because the end of a span calls this function for the spans below
        // it.
        let siblings = self.lock().remove(&parent);
        let left = siblings.into_iter().flat_map(HashMap::into_values).filter(|span| span.is_left());
        left.map(|span| span.end()).count() > 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SegmentId, Siblings>> {
        lock(&self.spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Span {
        is_left: bool,
        has_ended: AtomicBool,
    }

    impl OpenSpan for Span {
        fn is_left(&self) -> bool {
            self.is_left
        }

        fn end(&self) {
            self.has_ended.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_spans_below_an_ended_one_end_if_their_work_has_ended() {
        let spans = OpenSpans::default();
        let [parent, other] = [SegmentId::random(), SegmentId::random()];
        let add = |parent, is_left| {
            let span = Arc::new(Span { is_left, has_ended: AtomicBool::new(false) });
            let id = SegmentId::random();
            spans.add(parent, id, Arc::clone(&span) as _);
            (id, span)
        };
        assert!(!spans.end_below(parent));
        let (_, busy) = add(parent, false);
        assert!(!spans.end_below(parent), "no span has ended");
        let ((_, left), (_, elsewhere), (id, closed)) = (add(parent, true), add(other, true), add(parent, true));
        spans.remove(parent, id);
        assert_eq!(Arc::strong_count(&closed), 1);
        assert!(spans.end_below(parent));
        let has_ended = |span: &Span| span.has_ended.load(Ordering::Relaxed);
        assert_eq!([&busy, &left, &elsewhere, &closed].map(|span| has_ended(span)), [false, true, false, false]);
        assert!(!spans.end_below(parent), "a span ends once");
    }
}
