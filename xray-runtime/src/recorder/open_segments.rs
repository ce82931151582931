//! The part of a recorder that open segments use: limits of a record, reports of progress, and the emitter.

use std::sync::Weak;
use std::time::Duration;

use super::Recorder;
use super::progress::{InProgress, Progress};
use crate::document::{Document, Extent};
use crate::emitter::{Emitter, Subject};
use crate::id::SegmentId;
use crate::support::log_line::{is_debug_read, log_line};

/// The settings for segments that are open, and the emitter to which their documents go.
pub(super) struct OpenSegments {
    pub(super) emitter: Box<dyn Emitter>,
    /// How much of its ended subsegments an entity holds before it sends them.
    pub(super) streaming_threshold: Extent,
    /// `None` if segments are sent only when they end.
    pub(super) progress: Option<Progress>,
}

impl OpenSegments {
    pub(super) fn flush(&self, limit: Duration) -> bool {
        self.emitter.flush(limit)
    }
}

impl Recorder {
    /// Returns how much of its ended subsegments an open entity may hold.
    pub(crate) fn streaming_threshold(&self) -> Extent {
        self.shared.open_segments.streaming_threshold
    }

    /// Registers a sampled segment that has begun, for progress reports if they are switched on.
    //
    // Weak, so that the recorder never keeps a segment open: its owner alone decides when it ends. Made by a closure, as
    // most recorders report no progress and then need no reference.
    pub(crate) fn register_open_segment<S: InProgress + 'static>(
        &self,
        id: SegmentId,
        segment: impl FnOnce() -> Weak<S>,
    ) {
        if let Some(progress) = &self.shared.open_segments.progress {
            progress.register(id, segment());
        }
    }

    /// Ends the progress reports of a segment that has ended.
    pub(crate) fn forget_open_segment(&self, id: SegmentId) {
        if let Some(progress) = &self.shared.open_segments.progress {
            progress.forget(id);
        }
    }

    /// Hands a document to the emitter. A segment first gets the origin, if that is known by now.
    //
    // The emitter may be the program's own code. Callers hold no lock.
    pub(crate) fn emit(&self, mut document: Document) {
        // A `kind` of `None` is a segment. X-Ray takes the origin from segments alone.
        if let (None, Some(origin)) = (document.kind, self.shared.origin.get()) {
            origin.describe(&mut document);
        }
        self.shared.counters.documents_emitted.increment();
        self.log_handed(&document);
        self.shared.open_segments.emitter.emit(document);
    }

    /// Logs at the level `Debug` that the program's own emitter gets a document. The emitter that sends to the daemon logs
    /// what became of each document itself.
    fn log_handed(&self, document: &Document) {
        if let Some(emitter) = self.emitter_name() {
            if is_debug_read() && !self.is_capture() {
                log_line!(Debug, "xray::segment", "{}: handed to `{emitter}`", Subject::of(document));
            }
        }
    }
}
