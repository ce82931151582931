//! Finished segments: the JSON of a segment is that of its document, and conversions keep every field.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use xray::Document;
use xray::emitter::FinishedSegment;

/// Returns a document in which every field of the format has a value.
fn full() -> Value {
    json!({
        "id": "70de5b6f19ff9a0a", "trace_id": "1-581cf771-a006649127e371903a2de979", "parent_id": "53995c3f42cd8ad8",
        "type": "subsegment", "name": "api.example.com", "namespace": "remote", "start_time": 1_478_293_361.271,
        "end_time": 1_478_293_361.449_001, "in_progress": true, "error": true, "throttle": true, "fault": true,
        "cause": { "working_directory": "/srv", "paths": ["a"], "exceptions": [{
            "id": "1111111111111111", "message": "no \"way\"\n", "type": "E", "remote": true, "truncated": 3, "skipped": 2,
            "cause": "2222222222222222", "stack": [{ "path": "a.rs", "line": 7, "label": "f" }],
        }] },
        "http": {
            "request": {
                "method": "M-SEARCH", "url": "https://api.example.com:8080/p\u{e9}", "user_agent": "curl", "client_ip": "::1",
                "x_forwarded_for": true,
            },
            "response": { "status": 429, "content_length": -1 },
        },
        "aws": { "xray": { "sdk": "s", "sdk_version": "1", "sampling_rule_name": "r" }, "operation": "PutItem", "n": [1.5] },
        "sql": { "url": "db", "sanitized_query": "SELECT ?", "database_type": "PostgreSQL", "database_version": "16",
            "driver_version": "1", "user": "u", "preparation": "statement" },
        "user": "jane", "origin": "AWS::ECS::Container",
        "annotations": { "text": "\u{1f980}\u{0}", "yes": true, "many": -7, "half": 0.5 },
        "metadata": { "default": { "key": { "deep": [null, { "x": "y" }] } } },
        "links": [{ "trace_id": "1-581cf771-a006649127e371903a2de979", "id": "53995c3f42cd8ad8" }],
        "subsegments": [
            { "id": "3333333333333333", "name": "a", "namespace": "aws", "start_time": 1.0, "end_time": 2.5 },
            { "id": "4444444444444444", "name": "UNKNOWN HOST", "start_time": 0.000_001, "http": { "request": { "url": "" } } },
            { "id": "5555555555555555", "name": "b", "start_time": 1.0, "cause": "1111111111111111", "fault": true,
              "http": { "response": { "status": 0 } } },
        ],
    })
}

#[track_caller]
fn assert_is_kept(document: &Document) {
    let segment = FinishedSegment::from(document.clone());
    assert_eq!((segment.name(), segment.id(), segment.trace_id()), (&*document.name, document.id, document.trace_id));
    let mut json = b"before ".to_vec();
    segment.write_json(&mut json);
    let written: Value = serde_json::from_slice(json.strip_prefix(b"before ").unwrap()).unwrap();
    assert_eq!(written, serde_json::to_value(document).unwrap(), "the JSON of a segment is that of its document");
    assert_eq!(&Document::from(segment), document);
}

#[test]
fn every_field_is_written_and_converted() {
    let full = full();
    let document: Document = serde_json::from_value(full.clone()).unwrap();
    assert_eq!(serde_json::to_value(&document).unwrap(), full, "the test knows every field");
    assert_is_kept(&document);
    // Checks each field alone, beside the three that every document has.
    for (key, value) in full.as_object().unwrap() {
        let mut alone = json!({ "id": "70de5b6f19ff9a0a", "name": "n", "start_time": 1.0 });
        alone[key] = value.clone();
        assert_is_kept(&serde_json::from_value(alone).unwrap());
    }
}

/// The daemon reads the ids of a rejected document from the start of the JSON.
#[test]
fn the_ids_are_the_first_fields() {
    let segment = FinishedSegment::from(serde_json::from_value::<Document>(full()).unwrap());
    let mut json = Vec::new();
    segment.write_json(&mut json);
    let start = br#"{"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","#;
    assert!(json.starts_with(start), "{}", String::from_utf8_lossy(&json));
}

/// Returns a strategy for documents with any texts and numbers.
fn document() -> impl Strategy<Value = Value> {
    let texts = vec(any::<String>(), 4);
    let micros = 1..4_000_000_000_000_000_u64;
    let annotations = btree_map("[a-z]{1,9}", any::<String>(), 0..4);
    (texts, option::of(micros.clone()), micros, any::<u16>(), any::<[bool; 3]>(), annotations).prop_map(
        |(texts, end, start, status, flags, annotations)| {
            #[expect(clippy::cast_precision_loss, reason = "a double holds these microseconds")]
            let seconds = |micros: u64| micros as f64 / 1e6;
            let mut document = json!({
                "id": "70de5b6f19ff9a0a", "name": texts[0], "start_time": seconds(start), "annotations": annotations,
                "http": { "request": { "method": texts[1], "url": texts[2] }, "response": { "status": status } },
                "user": texts[3], "error": flags[0], "fault": flags[1], "throttle": flags[2],
            });
            if let Some(end) = end {
                document["end_time"] = seconds(end).into();
            }
            document
        },
    )
}

#[test]
fn documents_of_any_texts_and_times_are_kept() {
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    proptest!(config, |(one in document(), below in vec(document(), 0..3))| {
        let mut whole = one;
        whole["subsegments"] = below.into();
        assert_is_kept(&serde_json::from_value(whole).unwrap());
    });
}
