//! Segments and subsegments in the hands of their owners.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

use crate::document::http::recorded_method;
use crate::document::name::legal_name;
use crate::document::url::Url;
use crate::document::{Aws, Sdk};
use crate::header::trace_header::{Sampled, TraceHeader};
use crate::header::trust::Trust;
use crate::id::{Process, SegmentId};
use crate::live::context::{self, Context};
use crate::live::entity::Entity;
use crate::live::facade::{self, Incoming};
use crate::live::missing;
use crate::live::trace::Trace;
use crate::record::{ClientData, Label, Place, Record};
use crate::recorder::Recorder;
use crate::sampling::{Decision, SamplingRequest};

/// A segment: the work of this service on one request. It ends when it is dropped, or at [`end`](Self::end).
///
/// It has the methods of [`Context`], its handle. It does nothing if tracing is disabled.
///
/// ```
/// use xray::{Segment, TraceHeader};
///
/// let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
/// # xray::Recorder::builder().sampler(xray::sampling::Always).emitter(xray::emitter::MemoryEmitter::new()).install().unwrap();
/// let segment = Segment::builder("todo-app").trace_header(&header).begin();
/// segment.annotate("tier", "gold");
/// segment.in_scope(|| assert_eq!(xray::trace_id(), header.root));
/// let part = segment.subsegment("render");
/// part.end();
/// segment.end();
/// ```
#[must_use = "a segment ends when it is dropped"]
pub struct Segment {
    context: Context,
    /// The entity that ends with this value. `None` if there is nothing to end; `context` then names the surrounding
    /// segment, or nothing.
    owned: Option<Arc<Entity>>,
}

impl Segment {
    /// Returns a builder for a segment of this name. The name is the service's logical name: a node of the service
    /// graph.
    ///
    /// Characters that X-Ray refuses are removed; if no character remains, the segment has the recorder's service name.
    /// At most 200 characters are recorded. A name that had to change is counted in
    /// [`Stats::values_rejected`](crate::Stats::values_rejected).
    ///
    /// The variable `AWS_XRAY_TRACING_NAME` does not override this name. For a segment with the name of the service,
    /// use [`SegmentBuilder::default()`](SegmentBuilder).
    pub fn builder(name: impl Into<String>) -> SegmentBuilder {
        SegmentBuilder { name: name.into(), ..SegmentBuilder::default() }
    }

    /// Returns a facade: a stand-in for a segment that another process sends. For example, Lambda itself sends the
    /// segment of each invocation.
    ///
    /// `header` is the value of the `X-Amzn-Trace-Id` that names the segment. Its `Root` is the trace, its `Parent` the
    /// segment, and its `Sampled` the decision, so that the sampler is not asked. A subsegment that ends below the
    /// facade is sent at once, as a document of its own. The facade is never sent: annotations, errors and users that
    /// are written to it are left out and counted. If the header has no `Parent` or no decision, nothing is recorded,
    /// and requests carry the header unchanged. (Lambda developer guide, "Visualize Lambda function invocations using
    /// AWS X-Ray".)
    ///
    /// For a function on `lambda_runtime`, the layer `xray::lambda::TraceLayer` does this. By hand, put one facade
    /// around the handler's future for each invocation:
    ///
    /// ```
    /// use xray::{Instrument as _, Segment};
    ///
    /// # struct LambdaContext { xray_trace_id: Option<String> }
    /// # async fn handler() {}
    /// async fn invoke(context: &LambdaContext) {
    ///     let header = context.xray_trace_id.as_deref().unwrap_or_default();
    ///     handler().in_subsegment("handler").in_segment(Segment::facade(header)).await
    /// }
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// # let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1";
    /// # let context = LambdaContext { xray_trace_id: Some(header.to_owned()) };
    /// let ((), documents) = xray::testing::capture(invoke(&context)).await;
    /// assert_eq!(documents[0].name, "handler");
    /// assert_eq!(documents[0].parent_id.unwrap().to_string(), "53995c3f42cd8ad8");
    /// # });
    /// ```
    pub fn facade(header: &str) -> Self {
        Self::facade_of(context::current().recorder(), header)
    }

    /// Returns a facade that records with `recorder`; see [`facade`](Self::facade).
    pub(crate) fn facade_of(recorder: &Recorder, header: &str) -> Self {
        let context = facade::of(recorder, header);
        let owned = context.entity().cloned();
        Self { context, owned }
    }

