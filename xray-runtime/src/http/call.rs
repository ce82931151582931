//! An HTTP call in flight, and the subsegment that records it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use super::site::CallSite;
use crate::document::http::recorded_method;
use crate::document::name::legal_name;
use crate::document::response_head::ResponseHead;
use crate::document::url::Url;
use crate::document::{AnnotationValue, Document, Exception, Extent, Http, HttpRequest, Namespace};
use crate::header::propagation::{Propagation, TraceHeaders};
use crate::header::trace_header::TraceHeader;
use crate::id::SegmentId;
use crate::live::context::{self, Context};
use crate::live::entity::{Entity, Trace};
use crate::live::segment::Subsegment;

/// The name of a call to a URL without a host, as in the X-Ray SDK for Python.
const UNKNOWN_HOST: &str = "UNKNOWN HOST";

/// A recorded HTTP call in flight. Code that reads the response records it here.
///
/// The subsegment ends when the response has been read. If the call is dropped earlier, as by `select!` with a timeout, the
/// subsegment is marked as cancelled: with `{"cancelled": true}` in the metadata of the namespace `xray`.
///
/// ```
/// use xray::http::Call;
///
/// /// The result of an HTTP client.
/// type Reply = Result<http::Response<Vec<u8>>, std::io::Error>;
///
/// fn read(reply: &Reply, call: &mut Call) {
///     match reply {
///         Ok(response) => {
///             call.response(response.status().as_u16(), Some(response.body().len() as u64));
///             call.subsegment().annotate("version", format!("{:?}", response.version()));
///         }
///         Err(error) => call.error(error),
///     }
/// }
///
/// let (_, documents) = xray::testing::capture_blocking(|| {
///     xray::Segment::builder("todo-app").begin().in_scope(|| {
///         let call = xray::http::call("GET", "https://example.com/todos/1");
///         call.run(|| Ok(http::Response::new(b"[]".to_vec())), read)
///     })
/// });
/// let call = &documents[0].subsegments[0];
/// assert_eq!(call.http.as_ref().unwrap().response.unwrap().content_length, Some(2));
/// assert_eq!(call.annotations["version"], "HTTP/1.1".into());
/// ```
pub struct Call {
    // Boxed, so the size of a call is one word. Every future of a traced call has a field for it, even the futures that run
    // outside a sampled segment.
    live: Box<Live>,
}

struct Live {
    parent: Arc<Entity>,
    stage: Stage,
    /// The headers for the request, until they are inserted.
    headers: TraceHeaders,
    draft: Draft,
    /// The subsegment created from the draft. Only errors, panics, response hooks and `subsegment()` need one. A draft
    /// costs less, because it needs neither a lock nor a reference count.
    subsegment: Option<Subsegment>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Pending,
    Started,
    /// Whether a response, an error or a panic was recorded.
    Finished,
}

impl Call {
    /// Creates a call below `parent`, which [`Trace::call_begins`] knows of. `headers` are those for its request.
    #[inline]
    pub(super) fn new(parent: Arc<Entity>, draft: Draft, headers: TraceHeaders) -> Self {
        Self { live: Box::new(Live { parent, stage: Stage::Pending, headers, draft, subsegment: None }) }
    }

    pub(super) fn trace(&self) -> &Trace {
        self.live.parent.trace()
    }

    /// Returns the entity that the call's subsegment is a child of.
    pub(super) fn parent(&self) -> Arc<Entity> {
        Arc::clone(&self.live.parent)
    }

    /// Takes the headers for the request out of the call.
    // By value, because a clone of a new header value allocates.
    #[inline]
    pub(super) fn take_headers(&mut self) -> TraceHeaders {
        mem::take(&mut self.live.headers)
    }

    /// Returns the choice of headers for requests.
    pub(super) fn propagation(&self) -> Propagation {
        self.trace().recorder().propagation()
    }

    /// Returns whether `header` names another call of the trace that is still open.
    // The header of this call is ignored, because a program may inject it into a request twice.
    pub(super) fn is_other_call(&self, header: &TraceHeader) -> bool {
        self.trace().is_open_call(header) && header.parent != Some(self.live.draft.id)
    }

    /// Starts the time of the call, if it has not started.
    pub(super) fn start(&mut self) {
        let live = &mut *self.live;
        if live.stage == Stage::Pending {
            live.stage = Stage::Started;
            live.draft.start_time = live.parent.trace().now();
        }
    }

    /// Stores the time at which the request is passed to the client.
    ///
    /// This is for a call whose result may be a future or a response. If it is a future, the call starts at the first poll,
    /// and the stored time is replaced. If it is a response, the client has sent the request after the stored time; see
    /// [`start_as_stamped`](Self::start_as_stamped).
    pub(crate) fn stamp(&mut self) {
        self.live.draft.start_time = self.trace().now();
    }

    /// Starts the call at the time that [`stamp`](Self::stamp) stored.
    pub(crate) fn start_as_stamped(&mut self) {
        if self.live.stage == Stage::Pending {
            self.live.stage = Stage::Started;
        }
    }

    /// Records the response: its status, and the length of its body in bytes if that is known.
    ///
    /// A status of 4xx sets `error`, 429 also sets `throttle`, and 5xx sets `fault`. (Developer guide, "X-Ray segment
    /// documents".)
    pub fn response(&mut self, status: u16, content_length: Option<u64>) {
        self.response_head(&ResponseHead::new(status, content_length));
    }

