//! One HTTP call as a subsegment: what is known before, and what its end says.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::site::CallSite;
use crate::document::http::recorded_method;
use crate::document::name::legal_name;
use crate::document::response_head::ResponseHead;
use crate::document::url::Url;
use crate::document::{AnnotationValue, Document, Exception, Extent, Http, HttpRequest, Namespace};
use crate::header::propagation::TraceHeaders;
use crate::header::trace_header::TRACE_HEADER_NAME;
use crate::id::SegmentId;
use crate::live::context::{self, Context};
use crate::live::entity::{Entity, Trace};
use crate::live::segment::Subsegment;
use crate::recorder::HttpRules;

/// For a URL without a host, as in the X-Ray SDK for Python.
const UNKNOWN_HOST: &str = "UNKNOWN HOST";

/// The place in a trace where an HTTP call is about to begin: below a segment or subsegment that is open.
pub struct CallParent {
    parent: Arc<Entity>,
    site: CallSite,
}

impl CallSite {
    /// The place in the trace for this call, made now: below what is current.
    ///
    /// `None` where nothing is open, which is reported once per process.
    #[must_use]
    #[inline]
    pub fn open(self) -> Option<CallParent> {
        self.open_again()
    }

    /// The same for a site that stays where it is.
    #[inline]
    pub(super) fn open_again(&self) -> Option<CallParent> {
        if context::is_set() {
            if let parent @ Some(_) = self.clone().open_below_current() {
                return parent;
            }
        }
        context::report_missing();
        None
    }

    /// The same where nothing has to be reported yet: the call's future may be polled elsewhere.
    #[inline]
    pub(crate) fn open_early(&self) -> Option<CallParent> {
        if context::is_set() { self.clone().open_below_current() } else { None }
    }

    /// Apart, so that a call outside any segment has little to step over.
    #[inline(never)]
    fn open_below_current(self) -> Option<CallParent> {
        context::with_current_entity(|entity| CallParent { parent: Arc::clone(entity), site: self })
    }
}

impl CallParent {
    /// Begins the call: opens its subsegment, of which the id goes into the header.
    ///
    /// The subsegment has the name of the URL's host, and of the URL what may be recorded. The URL is a text or
    /// an [`http::Uri`].
    pub fn begin<'a>(self, method: &str, url: impl Into<Url<'a>>) -> PendingCall {
        let Self { parent, site } = self;
        site.note_traced();
        let trace = parent.trace();
        // Then the URL says nothing that matters.
        let is_the_same_for_all = !trace.is_sampled() && trace.recorder().http_rules().is_none();
        if is_the_same_for_all && !site.has_skip_hosts() {
            return PendingCall(Beginning::Unrecorded(parent));
        }
        begin_below(parent, site, method, url.into())
    }
}

fn begin_below(parent: Arc<Entity>, site: CallSite, method: &str, url: Url<'_>) -> PendingCall {
    if site.skips(&url) {
        return PendingCall::default();
    }
    let trace = parent.trace();
    let rules = trace.recorder().http_rules().map(|rules| Rules::of(rules, &url)).unwrap_or_default();
    if rules.ignores || (rules.withholds_headers && !trace.is_sampled()) {
        return PendingCall::default();
    }
    if !trace.is_sampled() {
        return PendingCall(Beginning::Unrecorded(parent));
    }
    let id = SegmentId::random();
    let headers = if rules.withholds_headers { TraceHeaders::default() } else { trace.outbound().recorded(id) };
    trace.call_begins(id);
    let draft = Draft::new(id, site, method, url, rules.name);
    let live = Live { parent, stage: Stage::Prepared, headers, draft, subsegment: None };
    PendingCall(Beginning::Recorded(Call { live: Box::new(live) }))
}

/// What the rules of the program say of one request.
#[derive(Default)]
struct Rules<'a> {
    ignores: bool,
    /// The headers are not for this host.
    withholds_headers: bool,
    name: Option<&'a str>,
}

impl<'a> Rules<'a> {
    fn of(rules: &'a HttpRules, url: &Url<'_>) -> Self {
        let (host, path) = (url.host().unwrap_or_default(), url.path());
        Self {
            ignores: rules.ignores(&host, path),
            withholds_headers: !rules.injects(&host, path),
            name: rules.name(&host, path),
        }
    }
}