    /// Ends the segment now. A segment can be ended once:
    ///
    /// ```compile_fail,E0382
    /// let segment = xray::Segment::builder("todo-app").begin();
    /// segment.end();
    /// segment.end();
    /// ```
    pub fn end(self) {
        drop(self);
    }
}

/// Settings of a [`Segment`].
///
/// The default is a segment without a name, which takes the name of the service: `AWS_XRAY_TRACING_NAME`, else
/// [`service_name`](crate::RecorderBuilder::service_name), else the name of the program.
///
/// ```
/// use xray::emitter::MemoryEmitter;
/// use xray::sampling::Always;
/// use xray::{Recorder, SegmentBuilder};
///
/// let emitter = MemoryEmitter::new();
/// let builder = Recorder::builder().service_name("todo-app").sampler(Always);
/// let recorder = builder.emitter(emitter.clone()).build();
/// SegmentBuilder::default().recorder(&recorder).begin().end();
/// assert_eq!(emitter.take()[0].name, "todo-app");
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `begin`"]
pub struct SegmentBuilder {
    name: String,
    header: TraceHeader,
    trust: Trust,
    sampled: Option<bool>,
    recorder: Option<Recorder>,
    // Boxed, because a builder may be kept in a future, and most futures serve no request.
    served: Option<Box<ServedRequest>>,
}

/// The request that a segment serves.
#[derive(Debug, Clone)]
struct ServedRequest {
    // For sampling rules, which see the whole path and host; a document holds 250 characters of the URL.
    host: Option<String>,
    path: String,
    method: Cow<'static, str>,
    url: String,
}

impl ServedRequest {
    fn sampling_request<'a>(&'a self, service_name: &'a str) -> SamplingRequest<'a> {
        let request = SamplingRequest::new(service_name).with_method(&self.method).with_path(&self.path);
        self.host.iter().fold(request, |request, host| request.with_host(host))
    }

    /// Writes the request to a record. `complete` adds the data of the client.
    fn record(self, record: &mut Record, kind: EntityKind, complete: impl FnOnce(&mut ClientData, EntityKind)) {
        record.method = Some(self.method);
        record.label = record.label.and_url(&self.url);
        let mut client = ClientData::default();
        complete(&mut client, kind);
        if client != ClientData::default() {
            record.details_mut().client = client;
        }
    }
}

impl SegmentBuilder {
    /// Continues the trace of an incoming request: its id, its parent, and its sampling decision, if any.
    pub fn trace_header(mut self, header: &TraceHeader) -> Self {
        self.header = header.clone();
        self
    }

    /// Sets how much of the [trace header](Self::trace_header) is used; the default is [`Trust::All`].
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Sets whether the segment is recorded, instead of asking the sampler.
    ///
    /// A decision in the trace header takes precedence, so that a trace is recorded as a whole or not at all.
    ///
    /// ```
    /// use xray::{Segment, TraceHeader};
    ///
    /// # xray::Recorder::builder().sampler(xray::sampling::Always).emitter(xray::emitter::MemoryEmitter::new()).install().unwrap();
    /// assert!(Segment::builder("nightly-job").sampled(true).begin().is_sampled());
    ///
    /// let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
    /// assert!(!Segment::builder("nightly-job").trace_header(&header).sampled(true).begin().is_sampled());
    /// ```
    pub fn sampled(mut self, sampled: bool) -> Self {
        self.sampled = Some(sampled);
        self
    }

    /// Sets the recorder. By default a segment uses the recorder of the surrounding context, or that of the process.
    pub fn recorder(mut self, recorder: &Recorder) -> Self {
        self.recorder = Some(recorder.clone());
        self
    }

