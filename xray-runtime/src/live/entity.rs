//! A segment or subsegment that is open: its owner ends it, and its handles write to its record.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;
use std::{iter, mem};

use serde_json::Value;

use crate::document::{AnnotationValue, Exception};
use crate::header::propagation::Outbound;
use crate::header::trace_header::{Sampled, TraceHeader};
use crate::id::{SegmentId, TraceId};
use crate::live::clock::Clock;
use crate::live::open_calls::OpenCalls;
#[cfg(feature = "tracing")]
use crate::live::open_spans::OpenSpans;
use crate::live::report::Report;
use crate::record::{FinishedSegment, NoRoom, Place, Record, Records, Time};
use crate::recorder::{InProgress, Recorder};
use crate::sampling::Watch;
use crate::support::log_line::log_line;

/// The maximum nesting depth of subsegments in one document. A deeper subsegment is sent as a separate document.
//
// X-Ray documents no limit, but JSON parsers have one: serde_json refuses 128 levels. Each subsegment takes two (an object in
// a list), and the metadata of the innermost one up to 67: the document, two objects and a value of 64 levels.
const MAX_DEPTH: u16 = 24;

/// `true` if a segment has begun in this process, for the log of a missing context.
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

/// A segment or subsegment of a trace.
///
/// Exactly one owner ends it. Contexts hold it too, but only write to it, so that a leaked task keeps no segment open.
pub(crate) struct Entity {
    trace: Arc<Trace>,
    id: SegmentId,
    /// The number of ancestors. Zero for a segment.
    depth: u16,
    /// The entity in which this one began. After the end, the nearest ancestor that is open.
    //
    // A job that starts its own next run in its trace makes an endless chain, each run in the one before. If an ended
    // entity kept its parent, the last run would keep all of them.
    parent: Mutex<Option<Arc<Entity>>>,
    /// `None` after the end, for a facade, and in a trace that is not sampled.
    record: Mutex<Option<Box<Record>>>,
}

