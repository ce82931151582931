//! Segments and subsegments as their owners hold them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::document::http::recorded_method;
use crate::document::name::legal_name;
use crate::document::url::Url;
use crate::document::{Aws, Document, Http, HttpRequest, Sdk};
use crate::header::trace_header::{Sampled, TraceHeader};
use crate::id::SegmentId;
use crate::live::context::{self, Context};
use crate::live::entity::{Entity, Trace};
use crate::live::facade;
use crate::recorder::Recorder;
use crate::sampling::{Decision, SamplingRequest};

/// A segment: the work of this service on one request. It ends when it is dropped, or at [`end`](Self::end).
///
/// It has the methods of [`Context`], its handle. In a process in which tracing is disabled it does nothing.
///
/// ```
/// use xray::{Segment, TraceHeader};
///
/// let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
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
    /// What it ends; `None` where there is nothing to end, and `context` is what is around it.
    owned: Option<Arc<Entity>>,
}

impl Segment {
    /// Settings for a segment of this name: the service's logical name, a node of the service graph.
    ///
    /// Characters that X-Ray does not take are left out; where nothing is left, the recorder's service name stands. At
    /// most 200 characters are recorded. A name that cannot stay as it is is counted.
    pub fn builder(name: impl Into<String>) -> SegmentBuilder {
        SegmentBuilder {
            name: name.into(),
            header: TraceHeader::default(),
            sampled: None,
            recorder: None,
            request: None,
        }
    }

    /// A segment that somebody else sends: in Lambda the service itself sends that of each invocation.
    ///
    /// `header` is the value of `X-Amzn-Trace-Id` that names it: the trace as its `Root`, the segment as its `Parent`, and
    /// the decision as `Sampled`; the sampler is not asked. What ends inside leaves at once as an independent subsegment.
    /// The facade itself is never sent, so what is written to it (annotations, errors, a user) is left out and counted.
    /// Where the header has no `Parent` or no decision, nothing is recorded and requests carry it untouched.
    /// (Lambda developer guide, "Visualize Lambda function invocations using AWS X-Ray".)
    ///
    /// For a function on `lambda_runtime` the layer `xray::lambda::TraceLayer` does this. By hand it is one for each
    /// invocation, around the handler's future:
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

    /// The same with this recorder.
    pub(crate) fn facade_of(recorder: &Recorder, header: &str) -> Self {
        let context = facade::of(recorder, header);
        let owned = context.entity().cloned();
        Self { context, owned }
    }

    /// Ends it now. It does so once:
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
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `begin`"]
pub struct SegmentBuilder {
    name: String,
    header: TraceHeader,
    sampled: Option<bool>,
    recorder: Option<Recorder>,
    request: Option<ServedRequest>,
}

/// What a builder keeps of the request that its segment serves.
#[derive(Debug, Clone)]
struct ServedRequest {
    method: Cow<'static, str>,
    host: Option<String>,
    path: String,
    url: String,
}

impl ServedRequest {
    fn sampling_request<'a>(&'a self, service_name: &'a str) -> SamplingRequest<'a> {
        let request = SamplingRequest::new(service_name).with_method(&self.method).with_path(&self.path);
        self.host.iter().fold(request, |request, host| request.with_host(host))
    }

    fn into_block(self) -> Http {
        let (method, url) = (Some(self.method), Some(self.url));
        Http { request: Some(HttpRequest { method, url, ..HttpRequest::default() }), response: None }
    }
}

impl SegmentBuilder {
    /// Goes on with the trace of an incoming request: its id, its parent, its sampling decision if it has one.
    pub fn trace_header(mut self, header: &TraceHeader) -> Self {
        self.header = header.clone();
        self
    }

    /// Decides in place of the sampler whether the segment is recorded.
    ///
    /// A decision in the trace header goes before it, so that a trace is recorded as a whole or not at all.
    ///
    /// ```
    /// use xray::{Segment, TraceHeader};
    ///
    /// assert!(Segment::builder("nightly-job").sampled(true).begin().is_sampled());
    ///
    /// let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0");
    /// assert!(!Segment::builder("nightly-job").trace_header(&header).sampled(true).begin().is_sampled());
    /// ```
    pub fn sampled(mut self, sampled: bool) -> Self {
        self.sampled = Some(sampled);
        self
    }

    /// Records with this recorder, not with the one of the surrounding context or the process.
    pub fn recorder(mut self, recorder: &Recorder) -> Self {
        self.recorder = Some(recorder.clone());
        self
    }

    /// The request that the segment serves: it is [recorded](Context::set_http_request), and a sampler that is asked gets
    /// its method, and the host and the path of its URL.
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
        self.request = Some(ServedRequest {
            method: recorded_method(method),
            host: url.host().map(Cow::into_owned),
            path: path.to_owned(),
            url: url.recorded(),
        });
        self
    }

