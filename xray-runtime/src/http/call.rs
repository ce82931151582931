//! An HTTP call in flight, and the subsegment that records it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use super::rules::RuleEffects;
use crate::document::http::recorded_method;
use crate::document::name::legal_name;
use crate::document::response_head::ResponseHead;
use crate::document::url::Url;
use crate::document::{Exception, Namespace};
use crate::header::propagation::{CallHeaders, Propagation};
use crate::header::trace_header::TraceHeader;
use crate::id::SegmentId;
use crate::live::context::{self, Context};
use crate::live::entity::Entity;
use crate::live::trace::Trace;
use crate::record::{Record, Stage};

/// The name of a call to a URL without a host, as in the X-Ray SDK for Python.
const UNKNOWN_HOST: &str = "UNKNOWN HOST";

/// A recorded HTTP call in flight. Code that reads the response records it here.
///
/// The subsegment ends when the response has been read. If the call is dropped earlier, as by `select!` with a timeout,
/// the subsegment is marked as cancelled: with `{"cancelled": true}` in the metadata of the namespace `xray`.
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
    // Two pointers, which are passed in registers. Every future of a traced call has room for them, even the futures
    // that run outside a sampled segment.
    /// The parent of the call. If `record` is `None`, the subsegment of the call itself.
    entity: Arc<Entity>,
    /// The record of the call. `None` if the subsegment holds the record, so that other handles can write to it too.
    //
    // Only panics, response hooks and `subsegment()` need a subsegment. Without it, the call takes no lock and no
    // reference count until the parent gets the record.
    record: Option<Box<Record>>,
}

impl Call {
    /// Creates a call below `parent`. The caller must have passed the id of the record to [`Trace::call_begins`].
    #[inline]
    pub(super) fn new(parent: Arc<Entity>, record: Box<Record>) -> Self {
        Self { entity: parent, record: Some(record) }
    }

    /// Returns the headers for the request. Returns no headers after the first time, because only one request may carry
    /// them.
    // `PendingCall::inject` is generic, so it is compiled in the caller's crate, and there each of these getters would
    // be a function call. As a function of this crate, they are one call together.
    pub(super) fn take_headers(&mut self) -> CallHeaders {
        let Some(record) = &mut self.record else { return CallHeaders::default() };
        let Stage::Pending { with_headers: true } = record.stage else { return CallHeaders::default() };
        record.stage = Stage::Pending { with_headers: false };
        self.entity.trace().outgoing_headers().of_call(record.id)
    }

    /// Returns whether another open call of the trace records the request that carries this header.
    pub(super) fn is_recorded_by_another(&self, header: &TraceHeader) -> bool {
        // A header of this call itself does not count, because a program may call `inject` twice for a request.
        self.trace().is_open_call(header) && header.parent != Some(self.id())
    }

    pub(super) fn propagation(&self) -> Propagation {
        self.trace().recorder().propagation()
    }

    fn id(&self) -> SegmentId {
        self.record.as_ref().map_or_else(|| self.entity.id(), |record| record.id)
    }

    pub(super) fn trace(&self) -> &Trace {
        self.entity.trace()
    }

    /// Starts the time of the call, if it has not started.
    pub(super) fn start(&mut self) {
        if self.is_pending() {
            self.set_stage(Stage::Started);
            self.set_start_time();
        }
    }

    /// Stores the time just before the request is passed to the client.
    ///
    /// At this point it is not known whether the client returns a future or a response. If it returns a future, the
    /// call starts at the first poll, which overwrites the stored time. If it returns a response, the request was sent
    /// after the stored time, and [`start_as_stamped`](Self::start_as_stamped) makes that time the start of the call.
    pub(crate) fn stamp(&mut self) {
        self.set_start_time();
    }

