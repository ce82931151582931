//! Recorded documents, as JSON.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, Once};
use std::{env, process};

use serde_json::Value;
use tracing::Instrument as _;
use tracing_subscriber::prelude::*;
use xray::Instrument as _;
use xray::tracing::SubsegmentLayer;

/// Installs a subscriber for the whole process, because the threads of SQLite use only the global subscriber.
pub fn subscribe() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        let layer = SubsegmentLayer::new().with_database("sqlite::memory:").with_statements(true);
        tracing_subscriber::registry().with(layer).init();
    });
}

/// Runs a future in a span inside a segment. Returns its output and the subsegments of the span.
pub async fn below_span<F: Future>(future: F) -> (F::Output, Vec<Value>) {
    let work = async { future.instrument(tracing::info_span!("work")).await };
    let (output, segment) = segment_of(work).await;
    (output, subsegments(&segment["subsegments"][0]))
}

/// Runs a future in a segment. Returns the segment.
pub async fn segment_of<F: Future>(future: F) -> (F::Output, Value) {
    let (output, documents) = xray::testing::capture(future.in_segment("shop")).await;
    let [segment] = &documents[..] else { panic!("{documents:#?}") };
    (output, kept(segment))
}

/// Runs a closure in a segment. Returns its result and the subsegments of the segment.
pub fn below_blocking<T>(work: impl FnOnce() -> T) -> (T, Vec<Value>) {
    let run = || xray::Segment::builder("shop").begin().in_scope(work);
    let (output, documents) = xray::testing::capture_blocking(run);
    let [segment] = &documents[..] else { panic!("{documents:#?}") };
    (output, subsegments(&kept(segment)))
}

/// Returns the subsegments of a segment or subsegment.
pub fn subsegments(document: &Value) -> Vec<Value> {
    document["subsegments"].as_array().cloned().unwrap_or_default()
}

/// Keeps a document for the test `collector` of the main workspace, like `tests/src/documents.rs`.
fn kept(document: &xray::Document) -> Value {
    static KEPT: LazyLock<Option<Mutex<File>>> = LazyLock::new(|| {
        let directory = PathBuf::from(env::var_os("XRAY_TEST_DOCUMENTS")?);
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join(format!("databases-{}.jsonl", process::id()));
        Some(Mutex::new(File::options().create(true).append(true).open(path).unwrap()))
    });
    let document = serde_json::to_value(document).unwrap();
    if let Some(kept) = &*KEPT {
        writeln!(kept.lock().unwrap(), "{document}").unwrap();
    }
    document
}
