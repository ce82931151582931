//! Emitters: where finished documents go.
//!
//! A recorder without an emitter of its own sends documents to the X-Ray daemon over UDP.

mod background_queue;
mod counts;
mod daemon;
mod daemon_check;
pub(crate) mod datagram;
mod deliveries;
mod direct;
mod lines;
mod memory;
mod otlp;
mod outage;
mod pace;
mod queue;
mod subject;
mod udp;

use std::time::Duration;

pub use self::deliveries::Deliveries;
pub use self::lines::LinesEmitter;
pub use self::memory::MemoryEmitter;
pub(crate) use self::otlp::Settings as OtlpSettings;
pub use self::otlp::{OtlpEmitter, OtlpEmitterBuilder, OtlpError, SpanNames};
pub(crate) use self::subject::Subject;
pub(crate) use self::udp::UdpEmitter;
pub use crate::record::FinishedSegment;

/// A destination of finished segments, and of subsegments that are sent by themselves.
///
/// [`emit`](Self::emit) is called on the thread that ends the segment, and on the recorder's background thread for a
/// segment that is [still open](crate::RecorderBuilder::in_progress_after). So `emit` must be quick and must not wait:
/// hand the segment to a queue or to another thread. `emit` must not begin a segment. A panic in `emit` does not reach
/// the traced program: the document counts as dropped.
///
/// ```
/// use std::sync::mpsc;
/// use xray::sampling::Always;
/// use xray::emitter::{Emitter, FinishedSegment};
/// use xray::{Recorder, Segment};
///
/// struct Channel(mpsc::Sender<FinishedSegment>);
///
/// impl Emitter for Channel {
///     fn emit(&self, segment: FinishedSegment) {
///         let _ = self.0.send(segment);
///     }
/// }
///
/// let (sender, receiver) = mpsc::channel();
/// let recorder = Recorder::builder().sampler(Always).emitter(Channel(sender)).build();
/// Segment::builder("todo-app").recorder(&recorder).begin().end();
/// assert_eq!(receiver.recv().unwrap().name(), "todo-app");
/// ```
pub trait Emitter: Send + Sync + 'static {
    /// Takes one segment. The documentation of the [trait](Self) lists the limits on an implementation.
    fn emit(&self, segment: FinishedSegment);

    /// Blocks until all documents taken so far have been sent, for at most `limit`. Returns whether they have.
    ///
    /// Called by [`Recorder::flush`](crate::Recorder::flush). The default is for emitters that keep nothing back: it
    /// returns `true` at once.
    fn flush(&self, limit: Duration) -> bool {
        let _ = limit;
        true
    }

    /// Receives the counters that the recorder passes to its emitter. Called once, when the recorder is built.
    ///
    /// The default is for emitters that are done with a document when [`emit`](Self::emit) returns: the recorder counts
    /// the document as sent then. An emitter that contains another forwards all three methods.
    fn attach(&self, deliveries: &Deliveries) {
        let _ = deliveries;
    }
}
