//! A segment or subsegment that is open: its owner ends it, and its handles write to its record.

use std::mem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::document::{Document, Extent};
use crate::header::propagation::Outbound;
use crate::header::trace_header::{Sampled, TraceHeader};
use crate::id::{SegmentId, TraceId};
use crate::live::open_calls::OpenCalls;
use crate::recorder::{InProgress, Recorder};
use crate::support::log_line::log_line;

/// The maximum nesting depth of subsegments in one document. A deeper subsegment is sent as a separate document.
//
// X-Ray documents no limit, but JSON parsers have one: serde_json refuses more than 128 levels, and each subsegment
// takes two (an object in a list).
const MAX_DEPTH: u16 = 32;

/// Whether a segment has begun in this process, for the log of a missing context.
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

/// A segment or subsegment of a trace.
///
/// Exactly one owner ends it. Contexts hold it too, but only write to it, so that a leaked task keeps no segment open.
pub(crate) struct Entity {
    trace: Arc<Trace>,
    id: SegmentId,
    /// `None` for a segment.
    parent: Option<Arc<Entity>>,
    depth: u16,
    /// `None` after the end, for a facade, and in a trace that is not sampled.
    record: Mutex<Option<Record>>,
}

/// The record of an open entity.
struct Record {
    document: Document,
    /// The extent of the subsegments that are embedded in `document`.
    embedded: Extent,
    /// Whether the document was sent with `in_progress`. X-Ray accepts that once for a segment.
    was_sent_in_progress: bool,
}

impl From<Document> for Record {
    fn from(document: Document) -> Self {
        Self { document, embedded: Extent::default(), was_sent_in_progress: false }
    }
}

impl Record {
    /// Embeds a finished child. `embedded` is the extent of the child's own subsegments. `complete` sets the child's
    /// remaining fields.
    ///
    /// Removes and returns *all* embedded subsegments if they exceed `limit`; the caller sends them. Otherwise returns
    /// no documents.
    fn embed(
        &mut self,
        child: Document,
        embedded: Extent,
        complete: impl FnOnce(&mut Document),
        limit: Extent,
    ) -> Vec<Document> {
        // The child is completed inside the vector: a document is over 400 bytes, and a second move is measurable.
        self.document.subsegments.push(child);
        let child = self.document.subsegments.last_mut().map_or(0, |child| {
            complete(child);
            child.own_bytes()
        });
        let Extent { subsegments, bytes } = &mut self.embedded;
        *subsegments += embedded.subsegments + 1;
        *bytes = bytes.saturating_add(embedded.bytes).saturating_add(child);
        let is_full = *subsegments > limit.subsegments || *bytes > limit.bytes;
        if is_full { self.release() } else { Vec::new() }
    }

    /// Removes and returns all embedded subsegments.
    fn release(&mut self) -> Vec<Document> {
        self.embedded = Extent::default();
        mem::take(&mut self.document.subsegments)
    }
}

