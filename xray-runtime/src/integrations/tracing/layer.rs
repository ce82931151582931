//! The layer that turns spans into subsegments.

use std::sync::Arc;

use tracing_core::field::Visit;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Level, LevelFilter, Subscriber};
use tracing_subscriber::layer::{Context as Subscription, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::entered;
use super::fields::{ErrorOfEvent, Fields};
use super::span::{SpanSubsegment, Waiting, entered_span_subsegment, is_known, span_subsegment};
use crate::live::context;
use crate::recorder::Recorder;

/// A layer of [`tracing_subscriber`]: every span inside a segment becomes a local subsegment with the name of the span.
///
/// ```
/// use tracing::{info_span, instrument};
/// use tracing_subscriber::prelude::*;
/// use xray::Segment;
///
/// #[instrument(err)]
/// fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
///     text.parse()
/// }
///
/// let _guard = tracing_subscriber::registry().with(xray::tracing::SubsegmentLayer::new()).set_default();
/// let ((), documents) = xray::testing::capture_blocking(|| {
///     Segment::builder("shop").begin().in_scope(|| {
///         info_span!("order", shop.id = 7).in_scope(|| parse("seven").is_err());
///     });
/// });
/// let order = &documents[0].subsegments[0];
/// assert_eq!((order.name.as_str(), &order.annotations["shop_id"]), ("order", &7.into()));
/// let parse = &order.subsegments[0];
/// assert!(parse.fault && parse.annotations["text"] == "seven".into());
/// ```
///
/// **Parent.** The parent of the subsegment is the segment or subsegment that is current when the span is created, or that of
/// the span given as `parent:`. While the span is entered, on whatever thread, its subsegment is
/// [current](crate::current): traced calls, annotations and further spans go into it, and a future with
/// `.instrument(span)` needs no `.in_current_trace()`. A span that is created outside any segment belongs to the segment in
/// which it is first entered, so both orders of `work().instrument(span).in_segment("shop")` work. The layer ignores a span
/// with `parent: None`, and a span that is first entered outside any segment. It opens no segments. A span whose segment has
/// ended does not replace another segment that is current.
///
/// **Time.** The subsegment lasts from the first entry of the span to its last exit, or from its creation if the span is
/// never entered. It is sent when the span is closed. A panic that unwinds through the span is recorded.
///
/// **Content.** Fields become annotations, including fields that are recorded later. Characters that X-Ray refuses in a key
/// become `_` (`http.method` becomes `http_method`). A value that is neither a number, a boolean nor a string is recorded as
/// its `Debug` or `Display` text. Three things are recorded as errors, as by
/// [`record_error`](crate::Context::record_error): a field that is an error (`error = &e as &dyn Error`); a field named
/// `error` or `err`; and an event of the level `ERROR`, by its error field or else by its message. The event belongs to the
/// innermost of its spans that has a subsegment. A subsegment records 16 errors; further ones are counted.
///
/// **Selection.** Spans of the level `INFO` and above become subsegments; see [`with_max_level`](Self::with_max_level). For a
/// finer selection use `.with_filter(..)` of [`tracing_subscriber::Layer`]: the layer does not see spans that the filter
/// excludes. A filter also lets `tracing` skip disabled spans early, which the layer alone cannot.
///
/// Below a segment that is not sampled, a span only carries the context. A panic in the formatting of a field does not reach
/// the program.
#[derive(Debug, Clone, Copy)]
pub struct SubsegmentLayer {
    max_level: LevelFilter,
    with_fields: bool,
}

impl SubsegmentLayer {
    /// Returns a layer for spans of the level `INFO` and above, with their fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_level: LevelFilter::INFO, with_fields: true }
    }

    /// Sets the most verbose level of spans that become subsegments. The default is `INFO`, because libraries such as HTTP
    /// clients have spans of their own at `DEBUG` and `TRACE`.
    ///
    /// ```
    /// use tracing::{Level, debug_span};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = xray::tracing::SubsegmentLayer::new().with_max_level(Level::DEBUG);
    /// let _guard = tracing_subscriber::registry().with(layer).set_default();
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     xray::Segment::builder("shop").begin().in_scope(|| debug_span!("stock").in_scope(|| {}));
    /// });
    /// assert_eq!(documents[0].subsegments[0].name, "stock");
    /// ```
    #[must_use]
    pub fn with_max_level(self, level: impl Into<LevelFilter>) -> Self {
        Self { max_level: level.into(), ..self }
    }

    /// Sets whether fields become annotations; the default is `true`.
    ///
    /// `#[instrument]` makes a field of every argument, and X-Ray indexes 50 annotations of a trace. The text of a field is
    /// recorded unchanged, including the query of a URL. Errors are recorded regardless of this setting.
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = xray::tracing::SubsegmentLayer::new().with_fields(false);
    /// let _guard = tracing_subscriber::registry().with(layer).set_default();
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = xray::Segment::builder("shop").begin();
    ///     segment.in_scope(|| tracing::info_span!("log in", password = "secret").in_scope(|| {}));
    /// });
    /// assert!(documents[0].subsegments[0].annotations.is_empty());
    /// ```
    #[must_use]
    pub const fn with_fields(self, with_fields: bool) -> Self {
        Self { with_fields, ..self }
    }

    fn read(self, record: impl FnOnce(&mut dyn Visit)) -> Fields {
        Fields::read(self.with_fields, record)
    }
}

