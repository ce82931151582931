//! The layer that turns spans into subsegments.

use std::sync::Arc;

use tracing_core::field::Visit;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Level, LevelFilter, Subscriber};
use tracing_subscriber::layer::{Context as Subscription, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::aws_span::{AwsSpan, is_inside_an_operation};
use super::entered;
use super::fields::{ErrorOfEvent, Fields};
use super::names::FieldNames;
use super::query::{Queries, is_query};
use super::span::{SpanSubsegment, Waiting, entered_span_subsegment, is_known, span_subsegment};
use crate::integrations::database::Database;
use crate::live::context;
use crate::recorder::Recorder;
use crate::support::secrets::SECRET_NAMES;

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
/// **Parent.** The parent of the subsegment is the segment or subsegment that is current when the span is created, or
/// that of the span given as `parent:`. While the span is entered, on whatever thread, its subsegment is
/// [current](crate::current): traced calls, annotations and further spans go into it, and a future with
/// `.instrument(span)` needs no `.in_current_trace()`. A span that is created outside any segment belongs to the
/// segment in which it is first entered, so both orders of `work().instrument(span).in_segment("shop")` work. The layer
/// ignores a span with `parent: None`, and a span that is first entered outside any segment. It opens no segments. A
/// span whose segment has ended does not replace another segment that is current.
///
/// **Time.** The subsegment lasts from the first entry of the span to its last exit, or from its creation if the span
/// is never entered. It is sent when the span is closed. A panic that unwinds through the span is recorded.
///
/// Some libraries spawn a task in the current span that lives longer than the work in the span: hyper does so for a
/// pooled connection. The time of such a task does not count. It is recognized by two signs: it is another task of
/// tokio than the one that entered the span first, and it has no segment of its own. A span that such a task holds is
/// still open when its work has ended. Its subsegment then ends together with its parent, provided that the parent ends
/// in the task that entered the span first. Otherwise it ends when the span is closed. To record the time of a task,
/// give it a span of its own, or carry the segment into it by
/// [`in_current_trace`](crate::Instrument::in_current_trace).
///
/// **Content.** Fields become annotations, including fields that are recorded later. Characters that X-Ray refuses in a
/// key become `_` (`http.method` becomes `http_method`). A value that is neither a number, a boolean nor a string is
/// recorded as its `Debug` or `Display` text. Three things are recorded as errors, as by
/// [`record_error`](crate::Context::record_error): a field that is an error (`error = &e as &dyn Error`); a field named
/// `error` or `err`; and an event of the level `ERROR`, by its error field or else by its message. The event belongs to
/// the innermost of its spans that has a subsegment. A subsegment records 16 errors; further ones are counted.
///
/// **Selection.** Spans of the level `INFO` and above become subsegments; see [`with_max_level`](Self::with_max_level).
/// For a finer selection use `.with_filter(..)` of [`tracing_subscriber::Layer`]: the layer does not see spans that the
/// filter excludes. A filter also lets `tracing` skip disabled spans early, which the layer alone cannot.
///
/// **The AWS SDK.** A span of an operation, which has the field `rpc.system = "aws-api"`, becomes a subsegment of the
/// namespace `aws` with the service as its name and the operation. Its fields do not become annotations, its level
/// counts as `INFO`, and the SDK's spans inside it become no subsegments. With the feature `aws-sdk`, the attribute or
/// an interceptor adds the rest to this subsegment: parameters, status and errors.
///
/// # Queries
///
/// sqlx 0.8 and 0.9, and sea-orm on top of sqlx, send an event at the end of each query. The event has the duration of
/// the query and its numbers of rows. The layer records the query as a subsegment of the current segment or subsegment,
/// with the namespace `remote` and an `sql` block. The numbers of rows are in the metadata, in the namespace `sql`.
/// [`with_database`](Self::with_database) names the database, and [`with_statements`](Self::with_statements) records
/// the statements.
///
/// The events have the target `sqlx::query` and the level `DEBUG` (from sea-orm `INFO`; slow queries `WARN`). Filters
/// and `ConnectOptions::log_statements` must let these events through. The events contain neither the database nor the
/// error of a failed query, so the layer cannot record them. Each SQLite connection has its own thread, which enters
/// the caller's span but not the caller's segment. So a query of SQLite is recorded only inside a span, such as the
/// span of `#[instrument]`.
///
/// # More
///
/// Below a segment that is not sampled, a span only carries the context, and its errors may count for a
/// [boost](crate::sampling::Central). A panic in the formatting of a field does not reach the program.
///
/// **Secrets.** `#[instrument]` makes a field of every argument of a function. The layer leaves out each field whose
/// name suggests a secret, such as `password`, `access_token` or `http.request.header.authorization`: see
/// [`SECRET_NAMES`](Self::SECRET_NAMES) and [`with_secret_names`](Self::with_secret_names). In the text of the other
/// fields and of errors, URLs lose their user name, password, query and fragment, and a value whose name suggests a
/// secret is replaced by `[removed]`. The layer cannot find a secret that neither has such a name nor is in a URL, such
/// as the key in an argument `value`. [`with_only_fields`](Self::with_only_fields) records only the fields that you
/// list, and `#[instrument(skip(value))]` makes no field of an argument.
#[derive(Debug, Clone)]
pub struct SubsegmentLayer {
    max_level: LevelFilter,
    names: FieldNames,
    queries: Queries,
}

impl SubsegmentLayer {
    /// The names of fields that suggest a secret, unless [`with_secret_names`](Self::with_secret_names) sets others.
    ///
    /// A name matches if it contains a listed name as whole words, in the singular or plural, in upper or lower case,
    /// with any separators: `api_key` matches `api_key`, `X-Api-Keys` and `stripeApiKey`. A number under a name in the
    /// plural is a count and is recorded: `max_tokens = 100`.
    pub const SECRET_NAMES: &'static [&'static str] = SECRET_NAMES;

    /// Returns a layer for spans of the level `INFO` and above, with their fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_level: LevelFilter::INFO, names: FieldNames::new(), queries: Queries::new() }
    }

    /// Sets the most verbose level of spans that become subsegments. The default is `INFO`, because libraries such as
    /// HTTP clients have spans of their own at `DEBUG` and `TRACE`.
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
    /// `#[instrument]` makes a field of every argument, and X-Ray indexes 50 annotations of a trace. Errors are
    /// recorded regardless of this setting.
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = xray::tracing::SubsegmentLayer::new().with_fields(false);
    /// let _guard = tracing_subscriber::registry().with(layer).set_default();
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = xray::Segment::builder("shop").begin();
    ///     segment.in_scope(|| tracing::info_span!("log in", user = "me").in_scope(|| {}));
    /// });
    /// assert!(documents[0].subsegments[0].annotations.is_empty());
    /// ```
    #[must_use]
    pub fn with_fields(mut self, with_fields: bool) -> Self {
        self.names.with_fields = with_fields;
        self
    }

    /// Sets the names of fields that suggest a secret, in place of [`SECRET_NAMES`](Self::SECRET_NAMES). Such fields
    /// are never recorded.
    ///
    /// The names may be in any form: `api_key`, `api-key` or `apiKey`. The list holds for the names of fields. What is
    /// removed from the text of a field does not depend on it.
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    /// use xray::tracing::SubsegmentLayer;
    ///
    /// let names = SubsegmentLayer::SECRET_NAMES.iter().copied().chain(["iban"]);
    /// let layer = SubsegmentLayer::new().with_secret_names(names);
    /// let _guard = tracing_subscriber::registry().with(layer).set_default();
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = xray::Segment::builder("shop").begin();
    ///     segment.in_scope(|| tracing::info_span!("pay", order = 7, customer.iban = "DE02..", token = "..").in_scope(|| {}));
    /// });
    /// assert!(documents[0].subsegments[0].annotations.keys().eq(["order"]));
    /// ```
    #[must_use]
    pub fn with_secret_names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names.set_secret(names.into_iter().map(Into::into));
        self
    }

    /// Records only the fields with these names as annotations. A listed name that suggests a secret is left out
    /// nevertheless, and errors are recorded whether they are listed or not.
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = xray::tracing::SubsegmentLayer::new().with_only_fields(["order", "http.method"]);
    /// let _guard = tracing_subscriber::registry().with(layer).set_default();
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     let segment = xray::Segment::builder("shop").begin();
    ///     segment.in_scope(|| tracing::info_span!("pay", order = 7, customer = "me").in_scope(|| {}));
    /// });
    /// assert!(documents[0].subsegments[0].annotations.keys().eq(["order"]));
    /// ```
    #[must_use]
    pub fn with_only_fields<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names.set_only(names.into_iter().map(Into::into));
        self
    }

    /// Sets the URL of the database that the program queries; see [Queries](Self#queries). Credentials are not
    /// recorded.
    ///
    /// The subsegment of a query has the name `database@host`; for SQLite, the name of the file. Without this setting
    /// the name is `SQL`. The events of sqlx do not contain the database, so the setting applies to all queries of the
    /// program.
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = xray::tracing::SubsegmentLayer::new().with_database("postgres://app:secret@db.example.com/shop");
    /// let _guard = tracing_subscriber::registry().with(layer).set_default();
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     xray::Segment::builder("shop").begin().in_scope(|| {
    ///         // sqlx sends this event when a query has ended.
    ///         tracing::debug!(target: "sqlx::query", summary = "SELECT 1", rows_returned = 1, elapsed_secs = 0.25);
    ///     });
    /// });
    /// let query = &documents[0].subsegments[0];
    /// assert_eq!(query.name, "shop@db.example.com");
    /// assert_eq!(query.sql.as_ref().unwrap().url.as_deref(), Some("postgres://db.example.com/shop"));
    /// ```
    #[must_use]
    pub fn with_database(mut self, url: impl AsRef<str>) -> Self {
        self.queries.database = Some(Box::new(Database::of_url(url.as_ref())));
        self
    }

    /// Sets whether the text of statements is recorded; the default is `false`. See [Queries](Self#queries).
    ///
    /// Values that the program passes to `bind` are not part of the statement. Texts and numbers in the statement are
    /// replaced by `?`, and comments are left out. `"text"` in double quotes is a name in PostgreSQL and SQLite, and is
    /// kept, even where SQLite reads it as a value because no column has this name. For any other or an unknown
    /// [database](Self::with_database), it is replaced too.
    ///
    /// ```
    /// use tracing_subscriber::prelude::*;
    ///
    /// let layer = xray::tracing::SubsegmentLayer::new().with_statements(true);
    /// let _guard = tracing_subscriber::registry().with(layer).set_default();
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     xray::Segment::builder("shop").begin().in_scope(|| {
    ///         let summary = "SELECT id FROM users WHERE name = 'Ada' AND age > $1";
    ///         tracing::debug!(target: "sqlx::query", summary, elapsed_secs = 0.25);
    ///     });
    /// });
    /// let statement = documents[0].subsegments[0].sql.as_ref().unwrap().sanitized_query.clone();
    /// assert_eq!(statement.as_deref(), Some("SELECT id FROM users WHERE name = ? AND age > $1"));
    /// ```
    #[must_use]
    pub fn with_statements(mut self, has_statements: bool) -> Self {
        self.queries.has_statements = has_statements;
        self
    }

    fn read(&self, record: impl FnOnce(&mut dyn Visit)) -> Fields {
        Fields::read(&self.names, record)
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
        let aws = AwsSpan::of(attributes);
        // The SDK has its spans at DEBUG, below which libraries are not recorded by default.
        let level = if aws.is_some() { &Level::INFO } else { metadata.level() };
        if attributes.is_root() || *level > self.max_level || (aws.is_none() && is_inside_an_operation(metadata)) {
            return;
        }
        let Some(span) = subscription.span(id).filter(|span| !is_known(span)) else { return };
        let named = attributes.parent().and_then(|id| subscription.span(id));
        let named = named.and_then(|parent| parent.scope().find_map(|span| span_subsegment(&span)));
        let parent = named.map_or_else(context::current, |parent| parent.context().clone());
        let fields = || self.read(|visitor| attributes.record(visitor));
        if parent.entity().is_some() {
            let begun = match aws {
                Some(aws) => aws.begin(&parent),
                None => SpanSubsegment::begin(&parent, metadata.name(), fields),
            };
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
        let innermost = || {
            let mut spans = subscription.event_scope(event).into_iter().flatten();
            spans.find_map(|span| span_subsegment(&span))
        };
        if is_query(event.metadata()) {
            // The thread of an SQLite connection enters the caller's span. If that span is not a subsegment, it makes
            // no subsegment current. The spans of sea-orm are an example, because their level is `TRACE`.
            let current = context::current();
            let is_known = current.entity().is_some();
            let parent = if is_known { None } else { innermost() };
            self.queries.record(event, parent.as_ref().map_or(&current, |span| span.context()));
        } else if *event.metadata().level() == Level::ERROR {
            if let Some(innermost) = innermost() {
                innermost.record_error(|| ErrorOfEvent::read(&self.names, |visitor| event.record(visitor)));
            }
        }
    }

    fn on_enter(&self, id: &Id, subscription: Subscription<'_, S>) {
        if let Some(entering) = subscription.span(id).and_then(|span| entered_span_subsegment(&span)) {
            let is_own = entering.enter();
            entered::enter(entering.context(), is_own);
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
