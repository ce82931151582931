//! Recorded documents, as JSON.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::{env, process};

use serde_json::Value;
use xray::Instrument as _;

/// Runs a future in a segment that is recorded. Returns the segment.
pub async fn segment_of<F: Future>(future: F) -> (F::Output, Value) {
    let (output, documents) = xray::testing::capture(future.in_segment("shop")).await;
    let [segment] = &documents[..] else { panic!("{documents:#?}") };
    let segment = serde_json::to_value(segment).unwrap();
    keep(&segment);
    (output, segment)
}

/// Runs a future in a segment. Returns the only subsegment.
pub async fn call_of<F: Future>(future: F) -> (F::Output, Value) {
    let (output, segment) = segment_of(future).await;
    let calls = segment["subsegments"].as_array().cloned().unwrap_or_default();
    let [call] = &calls[..] else { panic!("{segment:#}") };
    (output, call.clone())
}

/// Keeps a document for the test `collector` of the workspace, like `tests/src/documents.rs`.
fn keep(document: &Value) {
    static KEPT: LazyLock<Option<Mutex<File>>> = LazyLock::new(|| {
        let directory = PathBuf::from(env::var_os("XRAY_TEST_DOCUMENTS")?);
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join(format!("aws-sdk-{}.jsonl", process::id()));
        Some(Mutex::new(File::options().create(true).append(true).open(path).unwrap()))
    });
    if let Some(kept) = &*KEPT {
        writeln!(kept.lock().unwrap(), "{document}").unwrap();
    }
}
