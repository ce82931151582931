//! A live segment or subsegment: the record that its owner ends and its handles write to.

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

/// Levels of nesting in one document; the subsegment below leaves by itself.
const MAX_DEPTH: u16 = 32;

/// One entity of a trace. Its owner ends it; contexts hold it only to write to it while it is open.
pub(crate) struct Entity {
    trace: Arc<Trace>,
    id: SegmentId,
    /// `None` for a segment.
    parent: Option<Arc<Entity>>,
    depth: u16,
    /// `None` once ended, and always of a facade and in a trace that is not sampled.
    record: Mutex<Option<Record>>,
}

/// What is known of an entity so far.
struct Record {
    document: Document,
    /// What its ended subsegments hold.
    embedded: Extent,
    /// Whether it was sent in progress. X-Ray takes that once.
    is_told: bool,
}

impl From<Document> for Record {
    fn from(document: Document) -> Self {
        Self { document, embedded: Extent::default(), is_told: false }
    }
}

impl Record {
    /// Takes in one that has ended, in which so much is embedded. All that is embedded leaves again where it is more
    /// than a record is to hold.
    fn embed(
        &mut self,
        child: Document,
        embedded: Extent,
        complete: impl FnOnce(&mut Document),
        limit: Extent,
    ) -> Vec<Document> {
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

    /// All that is embedded.
    fn release(&mut self) -> Vec<Document> {
        self.embedded = Extent::default();
        mem::take(&mut self.document.subsegments)
    }
}

/// What the entities below one segment have in common.
pub(crate) struct Trace {
    recorder: Recorder,
    id: TraceId,
    sampled: bool,
    clock: Clock,
    outbound: Outbound,
    open_calls: OpenCalls,
    annotations: AtomicUsize,
    /// What is to be told where the segment ends.
    watched: Mutex<Vec<&'static dyn Watched>>,
    /// Whether somebody else sends the segment.
    is_facade: bool,
    /// Whether the facade has ended.
    is_over: AtomicBool,
    /// Whether a document did not leave in time, so that none is waited for any more.
    is_late: AtomicBool,
}

/// Something that waits for the end of a segment.
pub(crate) trait Watched: Sync {
    fn segment_ended(&self);
}

impl Trace {
    /// A trace that goes on from `header`, or begins here if that names none; `segment` is what is open of it here.
    pub(crate) fn new(recorder: Recorder, header: &TraceHeader, segment: SegmentId, sampled: bool) -> Self {
        let id = header.root.unwrap_or_else(TraceId::random);
        // What is only passed on.
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
            watched: Mutex::default(),
            is_facade: false,
            is_over: AtomicBool::new(false),
            is_late: AtomicBool::new(false),
        }
    }

    /// The trace of a facade, of which `header` names the segment and decides. Where it does not, nothing is recorded
    /// and `value`, which it was read from, goes on untouched.
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

    /// Seconds since the Unix epoch; never goes back within a trace.
    pub(crate) fn now(&self) -> f64 {
        self.clock.now()
    }

    /// What outgoing requests carry.
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// Tells it where the segment ends.
    pub(crate) fn watch(&self, watched: &'static dyn Watched) {
        lock(&self.watched).push(watched);
    }

    /// An HTTP call begins; it is open until [`call_ends`](Self::call_ends).
    pub(crate) fn call_begins(&self, id: SegmentId) {
        self.open_calls.insert(id);
    }

    pub(crate) fn call_ends(&self, id: SegmentId) {
        self.open_calls.remove(id);
    }

    /// Counts new annotations, and reports those that X-Ray will not index. (Developer guide, "Annotations".)
    pub(crate) fn note_annotations(&self, count: usize) {
        const INDEXED: usize = 50;
        if count > 0 {
            let before = self.annotations.fetch_add(count, Ordering::Relaxed);
            for _ in before.max(INDEXED)..before.saturating_add(count) {
                self.recorder.report_value(
                    "an annotation of trace",
                    &self.id.to_string(),
                    "one too many to be indexed",
                );
            }
        }
    }

    /// Sends documents. In Lambda the process stops once the function has answered, so there they have left when this
    /// returns; those that take too long are not waited for, and no further ones of this trace.
    fn emit(&self, documents: impl IntoIterator<Item = Document>) {
        const LIMIT: Duration = Duration::from_millis(500);

        let count = documents.into_iter().map(|document| self.recorder.emit(document)).count();
        let is_awaited = count > 0 && self.recorder.is_in_lambda() && !self.is_late.load(Ordering::Relaxed);
        if is_awaited && !self.recorder.flush(LIMIT) {
            self.is_late.store(true, Ordering::Relaxed);
            log::warn!(target: "xray::lambda", "a document did not leave within {LIMIT:?}, and may be lost");
        }
    }

