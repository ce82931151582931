//! Documents with random content: nothing panics, no document is lost, and a later good document is taken.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use xray_local::document::Document;
use xray_local::filter::Filter;
use xray_local::graph::service_graph;
use xray_local::store::{Limits, Source, Store};
use xray_local::summary::summary;
use xray_local::time::TimeRange;

const TRACE: &str = "1-581cf771-a006649127e371903a2de979";

/// Names of fields that the code reads, so that random values reach that code.
fn field() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "id",
        "name",
        "trace_id",
        "parent_id",
        "type",
        "start_time",
        "end_time",
        "in_progress",
        "namespace",
        "origin",
        "user",
        "inferred",
        "traced",
        "error",
        "throttle",
        "fault",
        "cause",
        "exceptions",
        "stack",
        "path",
        "line",
        "label",
        "message",
        "remote",
        "truncated",
        "working_directory",
        "annotations",
        "metadata",
        "http",
        "request",
        "response",
        "method",
        "url",
        "status",
        "content_length",
        "aws",
        "account_id",
        "ec2",
        "availability_zone",
        "table_name",
        "resource_names",
        "sql",
        "subsegments",
        "links",
        "precursor_ids",
        "service",
        "resource_arn",
        "x",
    ])
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..6_u8).prop_map(|id| json!(format!("{id:016x}"))),
        prop::sample::select(vec!["aws", "remote", "subsegment", "DynamoDB", "", "<b>", "\u{0}", "é", TRACE])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(field(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A document whose required fields are valid in 9 of 10 cases. Its other fields are random.
fn document() -> impl Strategy<Value = Value> {
    let parts = (
        prop::collection::hash_map(field(), value(), 0..10),
        0..6_u8,
        0..6_u8,
        any::<bool>(),
        prop::bool::weighted(0.9),
    );
    parts.prop_map(|(fields, id, parent, is_subsegment, is_good)| {
        let mut document: Map<String, Value> = fields.into_iter().collect();
        if is_good {
            document.extend([
                ("id".to_owned(), json!(format!("{id:016x}"))),
                ("parent_id".to_owned(), json!(format!("{parent:016x}"))),
                ("trace_id".to_owned(), json!(TRACE)),
                ("name".to_owned(), json!("n")),
                ("start_time".to_owned(), json!(f64::from(id) + 1.0)),
                ("end_time".to_owned(), json!(10)),
            ]);
            if is_subsegment {
                document.insert("type".to_owned(), json!("subsegment"));
            }
            // A random subsegment would be invalid and make the document invalid.
            document.remove("subsegments");
        }
        Value::Object(document)
    })
}

fn good() -> String {
    json!({ "id": "00000000000000ff", "trace_id": TRACE, "name": "good", "start_time": 1, "end_time": 2 }).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn documents_with_random_fields_are_taken_or_rejected_and_never_lost(documents in prop::collection::vec(document(), 1..12)) {
        let store = Store::new(Limits::default());
        let outcomes: Vec<_> = documents.iter().map(|document| store.put(&document.to_string(), Source::Udp)).collect();
        for (outcome, document) in outcomes.iter().zip(&documents) {
            prop_assert_ne!(outcome.is_taken(), outcome.rejection().is_some(), "{} {:?}", document, outcome);
        }
        prop_assert!(store.put(&good(), Source::Udp).is_taken());

        let trace = store.trace(TRACE).unwrap();
        let taken = outcomes.iter().filter(|outcome| outcome.is_taken()).count();
        prop_assert_eq!(trace.revision, taken as u64 + 1);
        prop_assert!(trace.find("00000000000000ff").is_some());
        for segment in &trace.segments {
            let text = serde_json::to_string(segment).unwrap();
            prop_assert!(Document::parse(&text).is_some(), "{}", text);
        }
        serde_json::to_string(&summary(&trace)).unwrap();
        serde_json::to_string(&service_graph([&trace], TimeRange::ALL)).unwrap();
        for filter in [
            "ok error throttle fault partial inferred first last remote root", "!(responsetime > 1 OR duration > 1 OR http.status = 1 OR coverage > 1 OR index = 1)",
            "user = \"\" OR name = \"\" OR type = \"\" OR message = \"\" OR http.url = \"\" OR availabilityzone = \"\" OR instance.id = \"\" OR resource.arn = \"\"",
            "annotation.x = 1 OR service() { fault } OR edge() { fault }",
        ] {
            let _ = Filter::parse(filter).unwrap().matches(&trace);
        }
    }
}
