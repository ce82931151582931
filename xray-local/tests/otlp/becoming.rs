//! Compares the documents that spans become with those of the X-Ray exporter of the OpenTelemetry collector.
//!
//! `tests/data/otlp/exporter.json` contains requests, and the documents that `awsxrayexporter` v0.120.0 sent to
//! `PutTraceSegments` for these requests.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use xray_local::Server;

use crate::sender::post_json;

#[derive(Deserialize)]
struct Case {
    name: String,
    request: Value,
    documents: Vec<Value>,
}

/// A server that records documents in a file.
struct Recording {
    server: Server,
    directory: TempDir,
}

impl Recording {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("documents.jsonl");
        Self { server: Server::builder().address("127.0.0.1:0").record(path).start().unwrap(), directory }
    }

    /// Posts a request, and returns the documents that its spans became.
    fn documents_of(&self, request: &Value) -> Vec<Value> {
        let read = || std::fs::read_to_string(self.directory.path().join("documents.jsonl")).unwrap();
        let before = read().len();
        let answer = post_json(&self.server, request);
        assert_eq!((answer.status, &*answer.text()), (200, "{}"));
        read()[before..].lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn spans_become_the_documents_of_the_collectors_exporter() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../data/otlp/exporter.json")).unwrap();
    assert_eq!(cases.len(), 21);
    let (recording, mut differences) = (Recording::start(), String::new());
    for case in cases {
        let expected = by_id(case.documents.into_iter().map(as_here).collect(), &case.request);
        let found = by_id(recording.documents_of(&case.request).into_iter().map(without_ids).collect(), &case.request);
        assert_eq!(found.len(), expected.len(), "{}", case.name);
        for (id, expected) in expected {
            if found[&id] != expected {
                let _ = writeln!(differences, "{}: {:#}\nis not\n{expected:#}", case.name, found[&id]);
            }
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// Removes the fields that `xray-local` leaves out. `src/otlp/mod.rs` lists the differences.
fn as_here(mut document: Value) -> Value {
    let is_subsegment = document.get("type").is_some();
    let fields = document.as_object_mut().unwrap();
    fields.retain(|name, value| !(*value == json!(false) && ["error", "fault", "throttle"].contains(&name.as_str())));
    if let Some(http) = fields.get_mut("http") {
        let response = http["response"].as_object_mut().unwrap();
        response.retain(|name, value| name != "content_length" || *value != json!(0));
        http.as_object_mut().unwrap().retain(|_, part| *part != json!({}));
        if is_subsegment && http.get("request").is_some() {
            http["request"].as_object_mut().unwrap().remove("x_forwarded_for");
        }
    }
    if is_subsegment {
        fields.retain(|name, _| !["origin", "service", "user"].contains(&name.as_str()));
        if let Some(Value::Object(aws)) = fields.get_mut("aws") {
            // The exporter writes the account of the resource or of the call as `account_id`. In subsegments,
            // `xray-local` writes only the account of the call.
            let is_of_call = aws.contains_key("region") || aws.contains_key("queue_url");
            aws.retain(|name, _| {
                !["xray", "ec2", "ecs", "eks", "elastic_beanstalk", "cloudwatch_logs"].contains(&name.as_str())
                    && (name != "account_id" || is_of_call)
            });
            if aws.is_empty() {
                fields.remove("aws");
            }
        }
    } else {
        fields.remove("namespace");
        fields.remove("sql");
    }
    without_ids(document)
}

/// Replaces the ids of exceptions by their positions, because the exporter generates the ids at random.
fn without_ids(mut document: Value) -> Value {
    let Some(exceptions) = document.get_mut("cause").and_then(|cause| cause["exceptions"].as_array_mut()) else {
        return document;
    };
    let ids: Vec<Value> = exceptions.iter().map(|exception| exception["id"].clone()).collect();
    for exception in exceptions {
        for field in ["id", "cause"] {
            if let Some(id) = exception.get_mut(field) {
                *id = ids.iter().position(|known| known == id).into();
            }
        }
        for frame in exception.get_mut("stack").and_then(Value::as_array_mut).into_iter().flatten() {
            let fields = frame.as_object_mut().unwrap();
            fields.retain(|_, value| *value != json!(""));
            if let Some(label) = fields.get_mut("label") {
                *label = label.as_str().unwrap().trim_end().into();
            }
        }
        let is_said = |name: &str, value: &Value| *value != json!("") && (name != "remote" || *value != json!(false));
        exception.as_object_mut().unwrap().retain(|name, value| is_said(name, value));
    }
    document
}

/// Returns the documents by id. Replaces the id of a segment that was added for a local root, because the exporter
/// generates this id at random.
fn by_id(documents: Vec<Value>, request: &Value) -> BTreeMap<String, Value> {
    let spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    let is_of_span = |id: &Value| spans.iter().any(|span| span["spanId"] == *id);
    let mut callees = BTreeMap::new();
    for document in &documents {
        if !is_of_span(&document["id"]) {
            let own = documents.iter().find(|other| other["parent_id"] == document["id"]).unwrap();
            callees.insert(document["id"].as_str().unwrap().to_owned(), format!("service of {}", own["id"]));
        }
    }
    let renamed = |mut document: Value| {
        for field in ["id", "parent_id"] {
            if let Some(other) = document[field].as_str().and_then(|id| callees.get(id)) {
                document[field] = other.as_str().into();
            }
        }
        let mut document: Map<String, Value> =
            document.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
        // The exporter leaves the resource out of the segment of a local root that has a parent.
        let is_local_root = spans.iter().any(|span| span["attributes"].to_string().contains("LOCAL_ROOT"));
        if let Some(default) = document.get_mut("metadata").and_then(|metadata| metadata["default"].as_object_mut()) {
            default.retain(|key, _| !(is_local_root && key.starts_with("otel.resource.")));
            if default.is_empty() {
                document.remove("metadata");
            }
        }
        (document["id"].as_str().unwrap().to_owned(), Value::Object(document))
    };
    documents.into_iter().map(renamed).collect()
}

#[test]
fn a_span_without_an_end_is_in_progress() {
    let span = json!({ "traceId": "6b076a21a006649127e371903a2de979", "spanId": "53995c3f42cd8ad8", "name": "job", "kind": 1, "startTimeUnixNano": "1795366420954217000" });
    let documents =
        Recording::start().documents_of(&json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] }));
    assert_eq!((&documents[0]["in_progress"], documents[0].get("end_time")), (&json!(true), None));
}

#[test]
fn the_name_of_a_crates_sdk_is_kept() {
    let span = json!({ "traceId": "6b076a21a006649127e371903a2de979", "spanId": "53995c3f42cd8ad8", "name": "job", "kind": 2 });
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let resource =
        json!({ "attributes": [text("telemetry.sdk.name", "X-Ray for Rust"), text("telemetry.sdk.language", "rust")] });
    let documents = Recording::start()
        .documents_of(&json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": [span] }] }] }));
    assert_eq!(documents[0]["aws"]["xray"]["sdk"], "X-Ray for Rust");
}