impl Default for SubsegmentLayer {
    fn default() -> Self {
        Self::new()
    }
}

// The extensions of a span are locked only to read or exchange a value. Everything else may run the user's code (the
// formatting of fields, a logger, an emitter), and that code may use the same span and would wait for the lock forever.
impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SubsegmentLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, subscription: Subscription<'_, S>) {
        let metadata = attributes.metadata();
        if attributes.is_root() || *metadata.level() > self.max_level {
            return;
        }
        let Some(span) = subscription.span(id).filter(|span| !is_known(span)) else { return };
        let named = attributes.parent().and_then(|id| subscription.span(id));
        let named = named.and_then(|parent| parent.scope().find_map(|span| span_subsegment(&span)));
        let parent = named.map_or_else(context::current, |parent| parent.context().clone());
        let fields = || self.read(|visitor| attributes.record(visitor));
        if parent.entity().is_some() {
            let begun = SpanSubsegment::begin(&parent, metadata.name(), fields);
            span.extensions_mut().insert(begun);
        } else if !Recorder::is_known_to_be_off() {
            let waiting = Waiting(fields());
            span.extensions_mut().insert(waiting);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, subscription: Subscription<'_, S>) {
        let Some(span) = subscription.span(id).filter(|span| is_known(span)) else { return };
        let fields = || self.read(|visitor| values.record(visitor));
        if let Some(known) = span_subsegment(&span) {
            return known.record(fields);
        }
        let fields = fields();
        if let Some(Waiting(waiting)) = span.extensions_mut().get_mut() {
            waiting.extend(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, subscription: Subscription<'_, S>) {
        if *event.metadata().level() == Level::ERROR {
            let mut spans = subscription.event_scope(event).into_iter().flatten();
            if let Some(innermost) = spans.find_map(|span| span_subsegment(&span)) {
                innermost.record_error(|| ErrorOfEvent::read(|visitor| event.record(visitor)));
            }
        }
    }

    fn on_enter(&self, id: &Id, subscription: Subscription<'_, S>) {
        if let Some(entering) = subscription.span(id).and_then(|span| entered_span_subsegment(&span)) {
            entering.enter();
            entered::enter(entering.context());
        }
    }

    fn on_exit(&self, id: &Id, subscription: Subscription<'_, S>) {
        if let Some(exiting) = subscription.span(id).and_then(|span| span_subsegment(&span)) {
            exiting.leave(entered::exit(exiting.context()));
        }
    }

    fn on_close(&self, id: Id, subscription: Subscription<'_, S>) {
        let closed = subscription.span(&id).and_then(|span| span.extensions_mut().remove::<Arc<SpanSubsegment>>());
        // The subsegment ends here, after the lock of the extensions is released.
        drop(closed);
    }
}