    /// Begins the segment now. Asks the sampler if neither the trace header nor [`sampled`](Self::sampled) decides.
    ///
    /// In Lambda, where a function sends no segment of its own, it is a subsegment of what is current, so that a program
    /// runs there as it does elsewhere. One that is given the header of another trace, such as that of a message, is a
    /// segment all the same, if that header decides to record it.
    pub fn begin(mut self) -> Segment {
        let current = context::current();
        let recorder = self.recorder.take().unwrap_or_else(|| current.recorder().clone());
        if !recorder.is_enabled() {
            return Segment { context: Context::default(), owned: None };
        }
        let name = recorder.segment_name(&self.name);
        if let Some(invocation) = facade::invocation(&current, &recorder, self.header.root) {
            let http = self.request.map(ServedRequest::into_block);
            let (context, owned) = begin_below(&invocation, |trace| Document {
                http,
                ..Document::new(SegmentId::random(), name, trace.now())
            });
            return Segment { context, owned };
        }
        let Decision { sampled, rule_name } = self.decide(&recorder, &name);
        let id = SegmentId::random();
        let trace = Trace::new(recorder, &self.header, id, sampled);
        let record = sampled.then(|| Document {
            trace_id: Some(trace.id()),
            // Without its trace a parent means nothing.
            parent_id: self.header.root.and(self.header.parent),
            http: self.request.map(ServedRequest::into_block),
            aws: Some(Box::new(Aws { xray: Some(Sdk::this(rule_name)), ..Aws::default() })),
            ..Document::new(id, name, trace.now())
        });
        let segment = Entity::segment(trace, id, record);
        Segment { context: Context::of_entity(Arc::clone(&segment)), owned: Some(segment) }
    }

    fn decide(&self, recorder: &Recorder, name: &str) -> Decision {
        let by_header = match self.header.sampled {
            Some(Sampled::Yes) => Some(true),
            Some(Sampled::No) => Some(false),
            Some(Sampled::Requested) | None => None,
        };
        match by_header.or(self.sampled) {
            Some(true) => Decision::sampled(),
            Some(false) => Decision::not_sampled(),
            None => {
                let request = self.request.as_ref();
                let request =
                    request.map_or_else(|| SamplingRequest::new(name), |request| request.sampling_request(name));
                recorder.decide(&request)
            }
        }
    }
}

/// A subsegment: a part of the work of a segment. It ends when it is dropped, or at [`end`](Self::end).
///
/// It has the methods of [`Context`], its handle. Below a segment that is not sampled it does nothing.
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
    /// What it ends; where nothing is recorded `context` is the parent's, and ends elsewhere.
    owned: Option<Arc<Entity>>,
}

impl Context {
    /// Begins a subsegment; it ends when it is dropped or at [`end`](Subsegment::end).
    #[must_use = "a subsegment ends when it is dropped"]
    pub fn subsegment(&self, name: impl AsRef<str>) -> Subsegment {
        /// For a name of which nothing is legal.
        const NAMELESS: &str = "subsegment";
        Subsegment::begin(self, |trace| {
            let given = name.as_ref();
            let name = legal_name(given).unwrap_or_else(|| NAMELESS.to_owned());
            trace.recorder().report_name(given, &name);
            Document::new(SegmentId::random(), name, trace.now())
        })
    }
}

impl Subsegment {
    /// A subsegment of what `parent` names; `record` is asked for only where something is recorded.
    pub(crate) fn begin(parent: &Context, record: impl FnOnce(&Trace) -> Document) -> Self {
        let (context, owned) = begin_below(parent, record);
        Self { context, owned }
    }

    /// Returns the current segment or subsegment as one that the caller does not own: dropping it ends nothing.
    pub(crate) fn of_current() -> Self {
        Self { context: context::current(), owned: None }
    }

    /// Ends it now.
    pub fn end(self) {
        drop(self);
    }

    /// Ends it without a trace.
    pub(crate) fn forget(&self) {
        if let Some(entity) = &self.owned {
            entity.forget();
        }
    }
}

/// Begins a subsegment of what `parent` names; there is nothing to end where nothing is recorded.
fn begin_below(parent: &Context, record: impl FnOnce(&Trace) -> Document) -> (Context, Option<Arc<Entity>>) {
    let Some(entity) = parent.sampled_entity() else { return (parent.clone(), None) };
    let entity = entity.subsegment(record(entity.trace()));
    (Context::of_entity(Arc::clone(&entity)), Some(entity))
}

/// What the owners of a live entity have in common.
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