/// The state that a segment shares with all its subsegments.
pub(crate) struct Trace {
    recorder: Recorder,
    id: TraceId,
    sampled: bool,
    /// `true` if all requests are treated alike, so that no URL need be read: the trace is not sampled, and the recorder has
    /// no rules for hosts.
    ignores_urls: bool,
    /// Counts the trace as failed when something fails. `None` if the sampling rule has no boost.
    watch: Option<Arc<Watch>>,
    clock: Clock,
    outbound: Outbound,
    open_calls: OpenCalls,
    #[cfg(feature = "tracing")]
    open_spans: OpenSpans,
    /// The number of annotations so far.
    annotations: AtomicUsize,
    /// The number of links so far.
    links: AtomicUsize,
    /// Observers of the end of the segment. `None` after the end.
    observers: Mutex<Option<Vec<&'static dyn SegmentObserver>>>,
    /// The segment. Weak, because the segment holds this.
    segment: OnceLock<Weak<Entity>>,
    /// `true` if the segment is a facade: Lambda sends it, and this process sends only its subsegments.
    is_facade: bool,
    /// `true` if the facade has ended.
    is_over: AtomicBool,
    /// `true` if a document missed its time limit in Lambda. After that the trace waits for no further document.
    is_late: AtomicBool,
    /// The report of the open segment that is being made.
    report: Report,
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
        let outbound = Outbound::new(recorder.propagation(), id, segment, sampled, &extra).with_rule(header.rule());
        Self {
            ignores_urls: !sampled && recorder.http_rules().is_none(),
            recorder,
            id,
            sampled,
            watch: None,
            clock: Clock::start(),
            outbound,
            open_calls: OpenCalls::default(),
            #[cfg(feature = "tracing")]
            open_spans: OpenSpans::default(),
            annotations: AtomicUsize::new(0),
            links: AtomicUsize::new(0),
            observers: Mutex::new(Some(Vec::new())),
            segment: OnceLock::new(),
            is_facade: false,
            is_over: AtomicBool::new(false),
            is_late: AtomicBool::new(false),
            report: Report::default(),
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

    /// Returns the time now, which never decreases within a trace.
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// Returns the trace headers of outgoing requests.
    #[inline]
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// Registers an observer that is notified when the segment ends. Returns `false` if the segment has ended.
    pub(crate) fn add_observer(&self, observer: &'static dyn SegmentObserver) -> bool {
        let mut observers = lock(&self.observers);
        observers.as_mut().map(|observers| observers.push(observer)).is_some()
    }

    /// Notifies the observers of the end of the segment, each once.
    //
    // The list is taken first, so that no lock is held while an observer logs: the program's logger may open a segment.
    fn notify_observers(&self) {
        let observers = lock(&self.observers).take();
        observers.into_iter().flatten().for_each(SegmentObserver::segment_ended);
    }

    /// Returns the spans of the segment that are not closed.
    #[cfg(feature = "tracing")]
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

    /// Counts a new link. Returns `false` if the trace has the 100 links that X-Ray accepts. (Developer guide, "Tracing
    /// event-driven applications".)
    pub(crate) fn has_room_for_a_link(&self) -> bool {
        const MAX_LINKS: usize = 100;
        self.links.fetch_add(1, Ordering::Relaxed) < MAX_LINKS
    }

    /// Returns a copy of the trace for work that is not recorded.
    fn unsampled(&self, segment: SegmentId) -> Self {
        let mut header = TraceHeader::default();
        header.root = Some(self.id);
        let trace = Self::new(self.recorder.clone(), &header, segment, false);
        let outbound = self.outbound.unsampled(self.recorder.propagation(), self.id, segment);
        Self { outbound, is_facade: self.is_facade, ..trace }
    }

    /// Sends records.
    ///
    /// In Lambda this waits until the documents have left, because Lambda freezes the process as soon as the function
    /// has answered. After the first document that misses the limit, the trace waits for no further one.
    fn emit(&self, records: impl IntoIterator<Item = Box<Record>>) {
        if self.emit_without_waiting(records) > 0 {
            self.wait_in_lambda();
        }
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

    /// Sends records and returns how many.
    fn emit_without_waiting(&self, records: impl IntoIterator<Item = Box<Record>>) -> usize {
        self.recorder.emit(records.into_iter().map(FinishedSegment::new))
    }

    /// Sends the record of the segment, which has ended. If the open segment is being reported at this moment, the thread
    /// that reports sends the record after its report.
    fn emit_end(&self, record: Box<Record>) {
        match self.report.hold_back(record) {
            Some(record) => self.emit([record]),
            None => self.wait_in_lambda(),
        }
    }

    /// Returns whether the header names an open call of this segment: then the request that carries the header is on its
    /// way, and another mechanism records it.
    pub(crate) fn is_open_call(&self, header: &TraceHeader) -> bool {
        header.root == Some(self.id) && header.parent.is_some_and(|id| self.open_calls.contains(id))
    }
}

impl Entity {
    /// Creates a segment. `record` is `None` if the trace is not sampled, or if the segment is a facade.
    pub(crate) fn segment(trace: Trace, id: SegmentId, record: Option<Box<Record>>) -> Arc<Self> {
        // A load first: after the first segment all threads only read, and the cache line stays shared.
        if !HAS_BEGUN.load(Ordering::Relaxed) {
            HAS_BEGUN.store(true, Ordering::Relaxed);
        }
        let (trace, is_recorded) = (Arc::new(trace), record.is_some());
        let segment = Arc::new(Self { trace, id, depth: 0, parent: Mutex::new(None), record: Mutex::new(record) });
        let _ = segment.trace.segment.set(Arc::downgrade(&segment));
        if is_recorded {
            segment.trace.recorder.register_open_segment(id, || Arc::downgrade(&segment));
        }
        segment
    }

    /// Creates an entity of this trace that is not recorded. If this entity is not recorded, returns the entity itself.
    pub(crate) fn unsampled(entity: &Arc<Self>) -> Arc<Self> {
        if !entity.trace.sampled {
            return Arc::clone(entity);
        }
        let id = entity.id;
        Self::segment(entity.trace.unsampled(id), id, None)
    }

    /// Returns whether any segment has begun in this process.
    pub(crate) fn has_any_begun() -> bool {
        HAS_BEGUN.load(Ordering::Relaxed)
    }

    /// Creates a subsegment of this entity, with the record `record`. The trace must be sampled.
    pub(crate) fn subsegment(self: &Arc<Self>, record: Box<Record>) -> Arc<Self> {
        if self.has_ended() {
            self.release_ended_ancestors();
        }
        let subsegment = Arc::new(Self {
            trace: Arc::clone(&self.trace),
            id: record.id,
            depth: self.depth.saturating_add(1),
            parent: Mutex::new(Some(Arc::clone(self))),
            record: Mutex::new(Some(record)),
        });
        if self.is_facade() {
            self.trace.recorder.register_open_segment(subsegment.id, || Arc::downgrade(&subsegment));
        }
        subsegment
    }

    /// Returns whether each child is reported while it is open: below a facade, which is not sent, a child is the
    /// outermost document.
    pub(crate) fn reports_children(&self) -> bool {
        self.is_facade() && self.trace.sampled && self.trace.recorder.reports_progress()
    }

    #[inline]
    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.id
    }

    pub(crate) fn is_segment(&self) -> bool {
        self.depth == 0
    }

    /// Returns the ids of this entity and of its ancestors, innermost first. Ended ancestors may be missing.
    pub(crate) fn ancestor_ids(&self) -> Vec<SegmentId> {
        let ancestors = iter::successors(self.parent(), |ancestor| ancestor.parent());
        iter::once(self.id).chain(ancestors.map(|ancestor| ancestor.id)).collect()
    }

    fn parent(&self) -> Option<Arc<Self>> {
        lock(&self.parent).clone()
    }

    /// Replaces the link to the parent by a link to the nearest ancestor that is open.
    fn release_ended_ancestors(&self) {
        let mut ancestors = iter::successors(self.parent(), |ancestor| ancestor.parent());
        let nearest = ancestors.find(|ancestor| !ancestor.has_ended());
        // The old link is dropped after the lock is released: the drop may free a chain of entities.
        let released = mem::replace(&mut *lock(&self.parent), nearest);
        drop(released);
    }

    /// Returns whether this entity of a sampled trace has ended. A facade never has a record and counts as ended.
    fn has_ended(&self) -> bool {
        self.lock().is_none()
    }

    /// Returns the segment that this entity belongs to, or is. Returns `None` if nobody holds the segment any more.
    pub(crate) fn root(&self) -> Option<Arc<Self>> {
        self.trace.segment.get()?.upgrade()
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
    pub(crate) fn update(&self, write: impl FnOnce(&mut Record)) {
        self.write(write);
    }

    /// Adds an annotation. The caller has made sure that X-Ray accepts it.
    pub(crate) fn annotate(&self, key: String, value: AnnotationValue) {
        match self.write(|record| record.details_mut().annotate(key, value)) {
            Some(Ok(is_new)) => self.trace.note_annotations(usize::from(is_new)),
            Some(Err(no_room)) => self.report_no_room("annotation", &no_room),
            None => {}
        }
    }

    /// Adds a value to the metadata.
    pub(crate) fn add_metadata(&self, namespace: String, key: String, value: Value) {
        if let Some(Err(no_room)) = self.write(|record| record.details_mut().add_metadata(namespace, key, value)) {
            self.report_no_room("metadata", &no_room);
        }
    }

    /// Adds a value to the `aws` block.
    pub(crate) fn add_aws(&self, key: String, value: Value) {
        if let Some(Err(no_room)) = self.write(|record| record.details_mut().add_aws(key, value)) {
            self.report_no_room("aws", &no_room);
        }
    }

    /// Records the error that `read` returns, with its sources. Calls `read` only if there is room for it.
    pub(crate) fn record_error(&self, read: impl FnOnce() -> Vec<Exception>) {
        // Check for room first: `read` runs the program's code and may walk the stack, which takes time.
        let has_room = self.lock().as_ref().is_some_and(|record| record.has_room_for_an_error());
        let chain = if has_room { read() } else { Vec::new() };
        if self.write(|record| record.record_error(chain)) == Some(false) {
            self.report_no_room("error", &NoRoom(self.id.to_string()));
        }
    }

    /// Records an unwinding panic; see [`Record::record_panic`].
    pub(crate) fn record_panic(&self, exception: &Exception) -> Option<SegmentId> {
        self.write(|record| record.record_panic(exception)).flatten()
    }

    /// Records an unwinding panic that an inner scope has recorded with this id.
    pub(crate) fn record_known_panic(&self, exception: &Exception) {
        self.write(|record| record.record_known_panic(exception));
    }

    fn report_no_room(&self, what: &str, NoRoom(key): &NoRoom) {
        self.trace.recorder.report_value(what, key, "left out, as its segment or subsegment holds too much already");
    }

    /// Writes to the record, if there is one; see [`update`](Self::update). Counts a value for a facade.
    fn write<T>(&self, write: impl FnOnce(&mut Record) -> T) -> Option<T> {
        let written = self.lock().as_mut().map(|record| write(record));
        if written.is_none() && self.is_facade() {
            self.trace.recorder.report_value(
                "a value for Lambda's own segment",
                &self.id.to_string(),
                "left out, as only Lambda writes to it. Put `#[xray::traced]` on the handler: the value is then recorded in \
                 its subsegment",
            );
        }
        written
    }

    /// Ends this entity now. A segment is sent. A subsegment is embedded in its parent, or sent as a separate document
    /// if the parent has ended or the nesting is too deep.
    ///
    /// Only the first call has an effect.
    pub(crate) fn end(&self) {
        #[cfg(feature = "tracing")]
        if self.trace.open_spans.end_below(self.id) {
            self.lock().iter_mut().for_each(|record| record.sort_by_end());
        }
        if self.is_facade() {
            self.trace.is_over.store(true, Ordering::Relaxed);
            return self.trace.notify_observers();
        }
        let parent = self.parent();
        let mut own = self.lock();
        let Some(mut record) = own.take() else { return };
        record.end.get_or_insert_with(|| self.trace.now());
        match parent {
            None => {
                drop(own);
                self.trace.notify_observers();
                self.trace.recorder.forget_open_segment(self.id);
                self.trace.emit_end(record);
            }
            Some(facade) if facade.is_facade() => {
                drop(own);
                self.trace.recorder.forget_open_segment(self.id);
                record.place = Some(Place::below(self.trace.id, facade.id));
                self.trace.emit_end(record);
                self.release_ended_ancestors();
            }
            Some(parent) => {
                // Two threads may end this entity at the same time, and one of them may then end the parent. That
                // thread must find this entity embedded, so this thread embeds it before it releases the lock. Locks
                // are taken from the inside out.
                let leaving = parent.embed(record);
                drop(own);
                parent.send_independent(leaving);
                self.release_ended_ancestors();
            }
        }
    }

    /// Ends this entity without recording it, unless a report of progress has shown it already.
    pub(crate) fn forget(&self) {
        if self.lock().as_ref().is_some_and(|record| record.was_sent_in_progress()) {
            return self.end();
        }
        self.trace.recorder.forget_open_segment(self.id);
        self.lock().take();
    }

    /// Embeds a finished child, or sends it as a separate document if this entity has ended or the depth limit is
    /// reached.
    pub(crate) fn adopt(&self, child: Box<Record>) {
        self.send_independent(self.embed(child));
    }

    /// Embeds a finished child; see [`adopt`](Self::adopt). Returns the records that are to be sent.
    fn embed(&self, child: Box<Record>) -> Records {
        // A new document begins at each depth that is a multiple of the limit, so no document is nested deeper than it.
        let is_too_deep = self.depth.saturating_add(1) % MAX_DEPTH == 0;
        match &mut *self.lock() {
            Some(record) if !is_too_deep => record.embed(child, self.trace.recorder.streaming_threshold()),
            _ => vec![child],
        }
    }

    fn send_independent(&self, children: Records) {
        // Most children stay embedded, and then nothing leaves.
        if children.is_empty() {
            return;
        }
        self.trace.emit(self.independent(children));
    }

    /// Makes children documents of their own, with this entity as their parent.
    fn independent(&self, children: Records) -> impl Iterator<Item = Box<Record>> {
        let place = Place::below(self.trace.id, self.id);
        children.into_iter().map(move |mut child| {
            child.place = Some(Arc::clone(&place));
            child
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<Record>>> {
        lock(&self.record)
    }
}

impl Drop for Entity {
    /// Frees a chain of ancestors in a loop. The default drop would recurse once for each of them, and a long chain would
    /// overflow the stack.
    fn drop(&mut self) {
        let mut next = take_parent(self);
        while let Some(mut ancestor) = next.and_then(Arc::into_inner) {
            next = take_parent(&mut ancestor);
        }
    }
}

fn take_parent(entity: &mut Entity) -> Option<Arc<Entity>> {
    entity.parent.get_mut().unwrap_or_else(PoisonError::into_inner).take()
}

impl InProgress for Entity {
    /// Sends the subsegments that have ended, and this entity itself with `in_progress` the first time.
    ///
    /// The ended subsegments are removed from the record, so that each is sent once.
    fn report(&self) {
        // Before the record is looked at: an entity that has ended lets go of the facade.
        let facade = self.parent();
        let (ended, so_far) = {
            let mut record = self.lock();
            let Some(record) = &mut *record else { return };
            let ended = record.release();
            let so_far = record.so_far();
            if so_far.is_some() {
                // Before the record is unlocked: an end that comes later finds it.
                self.trace.report.begin(self.id);
            }
            (ended, so_far)
        };
        // No flush, not even in Lambda: this runs on the background thread, on which the task that sends the documents
        // could not run meanwhile. The flush at the segment's end waits for these documents too, as they were queued first.
        self.trace.emit_without_waiting(self.independent(ended));
        let Some(mut so_far) = so_far else { return };
        if let Some(facade) = facade {
            so_far.place = Some(Place::below(self.trace.id, facade.id));
        }
        self.trace.emit_without_waiting([so_far]);
        self.trace.emit_without_waiting(self.trace.report.end());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
