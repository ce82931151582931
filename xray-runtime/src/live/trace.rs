//! The trace of a segment: the state that the segment shares with all its subsegments.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use once_cell::sync::OnceCell;

use crate::header::propagation::OutgoingHeaders;
use crate::header::trace_header::{Sampled, TraceHeader};
use crate::id::{SegmentId, TraceId};
use crate::live::clock::Clock;
use crate::live::open_calls::OpenCalls;
#[cfg(any(feature = "diesel", feature = "tracing"))]
use crate::live::open_spans::OpenSpans;
use crate::live::progress_report::ProgressReport;
use crate::record::{FinishedSegment, Record, Time};
use crate::recorder::Recorder;
use crate::sampling::Watch;
use crate::support::lock::lock;
use crate::support::log_line::log_line;

/// The state that a segment shares with all its subsegments.
pub(crate) struct Trace {
    recorder: Recorder,
    id: TraceId,
    sampled: bool,
    /// `true` if all requests are treated alike, so that no URL need be read: the trace is not sampled, and the
    /// recorder has no rules for hosts.
    ignores_urls: bool,
    /// Counts the trace as failed when something fails. `None` if the sampling rule has no boost.
    watch: Option<Arc<Watch>>,
    /// Started at its first use, because an unsampled trace rarely needs a time.
    clock: OnceCell<Clock>,
    outgoing_headers: OutgoingHeaders,
    open_calls: OpenCalls,
    #[cfg(any(feature = "diesel", feature = "tracing"))]
    open_spans: OpenSpans,
    /// The number of annotations so far.
    annotations: AtomicUsize,
    /// The number of links so far.
    links: AtomicUsize,
    /// Observers of the end of the segment. `None` after the end.
    observers: Mutex<Option<Vec<&'static dyn SegmentObserver>>>,
    /// `true` if the segment is a facade: Lambda sends it, and this process sends only its subsegments.
    is_facade: bool,
    /// `true` if the facade has ended.
    is_over: AtomicBool,
    /// `true` if a document missed its time limit in Lambda. After that the trace waits for no further document.
    is_late: AtomicBool,
    /// Sends a report of the open segment before the document of its end.
    report: ProgressReport,
}

/// An observer of the end of a segment.
pub(crate) trait SegmentObserver: Sync {
    /// Handles the end of the segment. The segment calls this once.
    fn segment_ended(&self);
}

impl Trace {
    /// Continues the trace that `header` names, or starts a new trace. `segment` is the id of the segment in this
    /// process.
    pub(crate) fn new(recorder: Recorder, header: &TraceHeader, segment: SegmentId, sampled: bool) -> Self {
        let id = header.root.unwrap_or_else(TraceId::random);
        // The parts that X-Ray does not define, such as `Lineage`, are passed on to the next service.
        let extra = header.extra().fold(String::new(), |extra, (key, value)| extra + ";" + key + "=" + value);
        let outgoing_headers =
            OutgoingHeaders::new(recorder.propagation(), id, segment, sampled, &extra).with_state(header.state());
        Self {
            ignores_urls: !sampled && recorder.http_rules().is_none(),
            recorder,
            id,
            sampled,
            watch: None,
            clock: OnceCell::new(),
            outgoing_headers,
            open_calls: OpenCalls::default(),
            #[cfg(any(feature = "diesel", feature = "tracing"))]
            open_spans: OpenSpans::default(),
            annotations: AtomicUsize::new(0),
            links: AtomicUsize::new(0),
            observers: Mutex::new(Some(Vec::new())),
            is_facade: false,
            is_over: AtomicBool::new(false),
            is_late: AtomicBool::new(false),
            report: ProgressReport::default(),
        }
    }

    /// Creates the trace of a facade whose segment and sampling decision `header` names.
    ///
    /// If `header` lacks the parent or a decision, nothing is recorded, and requests carry `value`, the text of
    /// `header`, unchanged.
    pub(crate) fn of_facade(recorder: Recorder, value: &str, header: &TraceHeader, segment: SegmentId) -> Self {
        let is_decided = header.parent.is_some() && matches!(header.sampled, Some(Sampled::Yes | Sampled::No));
        let untouched = (!is_decided).then(|| OutgoingHeaders::untouched(recorder.propagation(), value, header));
        let sampled = is_decided && header.sampled == Some(Sampled::Yes);
        let trace = Self::new(recorder, header, segment, sampled);
        Self { is_facade: true, outgoing_headers: untouched.unwrap_or(trace.outgoing_headers), ..trace }
    }

    /// Sets the watch that counts the trace as failed.
    pub(crate) fn watched(self, watch: Option<Arc<Watch>>) -> Self {
        Self { watch, ..self }
    }

    /// Notes that something failed in the trace. The sampling rule may have a boost.
    pub(crate) fn note_failure(&self) {
        if let Some(watch) = &self.watch {
            watch.note_failure(self.sampled);
        }
    }