    /// Starts the call at the time that [`stamp`](Self::stamp) stored.
    pub(crate) fn start_as_stamped(&mut self) {
        if self.is_pending() {
            self.set_stage(Stage::Started);
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
        self.update(|record| record.record_response(head.status(), head.content_length()));
        self.run_response_hook(head);
    }

    /// Records that the call failed without a response: sets `fault`, with the error and its sources as the cause.
    ///
    /// URLs in the messages are cut to scheme, host, port and path.
    pub fn error<E: Error + ?Sized>(&mut self, error: &E) {
        let exceptions = self.trace().recorder().read_error(error, true);
        self.fail(exceptions);
    }

    /// Records that the call failed without a response, with the name of the error's type as the only detail.
    pub(crate) fn opaque_error(&mut self, kind: &str) {
        self.fail(vec![Exception::opaque(kind)]);
    }

    /// Returns a handle to the call's subsegment, for additional data such as annotations.
    pub fn subsegment(&mut self) -> Context {
        if let Some(record) = self.record.take() {
            note_annotations(self.trace(), &record);
            self.entity = self.entity.subsegment(record);
        }
        Context::of_entity(Arc::clone(&self.entity))
    }

    /// Polls the future that sends the request. The first poll starts the time of the call.
    ///
    /// If the future is first polled in a subsegment below the parent, the call becomes a child of that subsegment, as
    /// with `client.get(url).send().in_subsegment("page")`.
    #[inline]
    pub(crate) fn poll<F: Future>(&mut self, future: Pin<&mut F>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        if self.is_pending() {
            self.start_in_scope();
        }
        self.observe_panic(|| future.poll(task))
    }

    /// Starts the time of a pending call in the current scope.
    #[inline(never)]
    fn start_in_scope(&mut self) {
        if let Some(entity) = context::entity_below(&self.entity).filter(|_| self.record.is_some()) {
            self.entity = entity;
        }
        self.set_stage(Stage::Started);
        self.set_start_time();
    }

    /// Finishes the call, and passes the response to `read`, which records it.
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
        match &mut self.record {
            Some(record) => drop(record.record_error(exceptions)),
            None => self.entity.record_error(|| exceptions),
        }
    }

    fn finish(&mut self) {
        // Most calls have started, and this look at the stage is inlined.
        if self.is_pending() {
            self.start();
        }
        self.set_stage(Stage::Finished);
    }

    #[inline]
    fn set_start_time(&mut self) {
        let now = self.trace().now();
        self.update(|record| record.start = now);
        self.ensure_reportable();
    }

    /// Creates the subsegment now, if the parent's children are sent while they are open.
    fn ensure_reportable(&mut self) {
        if self.entity.reports_children() {
            self.subsegment();
        }
    }

    #[inline]
    fn is_pending(&self) -> bool {
        matches!(self.stage(), Stage::Pending { .. })
    }

    #[inline]
    fn stage(&self) -> Stage {
        self.record.as_ref().map_or_else(|| self.stage_of_subsegment(), |record| record.stage)
    }

    #[cold]
    fn stage_of_subsegment(&self) -> Stage {
        // The subsegment has its record until the call is dropped, so this value is always replaced.
        let mut stage = Stage::Finished;
        self.entity.update(|record| stage = record.stage);
        stage
    }

    #[inline]
    fn set_stage(&mut self, stage: Stage) {
        self.update(|record| record.stage = stage);
    }

    #[inline]
    fn update(&mut self, write: impl FnOnce(&mut Record)) {
        match &mut self.record {
            Some(record) => write(record),
            None => self.update_subsegment(write),
        }
    }

    #[cold]
    fn update_subsegment(&self, write: impl FnOnce(&mut Record)) {
        self.entity.update(write);
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Call").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let stage = self.stage();
        let Some(mut record) = self.record.take() else { return end_subsegment(&self.entity, stage) };
        let trace = self.entity.trace();
        trace.call_ends(record.id);
        match stage {
            // The request was not sent, so nothing is recorded.
            Stage::Pending { .. } => return,
            Stage::Started => record.mark_cancelled(),
            Stage::Finished => {}
        }
        note_annotations(trace, &record);
        record.end = Some(trace.now());
        self.entity.adopt(record);
    }
}

/// Counts the annotations of a call whose record was never shared through a handle.
fn note_annotations(trace: &Trace, record: &Record) {
    if let Some(details) = record.details() {
        trace.note_annotations(details.annotations.len());
    }
}

/// Ends the subsegment of a call.
#[cold]
fn end_subsegment(subsegment: &Entity, stage: Stage) {
    subsegment.trace().call_ends(subsegment.id());
    match stage {
        Stage::Pending { .. } => subsegment.forget(),
        Stage::Started => {
            subsegment.update(Record::mark_cancelled);
            subsegment.end();
        }
        Stage::Finished => subsegment.end(),
    }
}