    /// Sets the request that the segment serves.
    ///
    /// The request is [recorded](Context::set_http_request). The sampler, if it is asked, sees the method, and the host
    /// and path of the URL.
    ///
    /// ```
    /// use xray::Segment;
    ///
    /// let ((), documents) = xray::testing::capture_blocking(|| {
    ///     Segment::builder("shop").request("GET", "https://shop.example.com/cart?token=secret").begin().end();
    /// });
    /// let request = documents[0].http.as_ref().and_then(|http| http.request.as_ref()).unwrap();
    /// assert_eq!(request.url.as_deref(), Some("https://shop.example.com/cart"));
    /// ```
    pub fn request<'a>(mut self, method: &str, url: impl Into<Url<'a>>) -> Self {
        let url = url.into();
        let path = if url.path().is_empty() { "/" } else { url.path() };
        self.served = Some(Box::new(ServedRequest {
            host: url.host().map(Cow::into_owned),
            path: path.to_owned(),
            method: recorded_method(method),
            url: url.recorded(),
        }));
        self
    }

    /// Begins the segment now. Asks the sampler if neither the trace header nor [`sampled`](Self::sampled) decides.
    ///
    /// In Lambda this begins a subsegment of the current segment or subsegment, so that a program runs in Lambda as
    /// elsewhere. Lambda decides about a [request](Self::request), so the request's header is not used, unless it is
    /// the header of the invocation behind the Lambda Web Adapter. A segment without a request, such as that of a
    /// message, remains a segment in two cases: its header names another trace and has a decision, or its header says
    /// `Sampled=1` and the invocation is not recorded.
    pub fn begin(self) -> Segment {
        self.begin_with(|_, _| ())
    }

    /// Begins the segment now; see [`begin`](Self::begin). If the segment is recorded, `complete` adds the data of the
    /// client.
    ///
    /// The second argument of `complete` is the kind of the entity: in Lambda it is a subsegment.
    pub(crate) fn begin_with(mut self, complete: impl FnOnce(&mut ClientData, EntityKind)) -> Segment {
        let current = context::current();
        let recorder = self.recorder.take().unwrap_or_else(|| current.recorder().clone());
        if !recorder.is_enabled() {
            return Segment { context: Context::default(), owned: None };
        }
        recorder.log_settings_once();
        // Notices a fork before the first id is made.
        let _ = Process::current();
        let name = recorder.segment_name(&self.name);
        let incoming = Incoming { header: &self.header, trust: self.trust, serves_request: self.served.is_some() };
        if let Some(invocation) = facade::invocation(&current, &recorder, &incoming, &name) {
            let (context, owned) = begin_below(&invocation, |trace| {
                let mut record = Record::new(SegmentId::next(), Label::named(&name), trace.now());
                if let Some(served) = self.served {
                    served.record(&mut record, EntityKind::Subsegment, complete);
                }
                record
            });
            return Segment { context, owned };
        }
        self.header = self.trust.limit(self.header);
        let Decision { sampled, rule_name, rule, watch } = self.decide(&recorder, &name);
        self.header = self.header.with_rule(rule);
        let id = SegmentId::next();
        recorder.count_segment(sampled);
        let trace = Trace::new(recorder, &self.header, id, sampled).watched(watch);
        if !sampled {
            let recorder = trace.recorder();
            recorder.log_unsampled(&name, trace.id(), || self.why_unsampled(recorder, rule_name.as_deref()));
        }
        let record = sampled.then(|| {
            let mut record = Record::new(id, Label::named(&name), trace.now());
            // The id of a parent is unique only within its trace.
            record.place = Some(Place::of_segment(trace.id(), self.header.root.and(self.header.parent)));
            record.details_mut().aws = Some(Box::new(Aws { xray: Some(Sdk::this(rule_name)), ..Aws::default() }));
            if let Some(served) = self.served {
                served.record(&mut record, EntityKind::Segment, complete);
            }
            record
        });
        let segment = Entity::segment(trace, id, record);
        Segment { context: Context::of_entity(Arc::clone(&segment)), owned: Some(segment) }
    }

    /// Returns why the segment is not recorded, for the log.
    fn why_unsampled(&self, recorder: &Recorder, rule_name: Option<&str>) -> String {
        match (self.header.sampled, self.sampled, rule_name) {
            (Some(Sampled::No), _, _) => "by the caller, whose trace header says Sampled=0".to_owned(),
            (_, Some(false), _) => "by the program: `sampled(false)`".to_owned(),
            (_, _, Some(rule)) => format!("by rule `{rule}`"),
            (_, _, None) if recorder.is_in_lambda() => "in Lambda: the trace header has no decision".to_owned(),
            (_, _, None) => format!("by the sampler `{}`", recorder.sampler_name()),
        }
    }

    fn decide(&self, recorder: &Recorder, name: &str) -> Decision {
        let by_header = match self.header.sampled {
            Some(Sampled::Yes) => Some(true),
            Some(Sampled::No) => Some(false),
            Some(Sampled::Requested) | None => None,
        };
        if let Some(sampled) = by_header.or(self.sampled) {
            let watch = recorder.watch_of_caller(&self.header, name);
            return Decision { sampled, rule_name: None, rule: self.header.rule(), watch };
        }
        let served = self.served.as_ref();
        let request = served.map_or_else(|| SamplingRequest::of_job(name), |served| served.sampling_request(name));
        recorder.decide(&request)
    }
}

