//! An emitter for tests, which keeps documents in memory.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Emitter, FinishedSegment};
use crate::document::Document;
use crate::support::lock::lock;

/// An emitter that keeps documents in memory until a test takes them.
///
/// Clones share the documents. Nothing limits their number.
///
/// ```
/// use xray::sampling::Always;
/// use xray::emitter::MemoryEmitter;
/// use xray::{Recorder, Segment};
///
/// let emitter = MemoryEmitter::new();
/// let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
/// Segment::builder("todo-app").recorder(&recorder).begin().end();
/// assert_eq!(emitter.take().len(), 1);
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryEmitter {
    documents: Arc<Mutex<Vec<Document>>>,
}

impl MemoryEmitter {
    /// Creates an emitter without documents.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Removes and returns the documents emitted since the last call, in the order in which they were emitted.
    #[must_use]
    pub fn take(&self) -> Vec<Document> {
        mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Document>> {
        lock(&self.documents)
    }
}

impl Emitter for MemoryEmitter {
    fn emit(&self, segment: FinishedSegment) {
        self.lock().push(segment.into());
    }
}
