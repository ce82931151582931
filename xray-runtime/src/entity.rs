//! A live segment or subsegment: the record that its owner ends and its handles write to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use http::HeaderName;

use crate::document::Document;
use crate::id::{SegmentId, TraceId};
use crate::open_calls::OpenCalls;
use crate::propagation::Outbound;
use crate::recorder::Recorder;
use crate::trace_header::TraceHeader;

/// Completed children that an entity holds before they leave by themselves.
const MAX_EMBEDDED: usize = 100;
/// Levels of nesting in one document; the subsegment below leaves by itself.
const MAX_DEPTH: u16 = 32;

/// One entity of a trace. Its owner ends it; contexts hold it only to write to it while it is open.
pub(crate) struct Entity {
    trace: Arc<Trace>,
    id: SegmentId,
    /// `None` for a segment.
    parent: Option<Arc<Entity>>,
    depth: u16,
    /// `None` once ended, and always in a trace that is not sampled.
    record: Mutex<Option<Document>>,
}

/// What the entities below one segment have in common.
pub(crate) struct Trace {
    recorder: Recorder,
    id: TraceId,
    sampled: bool,
    clock: Clock,
    outbound: Outbound,
    open_calls: Mutex<OpenCalls>,
    annotations: AtomicUsize,
}

impl Trace {
    /// A trace that goes on from `header`, or begins here if that names none; `segment` is what is open of it here.
    pub(crate) fn new(recorder: Recorder, header: &TraceHeader, segment: SegmentId, sampled: bool) -> Self {
        let id = header.root.unwrap_or_else(TraceId::random);
        // What is only passed on.
        let extra = header.extra().fold(String::new(), |extra, (key, value)| extra + ";" + key + "=" + value);
        let outbound = Outbound::new(recorder.propagation(), id, segment, sampled, &extra);
        let (clock, open_calls) = (Clock::start(), Mutex::default());
        let annotations = AtomicUsize::new(0);
        Self { recorder, id, sampled, clock, outbound, open_calls, annotations }
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

    /// Seconds since the Unix epoch; never goes back within a trace.
    pub(crate) fn now(&self) -> f64 {
        self.clock.now()
    }

    /// What outgoing requests carry.
    pub(crate) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// An HTTP call begins; it is open until [`call_ends`](Self::call_ends).
    pub(crate) fn call_begins(&self, id: SegmentId) {
        lock(&self.open_calls).insert(id);
    }

    pub(crate) fn call_ends(&self, id: SegmentId) {
        lock(&self.open_calls).remove(id);
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

    /// Whether a header of a request names a call of this segment that is open: the request is on its way, and
    /// recorded. `existing` gives the value of each header that is there.
    pub(crate) fn has_open_call<'a>(&self, existing: impl Fn(&'static HeaderName) -> Option<&'a str>) -> bool {
        self.recorder.propagation().has_any(existing, |header| {
            header.root == Some(self.id) && header.parent.is_some_and(|id| lock(&self.open_calls).contains(id))
        })
    }
}

impl Entity {
    /// A segment; `record` is `None` if it is not sampled.
    pub(crate) fn segment(trace: Trace, id: SegmentId, record: Option<Document>) -> Arc<Self> {
        Arc::new(Self { trace: Arc::new(trace), id, parent: None, depth: 0, record: Mutex::new(record) })
    }

    /// A subsegment of this entity, which is sampled; `record` is what is known of it.
    pub(crate) fn subsegment(self: &Arc<Self>, record: Document) -> Arc<Self> {
        Arc::new(Self {
            trace: Arc::clone(&self.trace),
            id: record.id,
            parent: Some(Arc::clone(self)),
            depth: self.depth.saturating_add(1),
            record: Mutex::new(Some(record)),
        })
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    pub(crate) fn id(&self) -> SegmentId {
        self.id
    }

    /// The segment that it belongs to, or is.
    pub(crate) fn root(self: &Arc<Self>) -> &Arc<Self> {
        let mut entity = self;
        while let Some(parent) = &entity.parent {
            entity = parent;
        }
        entity
    }

    /// Writes to the record if there is one to write to. It is locked meanwhile: `write` runs nobody else's code.
    pub(crate) fn update(&self, write: impl FnOnce(&mut Document)) {
        if let Some(record) = &mut *self.lock() {
            write(record);
        }
    }

    /// Ends it now: it goes into its parent's record, or leaves if it has none that is open. Only the first
    /// call does something.
    pub(crate) fn end(&self) {
        let Some(mut record) = self.lock().take() else { return };
        match &self.parent {
            None => {
                record.end_time = Some(self.trace.now());
                self.trace.recorder.emit(record);
            }
            Some(parent) => parent.adopt(record),
        }
    }

    /// Ends it without a trace.
    pub(crate) fn forget(&self) {
        self.lock().take();
    }

    /// Takes in a child, which ends now, or sends it by itself.
    pub(crate) fn adopt(&self, mut child: Document) {
        child.end_time = Some(self.trace.now());
        let is_too_deep = self.depth.saturating_add(1) % MAX_DEPTH == 0;
        let leaving = match &mut *self.lock() {
            Some(record) if !is_too_deep => {
                record.subsegments.push(child);
                if record.subsegments.len() <= MAX_EMBEDDED {
                    return;
                }
                std::mem::take(&mut record.subsegments)
            }
            _ => vec![child],
        };
        for mut child in leaving {
            child.make_independent(self.trace.id, self.id);
            self.trace.recorder.emit(child);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Document>> {
        lock(&self.record)
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
