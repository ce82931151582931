//! Emitters: where finished documents go.
//!
//! A recorder without an emitter of its own sends documents to the X-Ray daemon over UDP.

mod daemon_check;
mod delivery;
mod lines;
mod memory;
mod outage;
mod pace;
mod queue;
mod subject;
mod udp;

use std::time::Duration;

pub use self::lines::LinesEmitter;
pub use self::memory::MemoryEmitter;
pub(crate) use self::subject::Subject;
pub(crate) use self::udp::{DATAGRAM_HEADER, UdpEmitter};
use crate::document::Document;

/// A destination of documents: of segments, and of subsegments that are sent by themselves.
///
/// [`emit`](Self::emit) is called on the thread that ends the segment, and on the recorder's background thread for a
/// segment that is [still open](crate::RecorderBuilder::in_progress_after). So it must be quick and must not wait:
/// hand the document to a queue or to another thread. It must neither panic nor begin a segment of its own.
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
    /// Takes one document. See the [trait](Self) for what an implementation must not do here.
    fn emit(&self, document: Document);

    /// Blocks until all documents taken so far have been sent, for at most `limit`. Returns whether they have.
    ///
    /// Called by [`Recorder::flush`](crate::Recorder::flush). The default is for emitters that keep nothing back: it
    /// returns `true` at once.
    fn flush(&self, limit: Duration) -> bool {
        let _ = limit;
        true
    }
}