    /// Returns whether `header` names a call of this segment that is open: the request that carries it is on its way,
    /// and recorded.
    pub(crate) fn is_open_call(&self, header: &TraceHeader) -> bool {
        header.root == Some(self.id) && header.parent.is_some_and(|id| self.open_calls.contains(id))
    }
}

impl Entity {
    /// A segment; `record` is `None` if it is not sampled.
    pub(crate) fn segment(trace: Trace, id: SegmentId, record: Option<Document>) -> Arc<Self> {
        let (trace, is_recorded) = (Arc::new(trace), record.is_some());
        let record = Mutex::new(record.map(Record::from));
        let segment = Arc::new(Self { trace, id, parent: None, depth: 0, record });
        if is_recorded {
            segment.trace.recorder.segment_begins(id, || Arc::downgrade(&segment));
        }
        segment
    }

    /// A subsegment of this entity, which is sampled; `record` is what is known of it.
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

    /// Its id and those of all around it, from the inside out.
    pub(crate) fn way_out(&self) -> Vec<SegmentId> {
        std::iter::successors(Some(self), |entity| entity.parent.as_deref()).map(|entity| entity.id).collect()
    }

    /// The segment that it belongs to, or is.
    pub(crate) fn root(self: &Arc<Self>) -> &Arc<Self> {
        let mut entity = self;
        while let Some(parent) = &entity.parent {
            entity = parent;
        }
        entity
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn is_in_trace_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.trace, &other.trace)
    }

    /// Whether it stands for a segment that somebody else sends.
    pub(crate) fn is_facade(&self) -> bool {
        self.is_segment() && self.trace.is_facade
    }

    /// Whether it is recorded and has not ended.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_open(&self) -> bool {
        if self.is_facade() { !self.trace.is_over.load(Ordering::Relaxed) } else { self.lock().is_some() }
    }

    /// Writes to the record if there is one to write to. It is locked meanwhile: `write` runs nobody else's code.
    pub(crate) fn update(&self, write: impl FnOnce(&mut Document)) {
        if let Some(record) = &mut *self.lock() {
            write(&mut record.document);
        } else if self.is_facade() {
            self.trace.recorder.report_value("what is said of Lambda's segment", &self.id.to_string(), "left out");
        }
    }

    /// Ends it now: it goes into its parent's record, or leaves if it has none that is open. Only the first
    /// call does something.
    pub(crate) fn end(&self) {
        if self.is_facade() {
            return self.trace.is_over.store(true, Ordering::Relaxed);
        }
        let Some(Record { mut document, embedded, .. }) = self.lock().take() else { return };
        document.end_time.get_or_insert_with(|| self.trace.now());
        match &self.parent {
            None => {
                let watched = mem::take(&mut *lock(&self.trace.watched));
                watched.into_iter().for_each(Watched::segment_ended);
                self.trace.recorder.segment_ends(self.id);
                self.trace.emit([document]);
            }
            Some(parent) => parent.adopt(document, embedded, |_| {}),
        }
    }

    /// Ends it without a trace.
    pub(crate) fn forget(&self) {
        self.lock().take();
    }

    /// Takes in a child that has ended, in which so much is embedded, or sends it by itself. `complete` fills in what it
    /// lacks, where it is to stay; like [`update`](Self::update) that runs nobody else's code.
    pub(crate) fn adopt(&self, mut child: Document, embedded: Extent, complete: impl FnOnce(&mut Document)) {
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
        self.trace.emit(children.into_iter().map(|mut child| {
            child.make_independent(self.trace.id, self.id);
            child
        }));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Record>> {
        lock(&self.record)
    }
}

impl InProgress for Entity {
    /// What has ended so far leaves for good, so that it is sent once, and so does the segment itself in progress.
    fn report(&self) {
        let (ended, so_far) = {
            let mut record = self.lock();
            let Some(record) = &mut *record else { return };
            let ended = record.release();
            let is_told = mem::replace(&mut record.is_told, true);
            (ended, (!is_told).then(|| Document { in_progress: true, ..record.document.clone() }))
        };
        self.send_independent(ended);
        self.trace.emit(so_far);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wall-clock time that does not jump: the system's at the start, and what has passed since.
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