/// The state that a segment shares with all its subsegments.
pub(crate) struct Trace {
    recorder: Recorder,
    id: TraceId,
    sampled: bool,
    clock: Clock,
    outbound: Outbound,
    open_calls: OpenCalls,
    /// The number of annotations so far.
    annotations: AtomicUsize,
    /// Observers of the end of the segment.
    observers: Mutex<Vec<&'static dyn SegmentObserver>>,
    /// Whether the segment is a facade: Lambda sends it, and this process sends only its subsegments.
    is_facade: bool,
    /// Whether the facade has ended.
    is_over: AtomicBool,
    /// Whether a document missed its time limit in Lambda. After that the trace waits for no further document.
    is_late: AtomicBool,
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
        let outbound = Outbound::new(recorder.propagation(), id, segment, sampled, &extra);
        Self {
            recorder,
            id,
            sampled,
            clock: Clock::start(),
            outbound,
            open_calls: OpenCalls::default(),
            annotations: AtomicUsize::new(0),
            observers: Mutex::default(),
            is_facade: false,
            is_over: AtomicBool::new(false),
            is_late: AtomicBool::new(false),
        }
    }

    /// Creates the trace of a facade whose segment and sampling decision `header` names.
    ///
    /// If `header` lacks the parent or a decision, nothing is recorded, and requests carry `value`, the text of
    /// `header`, unchanged.
    pub(crate) fn of_facade(recorder: Recorder, value: &str, header: &TraceHeader, segment: SegmentId) -> Self {
        let is_decided = header.parent.is_some() && matches!(header.sampled, Some(Sampled::Yes | Sampled::No));
        let untouched = (!is_decided).then(|| Outbound::untouched(recorder.propagation(), value, header));
        let sampled = is_decided && header.sampled == Some(Sampled::Yes);
        let trace = Self::new(recorder, header, segment, sampled);
        Self { is_facade: true, outbound: untouched.unwrap_or(trace.outbound), ..trace }
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

    pub(crate) fn is_facade(&self) -> bool {
        self.is_facade
    }

    /// Returns the seconds since the Unix epoch. The value never decreases within a trace.
    pub(crate) fn now(&self) -> f64 {
        self.clock.now()
    }

    /// Returns the trace headers of outgoing requests.
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// Registers an observer that is notified when the segment ends.
    pub(crate) fn add_observer(&self, observer: &'static dyn SegmentObserver) {
        lock(&self.observers).push(observer);
    }

    /// Notifies the observers of the end of the segment, each once.
    //
    // The list is taken first, so that no lock is held while an observer logs: the program's logger may open a segment.
    fn notify_observers(&self) {
        let observers = mem::take(&mut *lock(&self.observers));
        observers.into_iter().for_each(SegmentObserver::segment_ended);
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
        if count > 0 {
            let before = self.annotations.fetch_add(count, Ordering::Relaxed);
            for _ in before.max(INDEXED)..before.saturating_add(count) {
                self.recorder.report_value(
                    "an annotation of trace",
                    &self.id.to_string(),
                    "recorded but not searchable (X-Ray indexes 50 annotations of a trace; use metadata for the rest)",
                );
            }
        }
    }

    /// Sends documents.
    ///
    /// In Lambda this waits until the documents have left, because Lambda freezes the process as soon as the function
    /// has answered. After the first document that misses the limit, the trace waits for no further one.
    fn emit(&self, documents: impl IntoIterator<Item = Document>) {
        const LIMIT: Duration = Duration::from_millis(500);

        let count = self.emit_without_waiting(documents);
        let is_awaited = count > 0 && self.recorder.is_in_lambda() && !self.is_late.load(Ordering::Relaxed);
        if is_awaited && !self.recorder.flush(LIMIT) {
            self.is_late.store(true, Ordering::Relaxed);
            log_line!(
                Warn,
                "xray::lambda",
                "a document was not sent within {LIMIT:?}: it is lost if Lambda freezes the process first"
            );
        }
    }

    /// Sends documents and returns how many.
    fn emit_without_waiting(&self, documents: impl IntoIterator<Item = Document>) -> usize {
        documents.into_iter().map(|document| self.recorder.emit(document)).count()
    }

    /// Returns whether the header names an open call of this segment: then the request that carries the header is on its
    /// way, and another mechanism records it.
    pub(crate) fn is_open_call(&self, header: &TraceHeader) -> bool {
        header.root == Some(self.id) && header.parent.is_some_and(|id| self.open_calls.contains(id))
    }
}

impl Entity {
    /// Creates a segment. `record` is `None` if the trace is not sampled, or if the segment is a facade.
    pub(crate) fn segment(trace: Trace, id: SegmentId, record: Option<Document>) -> Arc<Self> {
        // A load first: after the first segment all threads only read, and the cache line stays shared.
        if !HAS_BEGUN.load(Ordering::Relaxed) {
            HAS_BEGUN.store(true, Ordering::Relaxed);
        }
        let (trace, is_recorded) = (Arc::new(trace), record.is_some());
        let record = Mutex::new(record.map(Record::from));
        let segment = Arc::new(Self { trace, id, parent: None, depth: 0, record });
        if is_recorded {
            segment.trace.recorder.register_open_segment(id, || Arc::downgrade(&segment));
        }
        segment
    }

    /// Returns whether any segment has begun in this process.
    pub(crate) fn has_any_begun() -> bool {
        HAS_BEGUN.load(Ordering::Relaxed)
    }

    /// Creates a subsegment of this entity, with the record `record`. The trace must be sampled.
    pub(crate) fn subsegment(self: &Arc<Self>, record: Document) -> Arc<Self> {
        Arc::new(Self {
            trace: Arc::clone(&self.trace),
            id: record.id,
            parent: Some(Arc::clone(self)),
            depth: self.depth.saturating_add(1),
            record: Mutex::new(Some(record.into())),
        })
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.id
    }

    pub(crate) fn is_segment(&self) -> bool {
        self.parent.is_none()
    }

    /// Returns the ids of this entity and of its ancestors, innermost first.
    pub(crate) fn ancestor_ids(&self) -> Vec<SegmentId> {
        std::iter::successors(Some(self), |entity| entity.parent.as_deref()).map(|entity| entity.id).collect()
    }

    /// Returns the segment that this entity belongs to, or is.
    pub(crate) fn root(self: &Arc<Self>) -> &Arc<Self> {
        let mut entity = self;
        while let Some(parent) = &entity.parent {
            entity = parent;
        }
        entity
    }

