//! The subscriber of the tests, and what they record below it.

use std::sync::Once;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;
use xray::Document;
use xray::tracing::{SubsegmentLayer, WithTraceId};

use support::subsegments::{self, tree};

/// Installs a subscriber as a program has it: the layer beside a log. It holds for the whole process, because the tests
/// start many threads and tasks.
pub(super) fn subscribe() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        let logs = tracing_subscriber::fmt::layer().with_writer(std::io::sink).map_event_format(WithTraceId::new);
        let registry = tracing_subscriber::registry().with(logs.with_filter(LevelFilter::INFO));
        // `init` also turns records of `log` into events. So a warning of the layer itself becomes an event while the
        // layer works on a span.
        // The threads of SQLite use only this global subscriber, so its layer has the settings for their queries.
        let layer = SubsegmentLayer::new().with_database("sqlite://data/shop.db").with_statements(true);
        registry.with(layer).init();
    });
}

/// Like [`subsegments::below`], below the subscriber of [`subscribe`].
pub(super) async fn below<T>(work: impl Future<Output = T>) -> (T, Vec<Document>) {
    subscribe();
    subsegments::below(work).await
}

/// Like [`subsegments::below_blocking`], below the subscriber of [`subscribe`].
pub(super) fn below_blocking<T>(work: impl FnOnce() -> T) -> (T, Vec<Document>) {
    subscribe();
    subsegments::below_blocking(work)
}

/// Returns the [`tree`] of what a closure records below another layer.
pub(super) fn below_layer<T>(
    layer: impl tracing_subscriber::Layer<tracing_subscriber::Registry> + Send + Sync,
    work: impl FnOnce() -> T,
) -> String {
    let registry = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(registry, || tree(&subsegments::below_blocking(work).1))
}

/// Returns the annotations as JSON.
pub(super) fn annotations(subsegment: &Document) -> String {
    serde_json::to_string(&subsegment.annotations).unwrap()
}