impl fmt::Debug for CallParent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CallParent").field("site", &self.site).finish_non_exhaustive()
    }
}

/// A call that has begun, and the headers that its request is to carry.
///
/// A request may carry the header of another call of this trace already, which is still open: it goes through two
/// mechanisms, such as an annotated function and a middleware. Then its headers stay and this call is forgotten, so
/// that there is one subsegment for it.
#[derive(Debug, Default)]
#[must_use = "the request is to carry the headers"]
pub struct PendingCall(Beginning);

#[derive(Default)]
enum Beginning {
    /// No trace is open, or its headers are not for this request.
    #[default]
    Nothing,
    /// Below what is not sampled, where all requests carry the same.
    Unrecorded(Arc<Entity>),
    Recorded(Call),
}

impl fmt::Debug for Beginning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => formatter.write_str("Nothing"),
            Self::Unrecorded(_) => formatter.write_str("Unrecorded"),
            Self::Recorded(call) => call.fmt(formatter),
        }
    }
}

impl PendingCall {
    /// The headers, for a client whose headers are of a type of its own: each in place of any of its name. The values
    /// hold visible ASCII characters only. None where no trace is open.
    ///
    /// Where the request may have been through another mechanism, [`for_request`](Self::for_request) goes first.
    pub fn headers(&self) -> impl Iterator<Item = (&'static HeaderName, &HeaderValue)> {
        self.trace_headers().into_iter().flat_map(TraceHeaders::iter)
    }

    /// The value of `X-Amzn-Trace-Id` among the [`headers`](Self::headers), where that is
    /// [propagated](crate::RecorderBuilder::propagate).
    #[must_use]
    pub fn header(&self) -> Option<&HeaderValue> {
        self.trace_headers()?.x_ray()
    }

    fn trace_headers(&self) -> Option<&TraceHeaders> {
        match &self.0 {
            Beginning::Nothing => None,
            Beginning::Unrecorded(parent) => parent.trace().outbound().unrecorded(),
            Beginning::Recorded(call) => Some(&call.live.headers),
        }
    }

    /// The call of a request that carries the headers. `None` where it is not recorded.
    #[must_use = "a call ends when it is dropped"]
    pub fn into_call(self) -> Option<Call> {
        match self.0 {
            Beginning::Recorded(mut call) => {
                call.live.headers = TraceHeaders::default();
                Some(call)
            }
            _ => None,
        }
    }

    /// Puts the headers in, each in place of any that is there. `None` where the call is not recorded.
    #[must_use = "a call ends when it is dropped"]
    pub fn insert_into(self, headers: &mut HeaderMap) -> Option<Call> {
        match self.0 {
            Beginning::Nothing => None,
            Beginning::Unrecorded(parent) => {
                if let Some(ours) = parent.trace().outbound().unrecorded() {
                    ours.copy_into(headers);
                }
                None
            }
            Beginning::Recorded(mut call) => {
                let (ours, trace) = (mem::take(&mut call.live.headers), call.trace());
                let propagation = trace.recorder().propagation();
                ours.insert_unless(headers, propagation, |header| trace.is_open_call(&header)).then_some(call)
            }
        }
    }

