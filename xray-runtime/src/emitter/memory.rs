//! The emitter that keeps documents, for tests.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Emitter;
use crate::document::Document;

/// Keeps documents until they are taken. Clones share what they keep.
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
    /// An emitter that keeps nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has arrived since the last call, in order.
    #[must_use]
    pub fn take(&self) -> Vec<Document> {
        mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Document>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Emitter for MemoryEmitter {
    fn emit(&self, document: Document) {
        self.lock().push(document);
    }
}
