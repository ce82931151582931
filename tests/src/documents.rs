//! Documents that the tests record. Each is checked against the schema, and kept in files for `collector.rs` if an
//! environment variable names a directory.

use std::fs::{self, File};
use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};
use std::{env, process};

use serde_json::Value;
use xray::Document;

/// Names the environment variable with that directory. Each test process writes a file with one document a line.
pub const KEEP: &str = "XRAY_TEST_DOCUMENTS";

/// The largest document that is sent in one datagram. Larger ones are split, so they are not kept.
const DATAGRAM: usize = 63 * 1024;

/// Like `xray::testing::capture`, but checks the documents.
pub async fn capture<F: Future>(future: F) -> (F::Output, Vec<Document>) {
    let (output, documents) = xray::testing::capture(future).await;
    (output, checked(documents))
}

/// Like `xray::testing::capture_blocking`, but checks the documents.
pub fn capture_blocking<T>(run: impl FnOnce() -> T) -> (T, Vec<Document>) {
    let (output, documents) = xray::testing::capture_blocking(run);
    (output, checked(documents))
}

/// Checks documents from an emitter, and returns them.
pub fn checked(documents: Vec<Document>) -> Vec<Document> {
    for document in &documents {
        check(&serde_json::to_string(document).unwrap());
    }
    documents
}

/// Checks a datagram, and returns its document.
pub fn read_datagram(datagram: &[u8]) -> Value {
    let text = std::str::from_utf8(datagram).unwrap();
    let (header, document) = text.split_once('\n').unwrap();
    assert_eq!(header, r#"{"format":"json","version":1}"#);
    assert!(document.starts_with(r#"{"id":""#), "the daemon takes the first id for the document's: {document}");
    check(document)
}

fn check(json: &str) -> Value {
    let document = serde_json::from_str(json).unwrap();
    assert_valid(&document);
    if json.len() <= DATAGRAM {
        keep(json);
    }
    document
}

/// Checks a document against the schema.
pub fn assert_valid(document: &Value) {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(include_str!("../data/segment.schema.json")).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    if !SCHEMA.is_valid(document) {
        let errors: Vec<_> = SCHEMA.iter_errors(document).map(|error| error.to_string()).collect();
        panic!("{errors:#?} in {document:#}");
    }
}

fn keep(json: &str) {
    static KEPT: LazyLock<Option<Mutex<File>>> = LazyLock::new(|| {
        let directory = PathBuf::from(env::var_os(KEEP)?);
        fs::create_dir_all(&directory).unwrap();
        let program = env::current_exe().unwrap();
        let name = format!("{}-{}.jsonl", program.file_name().unwrap().to_string_lossy(), process::id());
        Some(Mutex::new(File::options().create(true).append(true).open(directory.join(name)).unwrap()))
    });
    if let Some(kept) = &*KEPT {
        kept.lock().unwrap().write_all(format!("{json}\n").as_bytes()).unwrap();
    }
}