    /// What is left of it for a request that has headers already, of which `existing` gives the value by name: nothing
    /// if one of them names a call of this trace that is open.
    ///
    /// For a client whose headers are no [`HeaderMap`]:
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use xray::http::{PendingCall, Call};
    ///
    /// fn insert_into(pending: PendingCall, headers: &mut BTreeMap<String, String>) -> Option<Call> {
    ///     let pending = pending.for_request(|name| Some(headers.get(name.as_str())?));
    ///     for (name, value) in pending.headers() {
    ///         if let Ok(value) = value.to_str() {
    ///             headers.insert(name.to_string(), value.to_owned());
    ///         }
    ///     }
    ///     pending.into_call()
    /// }
    ///
    /// let mut headers = BTreeMap::new();
    /// xray::Segment::builder("todo-app").sampled(true).begin().in_scope(|| {
    ///     let outer = insert_into(xray::http::call("GET", "https://example.com/"), &mut headers);
    ///     let inner = insert_into(xray::http::call("GET", "https://example.com/"), &mut headers);
    ///     assert!(outer.is_some() && inner.is_none(), "the request is recorded once");
    /// });
    /// assert_eq!(headers.into_keys().collect::<Vec<_>>(), ["x-amzn-trace-id"]);
    /// ```
    #[inline]
    pub fn for_request<'a>(self, existing: impl Fn(&'static HeaderName) -> Option<&'a str>) -> Self {
        match &self.0 {
            Beginning::Recorded(call) if call.trace().has_open_call(existing) => Self::default(),
            _ => self,
        }
    }

    /// The same for a client that is to carry `X-Amzn-Trace-Id` alone: `existing` is what the request has of it, and
    /// `insert` replaces it by this value.
    #[must_use = "a call ends when it is dropped"]
    pub fn insert_with(self, existing: Option<&str>, insert: impl FnOnce(HeaderValue)) -> Option<Call> {
        let pending = self.for_request(|name| existing.filter(|_| *name == TRACE_HEADER_NAME));
        pending.header().cloned().map(insert);
        pending.into_call()
    }
}

/// An HTTP call that is recorded. It ends when it is dropped.
///
/// Dropped before it [started](Self::start) it leaves no trace; dropped between its start and an answer it is
/// marked as cancelled, with `{"cancelled": true}` in the metadata of the namespace `xray`.
pub struct Call {
    // Behind a pointer, so that the futures of calls that are not recorded have little to carry.
    live: Box<Live>,
}

struct Live {
    parent: Arc<Entity>,
    stage: Stage,
    /// Until they are in the request.
    headers: TraceHeaders,
    draft: Draft,
    /// What the draft became once somebody asked for it. Few do, and a draft needs neither lock nor count.
    subsegment: Option<Subsegment>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Prepared,
    Started,
    Answered,
}

impl Call {
    pub(super) fn trace(&self) -> &Trace {
        self.live.parent.trace()
    }

    /// Returns the entity that the call's subsegment is a child of.
    pub(super) fn parent(&self) -> Arc<Entity> {
        Arc::clone(&self.live.parent)
    }

    /// The call is on its way; its time begins. Only the first time counts.
    pub fn start(&mut self) {
        let live = &mut *self.live;
        if live.stage == Stage::Prepared {
            live.stage = Stage::Started;
            live.draft.start_time = live.parent.trace().now();
        }
    }

    /// Notes when the request was made, for a call of which it shows only later that it blocks.
    pub(crate) fn stamp(&mut self) {
        self.live.draft.start_time = self.trace().now();
    }

    /// The call began when it was stamped.
    pub(crate) fn start_as_stamped(&mut self) {
        if self.live.stage == Stage::Prepared {
            self.live.stage = Stage::Started;
        }
    }

    /// The head of the response came; `content_length` in bytes, where it is known.
    ///
    /// 4xx is recorded as `error`, 429 as `throttle` too, 5xx as `fault`.
    pub fn response(&mut self, status: u16, content_length: Option<u64>) {
        self.response_head(&ResponseHead::new(status, content_length));
    }

    /// The same with the headers, which [`on_response`](crate::RecorderBuilder::on_response) may look at.
    pub fn response_head(&mut self, head: &ResponseHead<'_>) {
        self.answered();
        self.live.draft.response = Some((head.status(), head.content_length()));
        self.run_response_hook(head);
    }

    /// No response came: `fault`, with the error and its sources as the cause.
    ///
    /// Of URLs in the messages only scheme, host, port and path are kept.
    pub fn error<E: Error + ?Sized>(&mut self, error: &E) {
        let chain = self.trace().recorder().read_error(error, true);
        self.failed(chain);
    }

    /// No response came, and of the error only the type is known.
    pub(crate) fn opaque_error(&mut self, kind: &str) {
        self.failed(vec![Exception::opaque(kind)]);
    }

    /// The subsegment, to record more.
    pub fn subsegment(&mut self) -> &Subsegment {
        self.live.subsegment()
    }

    /// Polls the future that performs the call; its time begins with the first poll.
    #[inline]
    pub(super) fn poll<F: Future>(&mut self, future: Pin<&mut F>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        self.start();
        self.observe_panic(|| future.poll(task))
    }

