//! What is recorded below a segment, in words.

use xray::document::{Cause, Exception};
use xray::{Document, Instrument as _, Segment};

use support::documents::{capture, capture_blocking};

/// The subsegments of a segment around a future.
pub(super) async fn below<T>(work: impl Future<Output = T>) -> (T, Vec<Document>) {
    let (result, mut documents) = capture(work.in_segment("t")).await;
    assert_eq!(documents.len(), 1, "{documents:#?}");
    (result, documents.remove(0).subsegments)
}

pub(super) fn below_blocking<T>(work: impl FnOnce() -> T) -> (T, Vec<Document>) {
    let (result, mut documents) = capture_blocking(|| Segment::builder("t").begin().in_scope(work));
    assert_eq!(documents.len(), 1, "{documents:#?}");
    (result, documents.remove(0).subsegments)
}

/// `a(b, c(d))`: names and nesting; what is not whole is marked.
pub(super) fn tree(subsegments: &[Document]) -> String {
    let each = subsegments.iter().map(|subsegment| {
        let inner = tree(&subsegment.subsegments);
        let state = if subsegment.fault { "!" } else { "" };
        let inner = if inner.is_empty() { inner } else { format!("({inner})") };
        assert!(subsegment.end_time.unwrap() >= subsegment.start_time);
        assert_eq!(subsegment.namespace.is_none(), subsegment.http.is_none(), "what is no call is local");
        format!("{}{state}{inner}", subsegment.name)
    });
    each.collect::<Vec<_>>().join(", ")
}

pub(super) fn seconds(subsegment: &Document) -> f64 {
    subsegment.end_time.unwrap() - subsegment.start_time
}

pub(super) fn exceptions(subsegment: &Document) -> &[Exception] {
    match &subsegment.cause {
        Some(Cause::Exceptions(exceptions)) => &exceptions.exceptions,
        _ => &[],
    }
}

pub(super) fn messages(subsegment: &Document) -> Vec<&str> {
    exceptions(subsegment).iter().map(|exception| exception.message.as_deref().unwrap_or_default()).collect()
}