    /// Returns whether both entities belong to the same segment of this process.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_in_segment_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.trace, &other.trace)
    }

    /// Returns whether this is a facade: a segment that Lambda sends.
    pub(crate) fn is_facade(&self) -> bool {
        self.is_segment() && self.trace.is_facade
    }

    /// Returns whether this entity has not ended. An entity without a record, other than a facade, is not open.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_open(&self) -> bool {
        if self.is_facade() { !self.trace.is_over.load(Ordering::Relaxed) } else { self.lock().is_some() }
    }

    /// Writes to the record, if there is one.
    ///
    /// The record is locked while `write` runs, so `write` must not run code of the user: a `Display` or an emitter that
    /// writes to this entity would deadlock.
    pub(crate) fn update(&self, write: impl FnOnce(&mut Document)) {
        if let Some(record) = &mut *self.lock() {
            write(&mut record.document);
        } else if self.is_facade() {
            self.trace.recorder.report_value("a value for Lambda's own segment", &self.id.to_string(), "left out");
        }
    }

    /// Ends this entity now. A segment is sent. A subsegment is embedded in its parent, or sent as a separate document
    /// if the parent has ended or the nesting is too deep.
    ///
    /// Only the first call has an effect.
    pub(crate) fn end(&self) {
        if self.is_facade() {
            self.trace.is_over.store(true, Ordering::Relaxed);
            return self.trace.notify_observers();
        }
        let Some(Record { mut document, embedded, .. }) = self.lock().take() else { return };
        document.end_time.get_or_insert_with(|| self.trace.now());
        match &self.parent {
            None => {
                self.trace.notify_observers();
                self.trace.recorder.forget_open_segment(self.id);
                self.trace.emit([document]);
            }
            Some(parent) => parent.adopt(document, embedded, |_| {}),
        }
    }

    /// Ends this entity without recording it.
    pub(crate) fn forget(&self) {
        self.lock().take();
    }

    /// Embeds a finished child, or sends it as a separate document if this entity has ended or the depth limit is
    /// reached.
    ///
    /// `embedded` is the extent of the child's own subsegments. `complete` sets the child's remaining fields. `complete`
    /// may run while the record is locked, so it must not run code of the user: see [`update`](Self::update).
    pub(crate) fn adopt(&self, mut child: Document, embedded: Extent, complete: impl FnOnce(&mut Document)) {
        // A new document begins at each depth that is a multiple of the limit, so no document is nested deeper than it.
        let is_too_deep = self.depth.saturating_add(1) % MAX_DEPTH == 0;
        let leaving = match &mut *self.lock() {
            Some(record) if !is_too_deep => {
                record.embed(child, embedded, complete, self.trace.recorder.streaming_threshold())
            }
            _ => {
                complete(&mut child);
                vec![child]
            }
        };
        self.send_independent(leaving);
    }

    fn send_independent(&self, children: Vec<Document>) {
        self.trace.emit(self.independent(children));
    }

    /// Makes children documents of their own, with this entity as their parent.
    fn independent(&self, children: Vec<Document>) -> impl Iterator<Item = Document> {
        children.into_iter().map(|mut child| {
            child.make_independent(self.trace.id, self.id);
            child
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Record>> {
        lock(&self.record)
    }
}

impl InProgress for Entity {
    /// Sends the subsegments that have ended, and the segment itself with `in_progress` the first time.
    ///
    /// The subsegments are removed from the record, so that each is sent once.
    fn report(&self) {
        let (ended, so_far) = {
            let mut record = self.lock();
            let Some(record) = &mut *record else { return };
            let ended = record.release();
            let was_sent = mem::replace(&mut record.was_sent_in_progress, true);
            (ended, (!was_sent).then(|| Document { in_progress: true, ..record.document.clone() }))
        };
        // No flush, not even in Lambda: this runs on the background thread, on which the task that sends the documents
        // could not run meanwhile. The flush at the segment's end waits for these documents too, as they were queued first.
        self.trace.emit_without_waiting(self.independent(ended));
        self.trace.emit_without_waiting(so_far);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A wall clock that does not jump: the system's time at the start plus the monotonic time since then.
//
// A clock step (NTP, a resumed virtual machine) would otherwise put a child before its parent or give it a negative
// duration, and X-Ray draws such a trace wrongly.
struct Clock {
    start_micros: u64,
    started: Instant,
}

impl Clock {
    fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start_micros: u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX), started: Instant::now() }
    }

    #[expect(clippy::cast_precision_loss, reason = "a double holds microseconds until the year 2255")]
    fn now(&self) -> f64 {
        let passed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.start_micros.saturating_add(passed) as f64 / 1_000_000.0
    }
}
