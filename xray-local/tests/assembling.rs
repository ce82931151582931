//! Traces assembled from documents in any order.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use xray_local::document::{Document, Kind, TraceId};
use xray_local::trace::Trace;

const ID: &str = "1-5880168b-fd5153bb58284b67678aa78c";

fn trace(documents: &[Value]) -> Trace {
    Trace::of(
        TraceId::parse(ID).unwrap(),
        documents.iter().map(|document| Document::from_value(document.clone()).unwrap()),
    )
}

fn id(number: usize) -> String {
    format!("{number:016x}")
}

/// A segment whose id and start, in seconds, are its number.
fn entity(number: usize, more: Value) -> Value {
    let start = f64::from(u32::try_from(number).unwrap());
    let own =
        json!({ "id": id(number), "trace_id": ID, "name": format!("e{number}"), "start_time": start, "end_time": 1e6 });
    with(own, more)
}

/// A subsegment in a separate document.
fn independent(number: usize, parent: usize, more: Value) -> Value {
    with(entity(number, json!({ "type": "subsegment", "parent_id": id(parent) })), more)
}

fn with(mut entity: Value, more: Value) -> Value {
    let Value::Object(more) = more else { unreachable!() };
    entity.as_object_mut().unwrap().extend(more);
    entity
}

fn in_progress(mut entity: Value) -> Value {
    entity.as_object_mut().unwrap().remove("end_time");
    entity["in_progress"] = true.into();
    entity
}

/// Describes the tree of a trace without its inferred segments, such as `1(2(3) 4) 5?`: 2 and 4 are embedded in 1, 3 in
/// 2, and 5 is an orphan.
fn shape(trace: &Trace) -> String {
    fn of(documents: &[Document]) -> String {
        let one = |document: &Document| {
            let number = u64::from_str_radix(&document.id, 16).unwrap();
            let below = if document.subsegments.is_empty() {
                String::new()
            } else {
                format!("({})", of(&document.subsegments))
            };
            format!("{number}{}{below}", if document.orphan { "?" } else { "" })
        };
        documents.iter().map(one).collect::<Vec<_>>().join(" ")
    }
    let real: Vec<Document> = trace.segments.iter().filter(|segment| !segment.inferred).cloned().collect();
    of(&real)
}

fn inferred(trace: &Trace) -> Vec<Value> {
    let inferred = trace.segments.iter().filter(|segment| segment.inferred);
    inferred.map(|segment| serde_json::to_value(segment).unwrap()).collect()
}

fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Reconstructs the subsegment from which X-Ray made an inferred segment.
fn call(inferred: &Value, namespace: &str) -> Value {
    let mut call = inferred.clone();
    for field in ["inferred", "origin"] {
        call.as_object_mut().unwrap().remove(field);
    }
    call["id"] = inferred["parent_id"].clone();
    call["parent_id"] = id(1).into();
    call["type"] = "subsegment".into();
    call["namespace"] = namespace.into();
    call["metadata"] = json!({ "m": {} });
    call["annotations"] = json!({ "a": 1 });
    call
}

