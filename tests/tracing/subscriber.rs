//! What the tests of spans have in common.

use std::sync::Once;

use futures::FutureExt as _;
use support::documents::capture;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;
use xray::document::{Cause, Exception};
use xray::tracing::{SubsegmentLayer, WithTraceId};
use xray::{Document, Instrument as _};

/// What a program has: logs, and the layer. For the whole process, as the tests' threads and tasks are many.
pub(super) fn subscribe() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        let logs = tracing_subscriber::fmt::layer().with_writer(std::io::sink).map_event_format(WithTraceId::new);
        let registry = tracing_subscriber::registry().with(logs.with_filter(LevelFilter::INFO));
        // Of the layer's own warnings `log` makes events, while the layer is at work on a span.
        registry.with(SubsegmentLayer::new()).init();
    });
}

/// The subsegments of a segment around a future.
pub(super) async fn below<T>(work: impl Future<Output = T>) -> (T, Vec<Document>) {
    subscribe();
    let (result, mut subsegments) = capture(work.in_segment("t")).await;
    let segment = subsegments.pop().unwrap();
    assert!(!segment.fault && segment.annotations.is_empty(), "{segment:?}");
    // Where `RUST_BACKTRACE` is set errors are large, and leave the segment before it ends.
    assert!(subsegments.iter().all(|sent| sent.parent_id == Some(segment.id)), "{subsegments:#?}");
    subsegments.extend(segment.subsegments);
    (result, subsegments)
}

pub(super) fn below_blocking<T>(work: impl FnOnce() -> T) -> (T, Vec<Document>) {
    below(async { work() }).now_or_never().unwrap()
}

/// The same with a layer of its own.
pub(super) fn below_layer<T>(
    layer: impl tracing_subscriber::Layer<tracing_subscriber::Registry> + Send + Sync,
    work: impl FnOnce() -> T,
) -> String {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || tree(&below_blocking(work).1))
}

/// `a(b, c(d))`: names and nesting; what is at fault is marked.
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

pub(super) fn annotations(subsegment: &Document) -> String {
    serde_json::to_string(&subsegment.annotations).unwrap()
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

pub(super) fn seconds(subsegment: &Document) -> f64 {
    subsegment.end_time.unwrap() - subsegment.start_time
}
