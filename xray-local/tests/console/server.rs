//! A server for each test, and documents to send to it.

use serde_json::{Value, json};
use xray_local::Server;
use xray_local::store::Source;

use crate::support;

/// The trace of [`segment`].
pub(crate) const TRACE_ID: &str = "1-6b076a21-a006649127e371903a2de979";

/// The id of [`segment`].
pub(crate) const SEGMENT_ID: &str = "70de5b6f19ff9a0a";

/// Starts a server on free ports of the loopback interface.
pub(crate) fn start() -> Server {
    support::start()
}

/// Returns a segment of one second, with these fields added or replaced.
pub(crate) fn segment(fields: &Value) -> Value {
    let mut segment = json!({
        "id": SEGMENT_ID, "trace_id": TRACE_ID, "name": "shop", "start_time": 1_795_600_000.0, "end_time": 1_795_600_001.0
    });
    segment.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    segment
}

/// Sends a document in a datagram, as an SDK does, and waits until the server has accepted or rejected it.
pub(crate) fn send(server: &Server, document: &Value) {
    // The revision is the last thing that the server changes for a document. A page that is loaded after that shows it.
    let revision = || *server.store().changes().borrow();
    let before = revision();
    support::send(server, format!("{}{document}", support::HEADER).as_bytes());
    support::wait_for("the document", || revision() != before);
}

/// Stores a document that X-Ray would accept. Faster than [`send`], for tests that need many documents.
pub(crate) fn put(server: &Server, document: &Value) {
    let outcome = server.store().put(&document.to_string(), Source::Http);
    assert_eq!(outcome.findings, Vec::new(), "{document}");
}
