//! The part of a recorder that passes finished segments to the emitter, and the limits and progress reports of open
//! ones.

use std::mem;
use std::sync::Weak;
use std::time::{Duration, Instant};

use super::Recorder;
use super::progress::{InProgress, Progress};
use crate::emitter::{Deliveries, Emitter, Subject};
use crate::id::{Process, SegmentId};
use crate::record::{Extent, FinishedSegment};
use crate::support::guard::guard;
use crate::support::log_line::{LoggedOnce, is_debug_read, log_line};

/// The emitter of a recorder, and what decides when an open segment passes documents to it.
pub(super) struct Emission {
    pub(super) emitter: Box<dyn Emitter>,
    /// The counters that the emitter was given.
    pub(super) deliveries: Deliveries,
    /// Limits the log line about a panic of the emitter to one.
    pub(super) logged_panic: LoggedOnce,
    /// How much of its ended subsegments an entity holds before it sends them.
    pub(super) streaming_threshold: Extent,
    /// `None` if segments are sent only when they end.
    pub(super) progress: Option<Progress>,
}

impl Emission {
    /// Gives the emitter the counters of the recorder. `name` is the name of the emitter's type.
    pub(super) fn attach(&self, name: &str) {
        if guard(|| self.emitter.attach(&self.deliveries)).is_none() {
            log_line!(Error, "xray::emitter", "the method `attach` of the emitter `{name}` panicked");
        }
    }

    pub(super) fn flush(&self, limit: Duration) -> bool {
        let deadline = Instant::now().checked_add(limit);
        // A segment that ends while it is being reported is emitted after the report, on the thread of the report.
        let is_reported = self.progress.as_ref().is_none_or(|progress| progress.wait_for_reports(limit));
        let rest = deadline.map_or(limit, |deadline| deadline.saturating_duration_since(Instant::now()));
        // The emitter may be the program's own code.
        guard(|| self.emitter.flush(rest)).unwrap_or(false) && is_reported
    }
}

/// Drops the emitter of the program so that a panic in its destructor does not reach the code that drops the recorder.
impl Drop for Emission {
    fn drop(&mut self) {
        let emitter = mem::replace(&mut self.emitter, Box::new(DroppedEmitter));
        guard(|| drop(emitter));
    }
}

/// Stands in for an emitter that was dropped.
struct DroppedEmitter;

impl Emitter for DroppedEmitter {
    fn emit(&self, _: FinishedSegment) {}
}

impl Recorder {
    /// Returns how much of its ended subsegments an open entity may hold.
    pub(crate) fn streaming_threshold(&self) -> Extent {
        self.shared.emission.streaming_threshold
    }

    /// Returns whether segments that stay open are reported.
    pub(crate) fn reports_progress(&self) -> bool {
        self.shared.emission.progress.is_some()
    }

    /// Registers a sampled segment that has begun, for progress reports if they are switched on.
    //
    // Weak, so that the recorder never keeps a segment open: its owner alone decides when it ends. Made by a closure,
    // as most recorders report no progress and then need no reference.
    pub(crate) fn register_open_segment<S: InProgress + 'static>(
        &self,
        id: SegmentId,
        segment: impl FnOnce() -> Weak<S>,
    ) {
        if let Some(progress) = &self.shared.emission.progress {
            progress.register(id, segment());
        }
    }

    /// Ends the progress reports of a segment that has ended.
    pub(crate) fn forget_open_segment(&self, id: SegmentId) {
        if let Some(progress) = &self.shared.emission.progress {
            progress.forget(id);
        }
    }

    /// Passes finished segments to the emitter.
    //
    // The emitter may be the program's own code. Callers hold no lock.
    pub(crate) fn emit(&self, segments: impl IntoIterator<Item = FinishedSegment>) {
        let mut segments = segments.into_iter().peekable();
        if segments.peek().is_none() {
            return;
        }
        // This notices a fork too, because a segment that began in the parent may end in the child. It is called once
        // for all segments, because it takes a system call.
        self.shared.counters.count_in(Process::current());
        segments.for_each(|segment| self.emit_one(segment));
    }

    /// Passes a finished segment to the emitter. Adds the origin first, if the origin has been detected.
    fn emit_one(&self, mut segment: FinishedSegment) {
        // X-Ray reads the origin only from segments.
        if !segment.record().is_independent_subsegment() {
            self.shared.origin.describe(segment.record_mut());
        }
        self.shared.counters.documents_emitted.increment();
        self.log_handover(&segment);
        let emission = &self.shared.emission;
        match guard(|| emission.emitter.emit(segment)) {
            Some(()) if emission.deliveries.is_claimed() => {}
            Some(()) => emission.deliveries.sent(1),
            None => self.emitter_panicked(),
        }
    }

    /// Counts a document that was lost by a panic of the emitter, and logs the first.
    #[cold]
    fn emitter_panicked(&self) {
        let emission = &self.shared.emission;
        emission.deliveries.dropped(1);
        if emission.logged_panic.is_first() {
            log_line!(
                Error,
                "xray::emitter",
                "the emitter `{}` panicked, and the document is lost. Further ones are counted in \
                 `Stats::documents_dropped` (logged once)",
                self.shared.settings.emitter_name(),
            );
        }
    }

    /// Logs at the level `Debug` that the program's own emitter gets a document. The emitter that sends to the daemon
    /// logs what became of each document itself.
    fn log_handover(&self, segment: &FinishedSegment) {
        if let Some(emitter) = self.emitter_name() {
            if is_debug_read() && !self.is_capture() {
                log_line!(Debug, "xray::segment", "{}: handed to `{emitter}`", Subject::of(segment));
            }
        }
    }
}