/// Creates the record of a call. `name` is the name in the source, if there is one. `effects` are those of the
/// recorder's rules on the request. `without_host` is the name of the call if the URL has no host.
pub(super) fn record(
    id: SegmentId,
    name: Option<&str>,
    method: &str,
    url: &Url<'_>,
    effects: &RuleEffects<'_>,
    without_host: Option<&str>,
) -> Box<Record> {
    // The name is the one in the source, else the one from the recorder's rules, else the host.
    let name = match (name.or(effects.name).and_then(legal_name), url.plain_host()) {
        (Some(name), _) => Some(name),
        (None, Some(host)) => Some(Cow::Borrowed(host)),
        (None, None) => name_of(url).or_else(|| legal_name(without_host?)),
    };
    let name = name.as_deref().unwrap_or(UNKNOWN_HOST);
    let mut record = Record::of_call(id);
    url.with_recorded(|url| record.label.set_url(url, name));
    record.stage = Stage::Pending { with_headers: !effects.withholds_headers };
    record.namespace = Some(Namespace::Remote);
    record.method = Some(recorded_method(method));
    record
}

/// Returns the host of a URL as a name.
#[cold]
fn name_of<'a>(url: &Url<'a>) -> Option<Cow<'a, str>> {
    match url.host()? {
        Cow::Borrowed(host) => legal_name(host),
        Cow::Owned(host) => legal_name(&host).map(|name| Cow::Owned(name.into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;
    use crate::document::Document;
    use crate::emitter::{Emitter, FinishedSegment, MemoryEmitter};
    use crate::http::site::{Annotations, CallSite, CallSites};
    use crate::live::segment::Segment;
    use crate::recorder::Recorder;
    use crate::sampling::Always;
    use crate::testing::capture_blocking;

    /// Begins a call below the current segment.
    fn begun() -> Call {
        crate::http::call("GET", "http://h/").into_call().unwrap()
    }

    /// Records a subsegment, at a time at which nothing else happens.
    fn mark(name: &str) {
        sleep(Duration::from_millis(1));
        context::current().subsegment(name).end();
        sleep(Duration::from_millis(1));
    }

    #[test]
    fn a_call_starts_when_its_request_is_passed_to_the_client() {
        let ((), documents) = capture_blocking(|| {
            Segment::builder("s").begin().in_scope(|| {
                let call = crate::http::call("GET", "http://blocking/");
                mark("before");
                call.run(|| mark("sending"), |(), _| ());

                // A method that may return a future, and returns a response.
                let mut call = begun();
                mark("before");
                call.stamp();
                mark("sending");
                call.start_as_stamped();
                call.response(200, None);
                drop(call);

                let call = crate::http::call("GET", "http://connection/");
                mark("before");
                let call = call.started();
                mark("sending");
                call.into_call().unwrap().response(200, None);
            });
        });
        let subsegments = &documents[0].subsegments;
        assert_eq!(subsegments.len(), 9, "{documents:#?}");
        for three in subsegments.chunks(3) {
            let [before, sending, call] = three else { unreachable!() };
            assert!(before.end_time < Some(call.start_time), "{three:#?}");
            assert!(call.start_time < sending.start_time && sending.end_time < call.end_time, "{three:#?}");
        }
    }

    #[test]
    fn annotations_of_calls_count_towards_those_of_the_trace() {
        static SITES: CallSites = CallSites::new("get", "src/main.rs", 1);

        let recorder = Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).build();
        Segment::builder("s").recorder(&recorder).begin().in_scope(|| {
            let annotations = Annotations::new(|| vec![("tier", 1.into()), ("region", 2.into())]);
            for is_shared in [true, false].repeat(15) {
                let parent = CallSite::from((&SITES, 1, &annotations)).parent().unwrap();
                let mut call = parent.begin("GET", "http://h/").into_call().unwrap();
                call.response(200, None);
                if is_shared {
                    call.subsegment();
                }
            }
        });
        assert_eq!(recorder.stats().values_rejected, 10, "X-Ray indexes 50 of the 60");
    }

    /// Below a facade, a call is reported while it is open. A client's future may be dropped before its first poll.
    #[test]
    fn a_call_that_was_reported_and_is_never_sent_has_an_end() {
        struct Reports(Sender<Document>);

        impl Emitter for Reports {
            fn emit(&self, segment: FinishedSegment) {
                let _ = self.0.send(segment.into());
            }
        }

        let (sender, documents) = channel();
        let recorder = Recorder::builder().emitter(Reports(sender)).in_progress_after(Duration::from_millis(1)).build();
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let mut call = Segment::facade_of(&recorder, header).in_scope(begun);
        call.stamp();
        let next = || documents.recv_timeout(Duration::from_secs(20)).unwrap();
        let report = next();
        assert!(report.in_progress && report.end_time.is_none(), "{report:#?}");
        drop(call);
        let end = next();
        assert!(end.id == report.id && !end.in_progress && end.end_time.is_some(), "{end:#?}");
    }
}
