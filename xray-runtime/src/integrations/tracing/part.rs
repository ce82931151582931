//! What a span is in a trace, kept in its extensions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::fields::Fields;
use crate::document::{Document, Exception};
use crate::live::context::{self, Context};
use crate::live::segment::Subsegment;

/// The part of a trace that a span is. Below a segment that is not sampled it only carries that along.
pub(super) struct Part {
    subsegment: Subsegment,
    was_entered: AtomicBool,
    errors: AtomicUsize,
}

/// The fields of a span that was made outside any segment and is not entered yet.
pub(super) struct Waiting(pub(super) Fields);

impl Part {
    /// Begins a span's part below `parent`; the fields are read only where they are recorded.
    pub(super) fn begin(parent: &Context, name: &str, fields: impl FnOnce() -> Fields) -> Arc<Self> {
        let subsegment = parent.subsegment(name);
        let part = Self { subsegment, was_entered: AtomicBool::new(false), errors: AtomicUsize::new(0) };
        part.record(fields);
        Arc::new(part)
    }

    pub(super) fn context(&self) -> &Context {
        &self.subsegment
    }

    /// Writes fields, which are read only where they are recorded.
    pub(super) fn record(&self, fields: impl FnOnce() -> Fields) {
        if self.context().is_sampled() {
            fields().write(self);
        }
    }

    /// Records an error and what is behind it; of one span only so many, because a document has a limit.
    pub(super) fn record_error(&self, read: impl FnOnce() -> Vec<Exception>) {
        const MAX_ERRORS: usize = 16;

        let Some(entity) = self.context().entity().filter(|entity| entity.trace().is_sampled()) else { return };
        if self.errors.fetch_add(1, Ordering::Relaxed) < MAX_ERRORS {
            let exceptions = read();
            entity.update(|record| record.record_error(exceptions));
        } else {
            entity.trace().recorder().report_value("an error of span", &entity.id().to_string(), "left out");
        }
    }

    /// The span is entered. Its time begins where that is for the first time.
    pub(super) fn enter(&self) {
        if !self.was_entered.swap(true, Ordering::Relaxed) {
            self.set_time(|record, now| record.start_time = now);
        }
    }

    /// The span is left. A span whose children are at work elsewhere is closed with the last of them; its own time is
    /// over now, if it is not entered again.
    pub(super) fn leave(&self, by_panic: bool) {
        self.set_time(|record, now| record.end_time = Some(now));
        if by_panic {
            // What it says is known only where it is caught.
            self.context().record_panic("panicked");
        }
    }

    fn set_time(&self, set: impl FnOnce(&mut Document, f64)) {
        if let Some(entity) = self.context().entity().filter(|entity| entity.trace().is_sampled()) {
            entity.update(|record| set(record, entity.trace().now()));
        }
    }
}

/// Whether a layer of ours has seen this span.
pub(super) fn is_known<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> bool {
    let extensions = span.extensions();
    extensions.get::<Arc<Part>>().is_some() || extensions.get::<Waiting>().is_some()
}

/// The part that a span is.
pub(super) fn part<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Arc<Part>> {
    span.extensions().get::<Arc<Part>>().cloned()
}

/// The same of a span that is entered: one that waits begins now, below what is current, or never.
pub(super) fn part_entered<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Arc<Part>> {
    part(span).or_else(|| {
        // Most spans that are no part are not waiting either, and a look disturbs no other thread.
        span.extensions().get::<Waiting>()?;
        let Waiting(fields) = span.extensions_mut().remove()?;
        let current = context::current();
        current.entity()?;
        let part = Part::begin(&current, span.name(), || fields);
        span.extensions_mut().insert(Arc::clone(&part));
        Some(part)
    })
}