    /// Returns whether errors have an effect: they are recorded in a sampled trace, and counted for a boost in any
    /// trace.
    pub(crate) fn takes_errors(&self) -> bool {
        self.sampled || self.watch.is_some()
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    pub(crate) fn id(&self) -> TraceId {
        self.id
    }

    pub(crate) fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// Returns whether all requests are treated alike, so that no URL need be read.
    #[inline]
    pub(crate) fn ignores_urls(&self) -> bool {
        self.ignores_urls
    }

    pub(crate) fn is_facade(&self) -> bool {
        self.is_facade
    }

    /// Ends a facade.
    pub(super) fn end_facade(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.notify_observers();
    }

    /// Returns whether the facade has ended.
    #[cfg(any(feature = "diesel", feature = "tracing"))]
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Returns the time now, which never decreases within a trace.
    pub(crate) fn now(&self) -> Time {
        self.clock.get_or_init(Clock::start).now()
    }

    /// Returns the trace headers of outgoing requests.
    #[inline]
    pub(crate) fn outgoing_headers(&self) -> &OutgoingHeaders {
        &self.outgoing_headers
    }

    /// Registers an observer that is notified when the segment ends. Returns `false` if the segment has ended.
    pub(crate) fn add_observer(&self, observer: &'static dyn SegmentObserver) -> bool {
        let mut observers = lock(&self.observers);
        observers.as_mut().map(|observers| observers.push(observer)).is_some()
    }

    /// Notifies the observers of the end of the segment, each once.
    //
    // The list is taken first, so that no lock is held while an observer logs: the program's logger may open a segment.
    pub(super) fn notify_observers(&self) {
        let observers = lock(&self.observers).take();
        observers.into_iter().flatten().for_each(SegmentObserver::segment_ended);
    }

    /// Returns the spans of the segment that are not closed.
    #[cfg(any(feature = "diesel", feature = "tracing"))]
    pub(crate) fn open_spans(&self) -> &OpenSpans {
        &self.open_spans
    }

    /// Registers an HTTP call as open until [`call_ends`](Self::call_ends).
    pub(crate) fn call_begins(&self, id: SegmentId) {
        self.open_calls.insert(id);
    }

    /// Removes an HTTP call from the open ones.
    pub(crate) fn call_ends(&self, id: SegmentId) {
        self.open_calls.remove(id);
    }

    /// Counts new annotations, and reports each annotation beyond the 50 that X-Ray indexes for a trace. (Developer
    /// guide, "Annotations".)
    pub(crate) fn note_annotations(&self, count: usize) {
        const INDEXED: usize = 50;
        let before = self.annotations.fetch_add(count, Ordering::Relaxed);
        for _ in before.max(INDEXED)..before.saturating_add(count) {
            self.recorder.report_value(
                "an annotation of trace",
                &self.id,
                "recorded but not searchable (X-Ray indexes 50 annotations of a trace; use metadata for the rest)",
            );
        }
    }

    /// Counts a new link. Returns `false` if the trace has the 100 links that X-Ray accepts. (Developer guide, "Tracing
    /// event-driven applications".)
    pub(crate) fn count_link(&self) -> bool {
        const MAX_LINKS: usize = 100;
        self.links.fetch_add(1, Ordering::Relaxed) < MAX_LINKS
    }

    /// Returns a copy of the trace for work that is not recorded.
    pub(super) fn unsampled(&self, segment: SegmentId) -> Self {
        let mut header = TraceHeader::default();
        header.root = Some(self.id);
        let trace = Self::new(self.recorder.clone(), &header, segment, false);
        let outgoing_headers = self.outgoing_headers.unsampled(self.recorder.propagation(), self.id, segment);
        Self { outgoing_headers, is_facade: self.is_facade, ..trace }
    }

    /// Sends one or more records.
    ///
    /// In Lambda this waits until the documents have left, because Lambda freezes the process as soon as the function
    /// has answered. After the first document that misses the limit, the trace waits for no further one.
    pub(super) fn emit(&self, records: impl IntoIterator<Item = Box<Record>>) {
        self.emit_without_waiting(records);
        self.wait_in_lambda();
    }

    fn wait_in_lambda(&self) {
        const LIMIT: Duration = Duration::from_millis(500);

        let is_awaited = self.recorder.is_in_lambda() && !self.is_late.load(Ordering::Relaxed);
        if is_awaited && !self.recorder.flush(LIMIT) {
            self.is_late.store(true, Ordering::Relaxed);
            log_line!(
                Warn,
                "xray::lambda",
                "a document was not sent within {LIMIT:?}: it is lost if Lambda freezes the process first"
            );
        }
    }

    /// Sends records without waiting until the documents have left, even in Lambda.
    pub(super) fn emit_without_waiting(&self, records: impl IntoIterator<Item = Box<Record>>) {
        self.recorder.emit(records.into_iter().map(FinishedSegment::new));
    }

    /// Notes that an open segment is being reported; see [`emit_end`](Self::emit_end).
    pub(super) fn begin_report(&self, segment: SegmentId) {
        self.report.begin(segment);
    }

    /// Notes that the report has been sent, and sends the record of the segment if the segment has ended meanwhile.
    pub(super) fn end_report(&self) {
        self.emit_without_waiting(self.report.end());
    }

    /// Sends the record of the segment, which has ended. If the open segment is being reported at this moment, the
    /// thread that reports sends the record after its report.
    pub(super) fn emit_end(&self, record: Box<Record>) {
        match self.report.hold_back(record) {
            Some(record) => self.emit([record]),
            None => self.wait_in_lambda(),
        }
    }

    /// Returns whether the header names an open call of this segment: then the request that carries the header is on
    /// its way, and another mechanism records it.
    pub(crate) fn is_open_call(&self, header: &TraceHeader) -> bool {
        header.root == Some(self.id) && header.parent.is_some_and(|id| self.open_calls.contains(id))
    }
}