/// The kind of entity that a [`SegmentBuilder`] begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntityKind {
    Segment,
    Subsegment,
}

/// A subsegment: a part of the work of a segment. It ends when it is dropped, or at [`end`](Self::end).
///
/// It has the methods of [`Context`], its handle. It does nothing below a segment that is not sampled.
///
/// ```
/// let ((), documents) = xray::testing::capture_blocking(|| {
///     let segment = xray::Segment::builder("todo-app").begin();
///     let render = segment.subsegment("render");
///     render.add_metadata("template", "todo.html");
/// });
/// assert_eq!(documents[0].subsegments[0].name, "render");
/// ```
#[must_use = "a subsegment ends when it is dropped"]
pub struct Subsegment {
    context: Context,
    /// The entity that ends with this value. `None` if nothing is recorded; `context` then names the parent.
    owned: Option<Arc<Entity>>,
}

impl Context {
    /// Begins a subsegment. It ends when it is dropped, or at [`end`](Subsegment::end).
    ///
    /// If the handle is empty, because no segment is open, nothing is recorded. That is logged, once for each place in
    /// the source: see [`ContextMissing`](crate::ContextMissing).
    #[must_use = "a subsegment ends when it is dropped"]
    #[track_caller]
    pub fn subsegment(&self, name: impl AsRef<str>) -> Subsegment {
        self.note_missing_at(Location::caller(), name.as_ref());
        self.begin_subsegment(name)
    }

    /// Logs that a subsegment does not begin here, if the handle is empty.
    #[inline]
    pub(crate) fn note_missing_at(&self, place: &'static Location<'static>, name: &str) {
        if self.entity().is_none() {
            missing::log_subsegment_by_hand(place, name);
        }
    }

    /// Begins a subsegment, and logs nothing if the handle is empty.
    pub(crate) fn begin_subsegment(&self, name: impl AsRef<str>) -> Subsegment {
        /// The name of a subsegment whose given name has no legal character.
        const NAMELESS: &str = "subsegment";
        Subsegment::begin(self, |trace| {
            let given = name.as_ref();
            let name = legal_name(given).unwrap_or(Cow::Borrowed(NAMELESS));
            trace.recorder().report_name(given, &name);
            Record::new(SegmentId::next(), Label::named(&name), trace.now())
        })
    }
}

impl Subsegment {
    /// Begins a subsegment of the entity that `parent` names. Calls `record` only if the trace is sampled.
    pub(crate) fn begin(parent: &Context, record: impl FnOnce(&Trace) -> Box<Record>) -> Self {
        let (context, owned) = begin_below(parent, record);
        Self { context, owned }
    }

    /// Begins a subsegment that is not recorded, below an entity of any trace.
    pub(crate) fn without_sampling(parent: &Context) -> Self {
        let unsampled = parent.entity().map(Entity::unsampled);
        Self { context: unsampled.map_or_else(|| parent.clone(), Context::of_entity), owned: None }
    }

    /// Returns the current segment or subsegment as one that the caller does not own: dropping it ends nothing.
    pub(crate) fn of_current() -> Self {
        Self { context: context::current(), owned: None }
    }

    /// Ends the subsegment now.
    pub fn end(self) {
        drop(self);
    }

    /// Returns the entity that ends with this value; `None` if nothing is recorded.
    #[cfg(feature = "tracing")]
    pub(crate) fn owned(&self) -> Option<&Arc<Entity>> {
        self.owned.as_ref()
    }
}

/// Begins a subsegment of the entity that `parent` names. Returns the parent's context and no entity if the trace is
/// not sampled.
fn begin_below(parent: &Context, record: impl FnOnce(&Trace) -> Box<Record>) -> (Context, Option<Arc<Entity>>) {
    let Some(entity) = parent.sampled_entity() else { return (parent.clone(), None) };
    let entity = entity.subsegment(record(entity.trace()));
    (Context::of_entity(Arc::clone(&entity)), Some(entity))
}

/// Implements what `Segment` and `Subsegment` share: the methods of `Context`, the end at the drop, and `Debug`.
macro_rules! owner {
    ($owner:ident) => {
        impl Deref for $owner {
            type Target = Context;

            fn deref(&self) -> &Context {
                &self.context
            }
        }

        impl Drop for $owner {
            fn drop(&mut self) {
                if let Some(entity) = &self.owned {
                    entity.end();
                }
            }
        }

        impl fmt::Debug for $owner {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_tuple(stringify!($owner)).field(&self.context).finish()
            }
        }
    };
}

owner!(Segment);
owner!(Subsegment);
