//! The measured calls, with and without the attribute, and the segments around them.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use xray::emitter::{Emitter, FinishedSegment};
use xray::{Recorder, Sampled, Segment, TraceHeader};

use crate::calls::Calls;
use crate::client::{AtOnce, Held, Later, Ping, Request, Response};

/// Begins a segment and makes traced calls in it.
pub fn traced_in_segment(recorder: &Recorder, sampled: Sampled, calls: &mut Calls<Box<Request>>) {
    in_segment(recorder, sampled, || calls.make(traced));
}

/// Runs a closure in a segment that is sampled or not.
pub fn in_segment(recorder: &Recorder, sampled: Sampled, run: impl FnOnce()) {
    // The header has the sampling decision, so that no sampler is measured.
    let mut header = TraceHeader::default();
    header.sampled = Some(sampled);
    let segment = Segment::builder("todo-app").recorder(recorder).trace_header(&header).begin();
    segment.in_scope(run);
}

/// Makes the call without the attribute.
// Generic over the holder of the request, so that the rows with a request by value and behind a pointer run one code
// path.
pub async fn bare<R: Held>(request: R) -> Response<R> {
    Ping::<R, AtOnce>::new(request).send().await
}

/// Makes the call with the attribute.
#[xray::traced_http]
pub async fn traced<R: Held>(request: R) -> Response<R> {
    Ping::<R, AtOnce>::new(request).send().await
}

/// Makes a call whose response comes at the second poll.
pub async fn bare_later<R: Held + Unpin>(request: R) -> Response<R> {
    Ping::<_, Later>::new(request).send().await
}

/// Makes a call whose response comes at the second poll, with the attribute.
#[xray::traced_http]
pub async fn traced_later<R: Held + Unpin>(request: R) -> Response<R> {
    Ping::<_, Later>::new(request).send().await
}

/// Drops segments on the thread that emits them.
#[derive(Debug)]
pub struct DropHere;

impl Emitter for DropHere {
    fn emit(&self, segment: FinishedSegment) {
        drop(segment);
    }
}

/// Writes the JSON of segments on the thread that emits them, into a buffer that is used again.
#[derive(Debug, Default)]
pub struct WriteHere(Mutex<Vec<u8>>);

impl Emitter for WriteHere {
    fn emit(&self, segment: FinishedSegment) {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.clear();
        segment.write_json(&mut buffer);
    }
}

/// Drops segments on another thread.
#[derive(Debug)]
pub struct DropElsewhere(mpsc::Sender<FinishedSegment>);

impl DropElsewhere {
    /// Starts the thread.
    #[must_use]
    pub fn start() -> Self {
        let (sender, segments) = mpsc::channel();
        thread::spawn(move || segments.into_iter().for_each(drop));
        Self(sender)
    }
}

impl Emitter for DropElsewhere {
    fn emit(&self, segment: FinishedSegment) {
        // An error means that the thread is gone, at the end of the benchmark.
        let _ = self.0.send(segment);
    }
}
