//! The subsegment of a span, which is kept in the extensions of the span.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::fields::{Fields, annotation_key};
use crate::document::{Document, Exception};
use crate::live::context::{self, Context};
use crate::live::segment::Subsegment;

/// The subsegment of a span. Below a segment that is not sampled it only carries the context.
pub(super) struct SpanSubsegment {
    subsegment: Subsegment,
    was_entered: AtomicBool,
    errors: AtomicUsize,
}

/// The fields of a span that was created outside any segment and has not been entered.
pub(super) struct Waiting(pub(super) Fields);

impl SpanSubsegment {
    /// Begins the subsegment below `parent`. Calls `fields` only if the trace is sampled.
    pub(super) fn begin(parent: &Context, name: &str, fields: impl FnOnce() -> Fields) -> Arc<Self> {
        let subsegment = parent.subsegment(name);
        let span_subsegment = Self { subsegment, was_entered: AtomicBool::new(false), errors: AtomicUsize::new(0) };
        span_subsegment.record(fields);
        Arc::new(span_subsegment)
    }

    pub(super) fn context(&self) -> &Context {
        &self.subsegment
    }

    /// Records fields. Calls `fields` only if the trace is sampled.
    pub(super) fn record(&self, fields: impl FnOnce() -> Fields) {
        if self.context().is_sampled() {
            self.write(fields());
        }
    }

    fn write(&self, fields: Fields) {
        for (name, value) in fields.annotations {
            self.context().annotate(annotation_key(name), value);
        }
        for exceptions in fields.errors {
            self.record_error(|| exceptions);
        }
        if let Some(field) = fields.failed {
            self.context().recorder().report_value("field", field, "not recorded, or in part");
        }
    }

    /// Records an error with its sources. Further errors of one span are counted, because the size of a document is limited.
    pub(super) fn record_error(&self, read: impl FnOnce() -> Vec<Exception>) {
        const MAX_ERRORS: usize = 16;

        let Some(entity) = self.context().entity().filter(|entity| entity.trace().is_sampled()) else { return };
        if self.errors.fetch_add(1, Ordering::Relaxed) < MAX_ERRORS {
            let exceptions = read();
            entity.update(|document| document.record_error(exceptions));
        } else {
            entity.trace().recorder().report_value("an error of span", &entity.id().to_string(), "left out");
        }
    }

    /// Notes that the span is entered. The first entry starts its time.
    pub(super) fn enter(&self) {
        if !self.was_entered.swap(true, Ordering::Relaxed) {
            self.set_time(|document, now| document.start_time = now);
        }
    }

    /// Notes that the span is exited, which ends its time unless it is entered again.
    //
    // `tracing` closes a span only after the last of its children, which may work elsewhere for longer. The exit is the
    // end of the span's own work.
    pub(super) fn leave(&self, by_panic: bool) {
        self.set_time(|document, now| document.end_time = Some(now));
        if by_panic {
            // The message is known only to the scope that catches the panic.
            self.context().record_panic("panicked");
        }
    }

    fn set_time(&self, set: impl FnOnce(&mut Document, f64)) {
        if let Some(entity) = self.context().entity().filter(|entity| entity.trace().is_sampled()) {
            entity.update(|document| set(document, entity.trace().now()));
        }
    }
}

/// Returns whether another [`SubsegmentLayer`](super::SubsegmentLayer) has seen this span.
pub(super) fn is_known<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> bool {
    let extensions = span.extensions();
    extensions.get::<Arc<SpanSubsegment>>().is_some() || extensions.get::<Waiting>().is_some()
}

/// Returns the subsegment of a span.
pub(super) fn span_subsegment<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Arc<SpanSubsegment>> {
    span.extensions().get::<Arc<SpanSubsegment>>().cloned()
}

/// Returns the subsegment of a span that is being entered.
///
/// If the span was created outside any segment, its subsegment begins now below the current segment. If no segment is
/// open now either, the span is left alone for good.
pub(super) fn entered_span_subsegment<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Option<Arc<SpanSubsegment>> {
    span_subsegment(span).or_else(|| {
        // A shared lock is enough to find that a span is not waiting, which is true for most spans without a subsegment.
        span.extensions().get::<Waiting>()?;
        let Waiting(fields) = span.extensions_mut().remove()?;
        let current = context::current();
        current.entity()?;
        let begun = SpanSubsegment::begin(&current, span.name(), || fields);
        span.extensions_mut().insert(Arc::clone(&begun));
        Some(begun)
    })
}
