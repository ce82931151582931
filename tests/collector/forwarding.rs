//! Documents that the collector's X-Ray receiver converts to spans, and that its OTLP/HTTP exporter sends to
//! `xray-local`. They are equal to the documents that `xray-local` receives over UDP, except for these differences:
//!
//! * `cause.exceptions`: the ids are new, no exception names its cause, and `remote` is left out if it is `false`. The
//!   rules of the collector's X-Ray exporter, which `xray-local` follows, do not read these attributes.
//! * `cause`, if it is the id of an exception in another subsegment: it becomes an exception whose message is the id.
//!   The receiver writes the id as the message of the status.
//! * `cause.exceptions`, if the environment asks for back traces: `stack` is left out. The rules read back traces of
//!   other languages, but not of Rust.
//! * `metadata`: a segment also has the attributes of the resource, under `otel.resource.`.
//! * `aws.xray`: a segment also has `auto_instrumentation`.
//! * Whole numbers in annotations become floating-point numbers, because the receiver reads every number as such a
//!   number.
//! * Times are whole nanoseconds.

use serde_json::{Map, Value, json};
use xray_local::store::Source;

use crate::{Collector, made};

#[tokio::test]
async fn through_the_collector_documents_arrive_in_xray_local() {
    let start = || xray_local::Server::builder().address("127.0.0.1:0").start().unwrap();
    let (server, direct) = (start(), start());
    let Some(collector) = Collector::start_with(&["-otlp", &format!("http://{}", server.http_address())]) else {
        return;
    };
    for document in made().await {
        assert!(direct.store().put(&document, Source::Http).is_taken());
        assert!(collector.answer_to(&document).starts_with("{\"resourceSpans\""), "{document}");
    }
    let mut entities = 0;
    for stored in direct.store().traces() {
        let (trace, other) = (stored.trace(), server.store().stored(&stored.id().to_string()).unwrap().trace());
        assert_eq!(other.entities().count(), trace.entities().count());
        for entity in trace.entities() {
            let found = other.find(&entity.id).unwrap();
            assert_eq!((found.kind, &found.parent_id), (entity.kind, &entity.parent_id));
            let expected = as_sent_on(&entity.raw);
            assert!(
                is_same(&Value::Object(found.raw.clone()), &expected),
                "{:#}\nis not\n{expected:#}",
                json!(found.raw)
            );
            entities += 1;
        }
    }
    assert!(entities > 20, "{entities}");
    assert_eq!(server.store().reports(), []);
}

/// Returns a document with the differences that forwarding makes.
fn as_sent_on(document: &Map<String, Value>) -> Value {
    let mut document = document.clone();
    match document.get_mut("cause") {
        Some(Value::String(id)) => {
            let exception = json!({ "message": id });
            document["cause"] = json!({ "exceptions": [exception] });
        }
        Some(cause) => {
            for exception in cause["exceptions"].as_array_mut().unwrap() {
                let fields = exception.as_object_mut().unwrap();
                let is_lost = |name: &str| ["id", "cause", "stack", "truncated"].contains(&name);
                fields.retain(|name, value| !is_lost(name) && *value != json!(false));
            }
        }
        None => {}
    }
    let name = document["name"].clone();
    if let Some(aws) = document.get_mut("aws") {
        aws["xray"]["auto_instrumentation"] = false.into();
        let sdk = &aws["xray"];
        let resource = json!({
            "otel.resource.cloud.provider": "aws",
            "otel.resource.service.name": name,
            "otel.resource.telemetry.sdk.language": "Rust",
            "otel.resource.telemetry.sdk.name": sdk["sdk"],
            "otel.resource.telemetry.sdk.version": sdk["sdk_version"],
        });
        let metadata = document.entry("metadata").or_insert_with(|| json!({}));
        let default = metadata.as_object_mut().unwrap().entry("default").or_insert_with(|| json!({}));
        default.as_object_mut().unwrap().extend(resource.as_object().unwrap().clone());
    }
    Value::Object(document)
}

/// Returns whether a document is as expected. The ids of its exceptions are ignored, since `expected` lacks them.
fn is_same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => {
            (found.as_f64().unwrap() - expected.as_f64().unwrap()).abs() < 1e-6
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| is_same(found, expected))
        }
        (Value::Object(found), Value::Object(expected)) => {
            let is_exception = expected.contains_key("message");
            found.keys().all(|key| expected.contains_key(key) || is_exception && key == "id")
                && expected.iter().all(|(key, value)| found.get(key).is_some_and(|found| is_same(found, value)))
        }
        _ => found == expected,
    }
}
