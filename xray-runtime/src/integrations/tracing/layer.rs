//! The layer that makes subsegments of spans.

use std::sync::Arc;

use tracing_core::field::Visit;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Level, LevelFilter, Subscriber};
use tracing_subscriber::layer::{Context as Subscription, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::entered;
use super::fields::{ErrorOfEvent, Fields};
use super::part::{Part, Waiting, is_known, part, part_entered};
use crate::live::context;
use crate::recorder::Recorder;

/// A layer of [`tracing_subscriber`]: every span below a segment is a local subsegment of that name.
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
/// **Where.** A subsegment stands below what is current where its span is made, or below the span that is named as its
/// `parent:`. While the span is entered the subsegment is what is [current](crate::current), whatever thread that is
/// on: calls that are traced, annotations and further spans land in it, and a future with `.instrument(span)` needs no
/// `.in_current_trace()`. A span that is made outside any segment belongs to the one in which it is first entered, so
/// `work().instrument(span).in_segment("shop")` is as good as the other order. A span with `parent: None` is left
/// alone, and so is one that is first entered outside any segment. Segments are not made here. Where another segment
/// is current, a span whose segment has ended does not take its place.
///
/// **When.** From where the span is first entered to where it is last left (from where it is made, if that never
/// happens), sent when it is closed. A panic that leaves the span is recorded.
///
/// **What.** Fields are annotations, also those that are recorded later; characters that X-Ray does not take in a key
/// are `_` (`http.method` is `http_method`), and what is neither a number, a boolean nor a string is recorded as its
/// `Debug` or `Display` says. A field that is an error, `error = &e as &dyn Error`, and any that is named `error` or
/// `err` and says what is wrong, is recorded as by [`record_error`](crate::Context::record_error), and so is an event
/// of the level `ERROR`: by its error if it has one, as `#[instrument(err)]` gives it, else by its message. The event
/// counts for the innermost of its spans that is a subsegment. Of one span 16 errors are recorded, what is more is
/// counted.
///
/// **Which.** Spans at `INFO` and above; see [`with_max_level`](Self::with_max_level). To choose more finely give the
/// layer a filter of its own, `.with_filter(..)` of [`tracing_subscriber::Layer`]; a span that it leaves out is as if
/// it were not there. Such a filter also tells `tracing` what nobody listens to, which the layer alone cannot.
///
/// Below a segment that is not sampled a span only carries that along. Formatting of fields that panics is kept from
/// the program.
#[derive(Debug, Clone, Copy)]
pub struct SubsegmentLayer {
    max_level: LevelFilter,
    with_fields: bool,
}

impl SubsegmentLayer {
    /// A layer for spans at `INFO` and above, with their fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_level: LevelFilter::INFO, with_fields: true }
    }

    /// The least important level of spans that become subsegments; `INFO` unless set, because at `DEBUG` and `TRACE`
    /// the clients' own libraries have spans.
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

    /// Whether fields become annotations; they do unless set otherwise.
    ///
    /// `#[instrument]` makes a field of every argument, and X-Ray indexes 50 annotations of a trace. What a field says
    /// is recorded as it is, a URL with its query too. Errors are recorded in any case.
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

// A span's extensions are locked only to look at them or to exchange something: all else runs the program's own code
// (what formats its fields, its logger, its emitter), and that may come to the same span.
impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SubsegmentLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, subscription: Subscription<'_, S>) {
        let metadata = attributes.metadata();
        if attributes.is_root() || *metadata.level() > self.max_level {
            return;
        }
        let Some(span) = subscription.span(id).filter(|span| !is_known(span)) else { return };
        let named = attributes.parent().and_then(|id| subscription.span(id));
        let named = named.and_then(|parent| parent.scope().find_map(|span| part(&span)));
        let parent = named.map_or_else(context::current, |part| part.context().clone());
        let fields = || self.read(|visitor| attributes.record(visitor));
        if parent.entity().is_some() {
            let part = Part::begin(&parent, metadata.name(), fields);
            span.extensions_mut().insert(part);
        } else if !Recorder::is_known_to_be_off() {
            let waiting = Waiting(fields());
            span.extensions_mut().insert(waiting);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, subscription: Subscription<'_, S>) {
        let Some(span) = subscription.span(id).filter(|span| is_known(span)) else { return };
        let fields = || self.read(|visitor| values.record(visitor));
        if let Some(part) = part(&span) {
            return part.record(fields);
        }
        let fields = fields();
        if let Some(Waiting(waiting)) = span.extensions_mut().get_mut() {
            waiting.extend(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, subscription: Subscription<'_, S>) {
        if *event.metadata().level() == Level::ERROR {
            let mut spans = subscription.event_scope(event).into_iter().flatten();
            if let Some(part) = spans.find_map(|span| part(&span)) {
                part.record_error(|| ErrorOfEvent::read(|visitor| event.record(visitor)));
            }
        }
    }

    fn on_enter(&self, id: &Id, subscription: Subscription<'_, S>) {
        if let Some(part) = subscription.span(id).and_then(|span| part_entered(&span)) {
            part.enter();
            entered::enter(part.context());
        }
    }

    fn on_exit(&self, id: &Id, subscription: Subscription<'_, S>) {
        if let Some(part) = subscription.span(id).and_then(|span| part(&span)) {
            part.leave(entered::exit(part.context()));
        }
    }

    fn on_close(&self, id: Id, subscription: Subscription<'_, S>) {
        let part = subscription.span(&id).and_then(|span| span.extensions_mut().remove::<Arc<Part>>());
        // The subsegment ends here, where nothing is locked.
        drop(part);
    }
}