#[test]
fn inferred_segments_equal_those_of_x_ray() {
    for (name, namespace) in [("inferred-http.json", "remote"), ("inferred-dynamodb.json", "aws")] {
        let mut expected = fixture(name);
        let id = TraceId::parse(expected["trace_id"].as_str().unwrap()).unwrap();
        let made = Trace::of(id, [Document::from_value(call(&expected, namespace)).unwrap()]);
        let [made] = &inferred(&made)[..] else { panic!("{name}: {made:?}") };
        let new_id = made["id"].as_str().unwrap();
        assert!(new_id.len() == 16 && new_id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{new_id}");
        assert_ne!(new_id, expected["parent_id"]);
        expected["id"] = new_id.into();
        assert_eq!(*made, expected, "{name}");
    }
}

#[test]
fn an_inferred_segment_serializes_like_the_example_in_the_developer_guide() {
    let subsegment = json!({
        "id": "004f72be19cddc2a", "start_time": 1_484_786_387.131, "end_time": 1_484_786_387.501, "name": "names.example.com", "namespace": "remote",
        "http": { "request": { "method": "GET", "url": "https://names.example.com/" }, "response": { "content_length": -1, "status": 200 } },
    });
    let trace = trace(&[entity(1, json!({ "subsegments": [subsegment] }))]);
    let made = &trace.segments[1];
    let text = serde_json::to_string(made).unwrap().replace(&made.id, "168416dc2ea97781");
    assert_eq!(
        text,
        r#"{"id":"168416dc2ea97781","name":"names.example.com","trace_id":"1-5880168b-fd5153bb58284b67678aa78c","start_time":1484786387.131,"end_time":1484786387.501,"parent_id":"004f72be19cddc2a","http":{"request":{"method":"GET","url":"https://names.example.com/"},"response":{"content_length":-1,"status":200}},"inferred":true}"#
    );
}

#[test]
fn an_inferred_segment_has_an_origin_and_copied_fields() {
    for (changes, origin, copied) in [
        (json!({ "namespace": "remote", "fault": true, "error": false }), None, json!({ "fault": true })),
        (
            json!({ "namespace": "remote", "sql": { "url": "u" } }),
            Some("Database::SQL"),
            json!({ "sql": { "url": "u" } }),
        ),
        (
            json!({ "namespace": "aws", "name": "S3", "aws": { "bucket_name": "b" } }),
            Some("AWS::S3::Bucket"),
            json!({ "aws": { "bucket_name": "b" } }),
        ),
        (
            json!({ "namespace": "aws", "name": "dynamodb", "aws": { "table_names": ["t"] } }),
            Some("AWS::DynamoDB::Table"),
            json!({ "aws": { "table_names": ["t"] } }),
        ),
        (json!({ "namespace": "aws", "name": "DynamoDB" }), Some("AWS::DynamoDB"), json!({})),
        (
            json!({ "namespace": "aws", "name": "SNS", "throttle": true, "error": true }),
            Some("AWS::SNS"),
            json!({ "throttle": true, "error": true }),
        ),
        (json!({ "namespace": "aws", "name": "Kinesis" }), Some("AWS::Kinesis"), json!({})),
    ] {
        let trace = trace(&[entity(1, json!({})), independent(2, 1, changes.clone())]);
        let [made] = &inferred(&trace)[..] else { panic!("{changes}") };
        let mut expected = json!({
            "id": made["id"], "name": changes.get("name").unwrap_or(&json!("e2")), "trace_id": ID, "parent_id": id(2), "start_time": 2.0, "end_time": 1e6, "inferred": true,
        });
        expected.as_object_mut().unwrap().extend(copied.as_object().unwrap().clone());
        if let Some(origin) = origin {
            expected["origin"] = origin.into();
        }
        assert_eq!(*made, expected, "{changes}");
    }
}

#[test]
fn a_call_whose_callee_sends_a_segment_has_no_inferred_segment() {
    let call = independent(2, 1, json!({ "namespace": "remote" }));
    let answer = entity(3, json!({ "parent_id": id(2) }));
    assert_eq!(inferred(&trace(&[entity(1, json!({})), call.clone()])).len(), 1);
    for documents in [
        vec![call.clone(), answer.clone()],
        vec![answer, call],
        vec![independent(2, 1, json!({ "namespace": "remote", "traced": true }))],
        vec![independent(2, 1, json!({ "namespace": "remote", "http": { "request": { "traced": true } } }))],
        vec![independent(2, 1, json!({ "namespace": "local" }))],
        vec![independent(2, 1, json!({}))],
        vec![entity(2, json!({ "namespace": "remote" }))],
    ] {
        assert_eq!(inferred(&trace(&documents)), Vec::<Value>::new(), "{documents:?}");
    }
}

#[test]
fn the_inferred_segment_of_a_call_in_progress_is_in_progress() {
    let trace = trace(&[in_progress(independent(2, 1, json!({ "namespace": "remote" })))]);
    assert_eq!(inferred(&trace)[0]["in_progress"], true);
    assert!(trace.is_partial());
}

#[test]
fn a_received_document_is_never_inferred() {
    let trace = trace(&[entity(1, json!({ "inferred": true }))]);
    assert!(!trace.segments[0].inferred);
    assert!(!trace.segments[0].raw.contains_key("inferred"));
}

#[test]
fn subsegments_are_embedded_in_their_parents() {
    for (documents, expected) in [
        // A subsegment that arrives before or after its segment, or whose parent is a subsegment.
        (vec![independent(2, 1, json!({})), entity(1, json!({}))], "1(2)"),
        (vec![entity(1, json!({})), independent(2, 1, json!({}))], "1(2)"),
        (vec![entity(1, json!({ "subsegments": [entity(2, json!({}))] })), independent(3, 2, json!({}))], "1(2(3))"),
        (
            vec![
                independent(4, 3, json!({})),
                independent(3, 1, json!({})),
                entity(1, json!({ "subsegments": [entity(2, json!({}))] })),
            ],
            "1(2 3(4))",
        ),
        // The segment has not arrived.
        (vec![independent(3, 2, json!({})), independent(2, 1, json!({}))], "2?(3)"),
        (vec![entity(2, json!({ "type": "subsegment" }))], "2?"),
        // A segment whose parent is a subsegment is not embedded.
        (
            vec![entity(1, json!({ "subsegments": [entity(2, json!({}))] })), entity(3, json!({ "parent_id": id(2) }))],
            "1(2) 3",
        ),
        // The order is by start, not by arrival.
        (vec![entity(1, json!({})), independent(9, 1, json!({})), independent(5, 1, json!({}))], "1(5 9)"),
        // The same document twice.
        (
            vec![
                entity(1, json!({ "subsegments": [entity(2, json!({}))] })),
                entity(1, json!({ "subsegments": [entity(2, json!({}))] })),
            ],
            "1(2)",
        ),
        // A subsegment that only an earlier version of its segment contains is kept.
        (vec![in_progress(entity(1, json!({ "subsegments": [entity(2, json!({}))] }))), entity(1, json!({}))], "1(2)"),
        // A segment and a subsegment have the same id. Their child belongs to the segment.
        (vec![independent(1, 3, json!({})), entity(1, json!({})), independent(2, 1, json!({}))], "1(2) 1?"),
    ] {
        assert_eq!(shape(&trace(&documents)), expected, "{documents:?}");
    }
}

#[test]
fn circles_of_parents_are_cut_without_losing_entities() {
    for (documents, expected) in [
        (vec![independent(1, 1, json!({}))], "1?"),
        (vec![independent(1, 2, json!({})), independent(2, 1, json!({}))], "1?(2)"),
        (vec![independent(2, 4, json!({})), independent(3, 2, json!({})), independent(4, 3, json!({}))], "2?(3(4))"),
        // The earliest entity is below the circle, not in it.
        (vec![independent(1, 3, json!({})), independent(2, 3, json!({})), independent(3, 2, json!({}))], "2?(3(1))"),
        (
            vec![
                entity(9, json!({})),
                independent(1, 2, json!({})),
                independent(2, 1, json!({})),
                independent(3, 9, json!({})),
            ],
            "1?(2) 9(3)",
        ),
        (vec![entity(1, json!({ "parent_id": id(2) })), entity(2, json!({ "parent_id": id(1) }))], "1 2"),
    ] {
        assert_eq!(shape(&trace(&documents)), expected, "{documents:?}");
    }
}

#[test]
fn a_trace_of_segments_that_call_each_other_in_a_circle_has_no_root() {
    let circle = trace(&[entity(1, json!({ "parent_id": id(2) })), entity(2, json!({ "parent_id": id(1) }))]);
    assert_eq!((circle.root(), circle.response_time(), circle.start()), (None, None, 1.0));
}

#[test]
fn a_complete_version_replaces_one_in_progress_in_either_order() {
    let early = in_progress(entity(1, json!({ "user": "early" })));
    let complete = entity(1, json!({ "user": "complete" }));
    for documents in [[early.clone(), complete.clone()], [complete, early]] {
        let trace = trace(&documents);
        assert_eq!(trace.segments[0].user.as_deref(), Some("complete"));
        assert!(!trace.is_partial());
    }
}

#[test]
fn an_embedded_subsegment_omits_fields_that_follow_from_its_position() {
    let trace = trace(&[entity(1, json!({})), independent(2, 1, json!({}))]);
    let text = serde_json::to_value(&trace.segments[0]).unwrap();
    assert_eq!(text["subsegments"][0], json!({ "id": id(2), "name": "e2", "start_time": 2.0, "end_time": 1e6 }));
    assert_eq!(trace.segments[0].subsegments[0].parent_id, Some(id(1)));
}

#[test]
fn an_orphan_keeps_its_type_and_parent_id() {
    let trace = trace(&[independent(2, 7, json!({}))]);
    let text = serde_json::to_value(&trace.segments[0]).unwrap();
    assert_eq!(text, independent(2, 7, json!({})));
}

#[test]
fn the_root_is_the_segment_without_a_caller_in_the_trace() {
    let callee = entity(1, json!({ "parent_id": id(8) }));
    let with_parent_elsewhere = entity(5, json!({ "parent_id": id(99) }));
    let root_of = |documents: &[Value]| trace(documents).root().map(|root| root.id.clone());
    let gateway = entity(7, json!({ "subsegments": [entity(8, json!({}))] }));
    assert_eq!(root_of(&[callee.clone(), gateway]), Some(id(7)));
    assert_eq!(root_of(&[callee.clone(), independent(8, 5, json!({})), with_parent_elsewhere]), Some(id(5)));
    assert_eq!(root_of(&[independent(8, 5, json!({ "namespace": "remote" }))]), None);
}

#[test]
fn the_duration_includes_work_after_the_response() {
    let trace = trace(&[
        entity(10, json!({ "end_time": 12.0 })),
        independent(11, 10, json!({ "end_time": 15.5 })),
        in_progress(independent(20, 10, json!({}))),
    ]);
    assert_eq!(
        (trace.start(), trace.end(), trace.duration(), trace.response_time()),
        (10.0, Some(15.5), Some(5.5), Some(2.0))
    );
}

#[test]
fn a_long_chain_of_parents_is_embedded_to_a_limited_depth() {
    const LENGTH: usize = 20_000;
    let mut documents = vec![entity(0, json!({}))];
    documents.extend((1..LENGTH).map(|number| independent(number, number - 1, json!({ "namespace": "remote" }))));
    let trace = trace(&documents);
    let count = trace.entities().filter(|entity| !entity.inferred).count();
    assert_eq!((count, trace.segments.len()), (LENGTH, LENGTH));
    let text = serde_json::to_string(&trace.segments[0]).unwrap();
    let read: Document = Document::parse(&text).unwrap();
    assert_eq!(read.walk().count(), LENGTH);
    // The last subsegment is embedded in another entity than its parent, so its document keeps the parent's id.
    let last = trace.find(&id(LENGTH - 1)).unwrap();
    assert_eq!(last.parent_id, Some(id(LENGTH - 2)));
    assert_eq!(last.raw["parent_id"], id(LENGTH - 2));
}

/// `serde_json` reads 127 levels of JSON.
#[test]
fn a_subsegment_with_deep_metadata_is_embedded_where_its_segment_can_be_read() {
    for (length, depth, is_embedded) in
        [(1, 10, true), (1, 124, false), (10, 100, true), (40, 60, true), (60, 60, true), (60, 124, false)]
    {
        let mut documents = vec![entity(0, json!({}))];
        documents.extend((1..=length).map(|number| independent(number, number - 1, json!({}))));
        let mut value = json!(1);
        for _ in 0..depth {
            value = json!({ "a": value });
        }
        documents[length]["metadata"] = json!({ "default": value });
        documents.push(independent(length + 1, length, json!({})));
        let trace = trace(&documents);
        assert_eq!(trace.segments.len(), if is_embedded { 1 } else { 2 }, "{length} {depth}");
        let texts = trace.segments.iter().map(|segment| serde_json::to_string(segment).unwrap());
        let read: Vec<_> = texts.filter_map(|text| Document::parse(&text)).collect();
        assert_eq!(read.iter().flat_map(Document::walk).count(), length + 2, "{length} {depth}");
        let rows = trace.rows(false);
        for number in [length, length + 1] {
            let found = trace.find(&id(number)).unwrap();
            assert_eq!((found.parent_id.clone(), found.orphan), (Some(id(number - 1)), false));
            assert!(rows.iter().any(|row| row.document.id == id(number)));
        }
    }
}

#[test]
fn the_ids_of_inferred_segments_are_stable_and_unique() {
    let documents: Vec<Value> =
        (1..500).map(|number| independent(number, 0, json!({ "namespace": "remote" }))).collect();
    let (first, second) = (trace(&documents), trace(&documents));
    assert_eq!(first, second);
    assert_eq!(first.entities().map(|entity| &entity.id).collect::<BTreeSet<_>>().len(), 2 * 499);
}

/// The documents of one trace: segments and subsegments with random parents. Some contain subsegments, and some are
/// also sent while in progress.
fn documents() -> impl Strategy<Value = Vec<Value>> {
    let one = (0..8_usize, any::<bool>(), any::<bool>(), any::<bool>(), 0..3_usize);
    prop::collection::vec(one, 1..8).prop_map(|entities| {
        let mut documents = Vec::new();
        let mut next = 100;
        for (number, (parent, is_segment, is_remote, has_early, embedded)) in entities.into_iter().enumerate() {
            let mut children = Vec::new();
            for _ in 0..embedded {
                next += 1;
                children.push(entity(
                    next,
                    json!({ "namespace": "remote", "subsegments": [entity(next + 1000, json!({}))] }),
                ));
            }
            let more = json!({ "subsegments": children, "parent_id": id(parent) });
            let mut document = if is_segment { entity(number, more) } else { independent(number, parent, more) };
            if is_remote && !is_segment {
                document["namespace"] = "remote".into();
            }
            if has_early {
                documents.push(in_progress(document.clone()));
            }
            documents.push(document);
        }
        documents
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_matter(
        (documents, shuffled) in documents().prop_flat_map(|documents| (Just(documents.clone()), Just(documents).prop_shuffle())),
        twice in any::<prop::sample::Index>(),
    ) {
        let expected = trace(&documents);
        let mut shuffled = shuffled;
        shuffled.push(twice.get(&documents).clone());
        prop_assert_eq!(&trace(&shuffled), &expected);

        // Each entity that was sent is in the trace exactly once.
        let sent: BTreeSet<(bool, String)> = documents.iter().flat_map(|document| {
            let document = Document::from_value(document.clone()).unwrap();
            document.walk().map(|entity| (entity.kind == Kind::Segment, entity.id.clone())).collect::<Vec<_>>()
        }).collect();
        let mut found: Vec<_> = expected.entities().filter(|entity| !entity.inferred).map(|entity| (entity.kind == Kind::Segment, entity.id.clone())).collect();
        found.sort();
        prop_assert_eq!(found, sent.into_iter().collect::<Vec<_>>());
    }
}