    /// An answer came, of which `read` may tell more.
    pub(crate) fn read<T>(&mut self, answer: &T, read: impl FnOnce(&T, &mut Self)) {
        self.answered();
        read(answer, self);
    }

    /// Runs a closure; a panic in it is recorded and goes on.
    pub(super) fn observe_panic<T>(&mut self, run: impl FnOnce() -> T) -> T {
        context::observe_panic(run, |message| {
            self.answered();
            self.subsegment().record_panic(message);
        })
    }

    fn failed(&mut self, exceptions: Vec<Exception>) {
        self.answered();
        if let Some(entity) = self.subsegment().entity() {
            entity.update(|record| record.record_error(exceptions));
        }
    }

    fn answered(&mut self) {
        self.start();
        self.live.stage = Stage::Answered;
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Live { stage, draft, .. } = &*self.live;
        formatter.debug_struct("Call").field("id", &draft.id).field("stage", stage).finish_non_exhaustive()
    }
}

impl Live {
    fn subsegment(&mut self) -> &Subsegment {
        self.subsegment.get_or_insert_with(|| {
            let parent = Context::of_entity(Arc::clone(&self.parent));
            Subsegment::begin(&parent, |trace| {
                let mut record = Document::new(self.draft.id, mem::take(&mut self.draft.name), 0.0);
                self.draft.begin(&mut record, self.draft.annotations(trace));
                record
            })
        })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.parent.trace().call_ends(self.draft.id);
        match self.stage {
            Stage::Prepared => {
                self.subsegment.iter().for_each(Subsegment::forget);
                return;
            }
            Stage::Started => self.subsegment().add_metadata_in("xray", "cancelled", true),
            Stage::Answered => {}
        }
        match self.subsegment.as_ref().and_then(|subsegment| subsegment.entity()) {
            None => {
                let trace = self.parent.trace();
                let annotations = self.draft.annotations(trace);
                let end_time = Some(trace.now());
                let record = Document::new(self.draft.id, mem::take(&mut self.draft.name), self.draft.start_time);
                self.parent.adopt(record, Extent::default(), |record| {
                    self.draft.begin(record, annotations);
                    self.draft.complete(record);
                    record.end_time = end_time;
                });
            }
            // It ends with its owner, right after this.
            Some(entity) => entity.update(|record| self.draft.complete(record)),
        }
    }
}

type Annotations = BTreeMap<String, AnnotationValue>;

/// What only the call itself knows of its subsegment.
struct Draft {
    id: SegmentId,
    site: CallSite,
    name: String,
    method: Cow<'static, str>,
    url: String,
    start_time: f64,
    /// Status and length of the body.
    response: Option<(u16, Option<u64>)>,
}

impl Draft {
    fn new(id: SegmentId, site: CallSite, method: &str, url: Url<'_>, rule: Option<&str>) -> Self {
        let name = match site.name().or(rule) {
            Some(name) => legal_name(name),
            None => url.host().and_then(|host| legal_name(&host)),
        };
        Self {
            id,
            site,
            name: name.unwrap_or_else(|| UNKNOWN_HOST.to_owned()),
            method: recorded_method(method),
            url: url.recorded(),
            start_time: 0.0,
            response: None,
        }
    }

    /// Those of the function, counted.
    fn annotations(&self, trace: &Trace) -> Annotations {
        let annotations = self.site.annotations();
        trace.note_annotations(annotations.len());
        annotations
    }

    /// Fills in what was known from the beginning.
    fn begin(&mut self, record: &mut Document, annotations: Annotations) {
        let (method, url) = (Some(mem::take(&mut self.method)), Some(mem::take(&mut self.url)));
        let request = HttpRequest { method, url, ..HttpRequest::default() };
        record.namespace = Some(Namespace::Remote);
        record.http = Some(Http { request: Some(request), response: None });
        record.annotations = annotations;
    }

    /// Fills in what became known later.
    fn complete(&self, record: &mut Document) {
        record.start_time = self.start_time;
        if let Some((status, content_length)) = self.response {
            record.record_response(status, content_length);
        }
    }
}
