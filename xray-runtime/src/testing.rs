//! Helpers for a program's own tests: they return the documents that a future or closure would have sent.

use crate::document::Document;
use crate::emitter::MemoryEmitter;
use crate::live::context::Context;
use crate::live::instrument::Instrument as _;
use crate::recorder::Recorder;
use crate::sampling::Always;

/// Runs a future. Returns its output, and the documents that were complete when it ended, in the order of their ends.
///
/// Every segment that begins in the future is recorded for this capture and not sent, regardless of the installed
/// recorder and of the environment. Exceptions are a segment whose trace header or builder decides that it is not
/// sampled, and a segment whose builder names another [recorder](crate::SegmentBuilder::recorder). The capture travels
/// in the context: it covers tasks and threads that carry the context, and no others.
///
/// ```
/// use xray::Instrument as _;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let (result, documents) = xray::testing::capture(async { 7 }.in_segment("todo-app")).await;
/// assert_eq!(result, 7);
/// assert_eq!(documents[0].name, "todo-app");
/// # });
/// ```
pub async fn capture<F: Future>(future: F) -> (F::Output, Vec<Document>) {
    let (context, emitter) = capturing();
    (future.in_context(context).await, emitter.take())
}

/// Runs a closure. Returns its result, and the documents that were complete when it returned; see [`capture`].
///
/// ```
/// let (result, documents) = xray::testing::capture_blocking(|| {
///     let _segment = xray::Segment::builder("todo-app").begin();
///     7
/// });
/// assert_eq!((result, documents.len()), (7, 1));
/// ```
pub fn capture_blocking<T>(run: impl FnOnce() -> T) -> (T, Vec<Document>) {
    let (context, emitter) = capturing();
    (context.in_scope(run), emitter.take())
}

fn capturing() -> (Context, MemoryEmitter) {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build_for_capture();
    (Context::of_recorder(recorder), emitter)
}

/// Begins a segment, so that a test does not depend on when another test begins the first segment of the process.
#[cfg(test)]
pub(crate) fn begin_the_first_segment() {
    drop(capture_blocking(|| drop(crate::Segment::builder("s").begin())));
}
