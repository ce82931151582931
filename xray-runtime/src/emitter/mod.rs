//! Emitters: where finished documents go.

mod delivery;
mod lines;
mod memory;
mod pace;
mod queue;
mod udp;

use std::time::Duration;

pub use self::lines::LinesEmitter;
pub use self::memory::MemoryEmitter;
pub(crate) use self::udp::UdpEmitter;
use crate::document::Document;

/// Takes finished documents: segments and independent subsegments.
///
/// [`emit`](Self::emit) is called on the thread that ended the segment, so it must be quick: hand the document
/// to something else. It must not panic, nor open a segment of its own.
///
/// ```
/// use std::sync::mpsc;
/// use xray::sampling::Always;
/// use xray::emitter::Emitter;
/// use xray::{Document, Recorder, Segment};
///
/// struct Channel(mpsc::Sender<Document>);
///
/// impl Emitter for Channel {
///     fn emit(&self, document: Document) {
///         let _ = self.0.send(document);
///     }
/// }
///
/// let (sender, receiver) = mpsc::channel();
/// let recorder = Recorder::builder().sampler(Always).emitter(Channel(sender)).build();
/// Segment::builder("todo-app").recorder(&recorder).begin().end();
/// assert_eq!(receiver.recv().unwrap().name, "todo-app");
/// ```
pub trait Emitter: Send + Sync + 'static {
    /// Takes one document.
    fn emit(&self, document: Document);

    /// Waits until all documents taken so far have left, for at most `limit`; false if some have not.
    fn flush(&self, limit: Duration) -> bool {
        let _ = limit;
        true
    }
}
