//! Subsegments that a test recorded, in a form that an assertion can show.

// Edition 2021 has no `Future` in its prelude, and `tests/crates/shapes-2021` builds this file in that edition.
use std::future::Future;
use std::thread;
use std::time::Duration;

use xray::document::{Cause, Exception};
use xray::{Document, Instrument as _, Segment};

use crate::documents::{capture, capture_blocking};

/// Runs a future in a segment, and returns its output and the subsegments of the segment.
pub async fn below<T>(work: impl Future<Output = T>) -> (T, Vec<Document>) {
    let (result, documents) = capture(work.in_segment("t")).await;
    (result, subsegments(documents))
}

/// Runs a closure in a segment, and returns its result and the subsegments of the segment.
pub fn below_blocking<T>(work: impl FnOnce() -> T) -> (T, Vec<Document>) {
    let (result, documents) = capture_blocking(|| Segment::builder("t").begin().in_scope(work));
    (result, subsegments(documents))
}

/// Takes the segment apart. A segment that holds much sends subsegments ahead of itself (with `RUST_BACKTRACE` set,
/// errors are large): those are returned too.
fn subsegments(mut documents: Vec<Document>) -> Vec<Document> {
    let segment = documents.pop().expect("no document was sent");
    assert!(!segment.fault && segment.annotations.is_empty(), "the segment itself is untouched: {segment:#?}");
    assert!(documents.iter().all(|sent| sent.parent_id == Some(segment.id)), "{documents:#?}\n{segment:#?}");
    documents.extend(segment.subsegments);
    documents
}

/// Records an empty subsegment that marks this moment. What came before has an earlier time, what follows a later one.
///
/// A test compares times with a mark, because an upper bound on a measured time fails on a busy machine.
pub fn mark(name: &str) {
    // More than the resolution of the recorded times, which is a microsecond.
    const TICK: Duration = Duration::from_millis(1);
    thread::sleep(TICK);
    xray::current().subsegment(name).end();
    thread::sleep(TICK);
}

/// Returns the only subsegment of the only document.
#[track_caller]
pub fn only_call(documents: &[Document]) -> &Document {
    assert_eq!(documents.len(), 1, "{documents:#?}");
    assert_eq!(documents[0].subsegments.len(), 1, "{documents:#?}");
    &documents[0].subsegments[0]
}

/// Returns names and nesting, such as `a(b, c(d))`. A `!` after a name marks a fault.
pub fn tree(subsegments: &[Document]) -> String {
    let each = subsegments.iter().map(|subsegment| {
        let inner = tree(&subsegment.subsegments);
        let state = if subsegment.fault { "!" } else { "" };
        let inner = if inner.is_empty() { inner } else { format!("({inner})") };
        assert!(subsegment.end_time.unwrap() >= subsegment.start_time, "{subsegment:#?}");
        assert_eq!(subsegment.namespace.is_none(), subsegment.http.is_none(), "a remote call has an `http` block");
        format!("{}{state}{inner}", subsegment.name)
    });
    each.collect::<Vec<_>>().join(", ")
}

/// Returns the names of documents.
pub fn names(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| document.name.as_str()).collect()
}

/// Returns how long an ended document took, in seconds.
pub fn seconds(document: &Document) -> f64 {
    document.end_time.unwrap() - document.start_time
}

/// Returns the recorded exceptions, the outermost first; none if there is no cause or it is a reference.
pub fn exceptions(document: &Document) -> &[Exception] {
    match &document.cause {
        Some(Cause::Exceptions(cause)) => &cause.exceptions,
        _ => &[],
    }
}

/// Returns the messages of the recorded exceptions, the outermost first.
pub fn messages(document: &Document) -> Vec<&str> {
    exceptions(document).iter().map(|exception| exception.message.as_deref().unwrap_or_default()).collect()
}

/// Returns the recorded status of the response.
pub fn status(document: &Document) -> Option<u16> {
    document.http.as_ref().unwrap().response?.status
}

/// Returns the recorded length of the response's body.
pub fn content_length(document: &Document) -> Option<i64> {
    document.http.as_ref().unwrap().response?.content_length
}

/// Returns the recorded URL of the request.
pub fn url(document: &Document) -> &str {
    document.http.as_ref().unwrap().request.as_ref().unwrap().url.as_deref().unwrap()
}

/// Returns whether the call was cancelled: its future was dropped before the response.
pub fn is_cancelled(document: &Document) -> bool {
    document.metadata.get("xray").is_some_and(|own| own["cancelled"] == true)
}