    /// Records the response like [`response`](Self::response), and passes its headers and URL to the closure given to
    /// [`on_response`](crate::RecorderBuilder::on_response).
    pub fn response_head(&mut self, head: &ResponseHead<'_>) {
        self.finish();
        self.live.draft.response = Some((head.status(), head.content_length()));
        self.run_response_hook(head);
    }

    /// Records that the call failed without a response: sets `fault`, with the error and its sources as the cause.
    ///
    /// Of URLs in the messages only scheme, host, port and path are kept.
    pub fn error<E: Error + ?Sized>(&mut self, error: &E) {
        let exceptions = self.trace().recorder().read_error(error, true);
        self.fail(exceptions);
    }

    /// Records that the call failed without a response, for an error of which only the type's name can be recorded.
    pub(crate) fn opaque_error(&mut self, kind: &str) {
        self.fail(vec![Exception::opaque(kind)]);
    }

    /// Returns the subsegment of the call, for additional data such as annotations.
    pub fn subsegment(&mut self) -> &Subsegment {
        self.live.subsegment()
    }

    /// Polls the future that sends the request. The first poll starts the time of the call.
    #[inline]
    pub(super) fn poll<F: Future>(&mut self, future: Pin<&mut F>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        self.start();
        self.observe_panic(|| future.poll(task))
    }

    /// Finishes the call with a response, which `read` may record more of.
    pub(crate) fn read<T>(&mut self, response: &T, read: impl FnOnce(&T, &mut Self)) {
        self.finish();
        read(response, self);
    }

    /// Runs the client's code. A panic in it is recorded and continues to unwind.
    pub(super) fn observe_panic<T>(&mut self, run: impl FnOnce() -> T) -> T {
        context::observe_panic(run, |message| {
            self.finish();
            self.subsegment().record_panic(message);
        })
    }

    fn fail(&mut self, exceptions: Vec<Exception>) {
        self.finish();
        if let Some(entity) = self.subsegment().entity() {
            entity.update(|document| document.record_error(exceptions));
        }
    }

    fn finish(&mut self) {
        self.start();
        self.live.stage = Stage::Finished;
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Live { stage, draft, .. } = &*self.live;
        formatter.debug_struct("Call").field("id", &draft.id).field("stage", stage).finish_non_exhaustive()
    }
}

impl Live {
    /// Returns the subsegment. The first call creates it from the draft.
    fn subsegment(&mut self) -> &Subsegment {
        self.subsegment.get_or_insert_with(|| {
            let parent = Context::of_entity(Arc::clone(&self.parent));
            Subsegment::begin(&parent, |trace| {
                // The start time is filled in at the end, with the response: see `Draft::complete`.
                let mut document = Document::new(self.draft.id, mem::take(&mut self.draft.name), 0.0);
                self.draft.begin(&mut document, self.draft.annotations(trace));
                document
            })
        })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.parent.trace().call_ends(self.draft.id);
        match self.stage {
            // The request was not sent, so there is nothing to record.
            Stage::Pending => {
                self.subsegment.iter().for_each(Subsegment::forget);
                return;
            }
            Stage::Started => self.subsegment().add_metadata_in("xray", "cancelled", true),
            Stage::Finished => {}
        }
        match self.subsegment.as_ref().and_then(|subsegment| subsegment.entity()) {
            None => {
                let trace = self.parent.trace();
                let annotations = self.draft.annotations(trace);
                let end_time = Some(trace.now());
                let document = Document::new(self.draft.id, mem::take(&mut self.draft.name), self.draft.start_time);
                // The rest is filled in where the parent keeps the document, because a full document is large to move.
                self.parent.adopt(document, Extent::default(), |document| {
                    self.draft.begin(document, annotations);
                    self.draft.complete(document);
                    document.end_time = end_time;
                });
            }
            // The field `subsegment` is dropped right after this, which ends the subsegment.
            Some(entity) => entity.update(|document| self.draft.complete(document)),
        }
    }
}

type Annotations = BTreeMap<String, AnnotationValue>;

/// The data of a call's subsegment, until the subsegment is needed or the call ends.
pub(super) struct Draft {
    id: SegmentId,
    site: CallSite,
    name: String,
    method: Cow<'static, str>,
    url: String,
    start_time: f64,
    /// Status, and length of the body in bytes.
    response: Option<(u16, Option<u64>)>,
}

impl Draft {
    /// Creates the draft of a call at `site`. `rule` is the name for the URL's host from the recorder's rules.
    pub(super) fn new(id: SegmentId, site: CallSite, method: &str, url: Url<'_>, rule: Option<&str>) -> Self {
        // A name at the call takes precedence over the recorder's rules, and these over the host.
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

    /// Returns the annotations of the annotated function, and counts them in the trace.
    fn annotations(&self, trace: &Trace) -> Annotations {
        let annotations = self.site.annotations();
        trace.note_annotations(annotations.len());
        annotations
    }

    /// Moves the data that is known when the call begins from the draft into the document.
    fn begin(&mut self, document: &mut Document, annotations: Annotations) {
        let (method, url) = (Some(mem::take(&mut self.method)), Some(mem::take(&mut self.url)));
        let request = HttpRequest { method, url, ..HttpRequest::default() };
        document.namespace = Some(Namespace::Remote);
        document.http = Some(Http { request: Some(request), response: None });
        document.annotations = annotations;
    }

    /// Sets the fields that are known when the call ends.
    fn complete(&self, document: &mut Document) {
        document.start_time = self.start_time;
        if let Some((status, content_length)) = self.response {
            document.record_response(status, content_length);
        }
    }
}
