//! The findings for documents that X-Ray or another receiver would reject.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use xray_local::check::{Code, Finding, Severity, check};

fn data(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = serde_json::from_str(&data("../tests/data/segment.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
});

fn findings(document: &Value) -> Vec<Finding> {
    check(&document.to_string()).findings
}

/// A valid segment with changed fields; a null removes a field.
fn segment(changes: Value) -> Value {
    let mut segment = json!({ "name": "shop", "id": "70de5b6f19ff9a0a", "trace_id": "1-581cf771-a006649127e371903a2de979", "start_time": 1.5, "end_time": 2.5 });
    let Value::Object(changes) = changes else { unreachable!() };
    for (field, value) in changes {
        match value {
            Value::Null => segment.as_object_mut().unwrap().remove(&field),
            value => segment.as_object_mut().unwrap().insert(field, value),
        };
    }
    segment
}

#[test]
fn good_documents_have_no_findings() {
    for name in ["full-segment", "in-progress-segment", "independent-subsegment", "minimal-segment"] {
        let checked = check(&data(&format!("tests/data/ok-{name}.json")));
        assert_eq!(checked.findings, [], "{name}");
        assert!(checked.document.is_some(), "{name}");
    }
}

#[test]
fn each_bad_document_has_one_finding_with_its_code_and_field() {
    for (name, code, field) in [
        ("annotation-key", None, "annotations[\"a-b\"]"),
        ("annotation-object", None, "annotations.x"),
        ("both-end-and-progress", None, "in_progress"),
        ("exception-without-id", None, "cause.exceptions[0].id"),
        ("metadata-scalar", None, "metadata.k"),
        ("name-201", Some(Code::InvalidName), "name"),
        ("name-backslash", Some(Code::InvalidName), "name"),
        ("name-generic", Some(Code::InvalidName), "name"),
        ("namespace-local", None, "namespace"),
        ("no-end-no-progress", Some(Code::MissingEndTime), "end_time"),
        ("subsegment-without-parent", None, "parent_id"),
        ("uppercase-trace-id", None, "trace_id"),
    ] {
        let checked = check(&data(&format!("tests/data/bad-{name}.json")));
        let [finding] = &checked.findings[..] else { panic!("{name}: {:?}", checked.findings) };
        assert_eq!((finding.code, finding.field.as_str()), (code, field), "{name}: {finding}");
        assert_eq!(finding.is_rejection(), code.is_some(), "{name}");
        assert_eq!(checked.document.is_none(), finding.is_rejection(), "{name}");
    }
}

#[test]
fn a_document_that_x_ray_rejects_has_the_error_code_and_field() {
    for (changes, code, field) in [
        (json!({ "id": null }), Code::MissingId, "id"),
        (json!({ "id": "" }), Code::MissingId, "id"),
        (json!({ "id": "xyz" }), Code::InvalidId, "id"),
        (json!({ "id": 7 }), Code::InvalidId, "id"),
        (json!({ "name": null }), Code::MissingName, "name"),
        (json!({ "name": "" }), Code::MissingName, "name"),
        (json!({ "name": {} }), Code::InvalidName, "name"),
        (json!({ "name": "mysql at RouteBinding:?" }), Code::InvalidName, "name"),
        (json!({ "trace_id": null }), Code::MissingTraceId, "trace_id"),
        (json!({ "trace_id": "581cf771a006649127e371903a2de979" }), Code::InvalidTraceId, "trace_id"),
        (json!({ "trace_id": "2-581cf771-a006649127e371903a2de979" }), Code::InvalidTraceId, "trace_id"),
        (json!({ "trace_id": 1 }), Code::InvalidTraceId, "trace_id"),
        (json!({ "start_time": null }), Code::MissingStartTime, "start_time"),
        (json!({ "start_time": "yesterday" }), Code::MissingStartTime, "start_time"),
        (json!({ "end_time": null }), Code::MissingEndTime, "end_time"),
        (json!({ "end_time": null, "in_progress": false }), Code::MissingEndTime, "end_time"),
        (
            json!({ "subsegments": [{ "id": "70de5b6f19ff9a0b", "name": "a", "start_time": 1 }] }),
            Code::MissingEndTime,
            "subsegments[0].end_time",
        ),
        (
            json!({ "subsegments": [{ "id": "70de5b6f19ff9a0b", "name": "a?", "start_time": 1, "end_time": 2 }] }),
            Code::InvalidName,
            "subsegments[0].name",
        ),
    ] {
        let checked = check(&segment(changes.clone()).to_string());
        let rejection = checked.rejection().unwrap_or_else(|| panic!("{changes}: {:?}", checked.findings));
        assert_eq!((rejection.code, rejection.field.as_str()), (Some(code), field), "{changes}");
        assert!(checked.document.is_none(), "{changes}");
    }
}

#[test]
fn a_w3c_trace_id_is_advised_in_the_form_of_x_ray() {
    let [finding] = &findings(&segment(json!({ "trace_id": "581cf771a006649127e371903a2de979" })))[..] else {
        panic!()
    };
    assert!(finding.advice.ends_with("`1-581cf771-a006649127e371903a2de979`"), "{finding}");
}

#[test]
fn a_rejected_name_is_advised_without_its_illegal_characters() {
    let [finding] = &findings(&segment(json!({ "name": "Vec<T>::f(\u{1}x)" })))[..] else { panic!() };
    assert_eq!(finding.reason, "`Vec<T>::f(\u{1}x)` contains `\\u{1}` `(` `)` `<` `>`, which X-Ray does not accept");
    assert!(finding.advice.ends_with("`VecT::fx`"), "{finding}");
}

#[test]
fn a_number_that_is_no_integer_is_described() {
    for (status, reason) in [
        (json!(200.0), "is a floating-point number, not an integer; "),
        (json!(u64::MAX), "is a number, not an integer below 2^63; "),
        (json!("200"), "is a string, not an integer; "),
    ] {
        let [finding] = &findings(&segment(json!({ "http": { "response": { "status": status } } })))[..] else {
            panic!()
        };
        assert!(finding.reason.starts_with(reason), "{finding}");
    }
}

#[test]
fn fields_that_x_ray_drops_or_other_receivers_reject_are_suspicious() {
    let long = "u".repeat(251);
    let keys: serde_json::Map<_, _> = (0..51).map(|key| (format!("k{key}"), json!(key))).collect();
    let child = |changes: Value| {
        let mut child = json!({ "id": "70de5b6f19ff9a0b", "name": "a", "start_time": 1, "end_time": 2 });
        child.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        json!({ "subsegments": [child] })
    };
    for (changes, field) in [
        (json!({ "id": "70DE5B6F19FF9A0A" }), "id"),
        (json!({ "start_time": "1.5" }), "start_time"),
        (json!({ "start_time": 1_484_786_387_131_u64, "end_time": null, "in_progress": true }), "start_time"),
        (json!({ "start_time": 0 }), "start_time"),
        (json!({ "end_time": 1.25 }), "end_time"),
        (json!({ "in_progress": "no" }), "in_progress"),
        (json!({ "type": "segment" }), "type"),
        (json!({ "namespace": "remote" }), "namespace"),
        (json!({ "inferred": true }), "inferred"),
        (json!({ "colour": "red" }), "colour"),
        (json!({ "http": { "user": "u" } }), "http.user"),
        (json!({ "user": long }), "user"),
        (json!({ "fault": "true" }), "fault"),
        (json!({ "parent_id": "" }), "parent_id"),
        (json!({ "http": { "response": { "status": "200" } } }), "http.response.status"),
        (json!({ "http": { "response": { "status": 200.5 } } }), "http.response.status"),
        (json!({ "http": { "response": { "content_length": -2 } } }), "http.response.content_length"),
        (json!({ "http": [] }), "http"),
        (json!({ "aws": { "elastic_beanstalk": { "deployment_id": "7" } } }), "aws.elastic_beanstalk.deployment_id"),
        (json!({ "aws": { "xray": { "sampling_rule_name": "r".repeat(33) } } }), "aws.xray.sampling_rule_name"),
        (json!({ "cause": "none" }), "cause"),
        (
            json!({ "cause": { "exceptions": [{ "id": "f3ed57bd1fc50693", "stack": [{ "line": "1" }] }] } }),
            "cause.exceptions[0].stack[0].line",
        ),
        (json!({ "annotations": keys }), "annotations"),
        (json!({ "annotations": { "k": "v".repeat(1001) } }), "annotations.k"),
        (json!({ "metadata": { "AWS.x": {} } }), "metadata[\"AWS.x\"]"),
        (json!({ "links": [{ "id": "70de5b6f19ff9a0b" }] }), "links[0].trace_id"),
        (
            json!({ "links": vec![json!({ "trace_id": "1-581cf771-a006649127e371903a2de979", "id": "70de5b6f19ff9a0b" }); 21] }),
            "links",
        ),
        (json!({ "subsegments": {} }), "subsegments"),
        (json!({ "subsegments": [1] }), "subsegments[0]"),
        (child(json!({ "id": "70de5b6f19ff9a0a" })), "subsegments[0].id"),
        (child(json!({ "namespace": "http" })), "subsegments[0].namespace"),
        (child(json!({ "namespace": 1 })), "subsegments[0].namespace"),
        (child(json!({ "user": "u" })), "subsegments[0].user"),
        (child(json!({ "trace_id": "1-581cf771-a006649127e371903a2de970" })), "subsegments[0].trace_id"),
        (child(json!({ "sql": { "preparation": "x" } })), "subsegments[0].sql.preparation"),
        (child(json!({ "precursor_ids": ["x"] })), "subsegments[0].precursor_ids[0]"),
    ] {
        let checked = check(&segment(changes.clone()).to_string());
        let [finding] = &checked.findings[..] else { panic!("{changes}: {:?}", checked.findings) };
        assert_eq!((finding.severity, finding.code), (Severity::Suspicious, None), "{changes}");
        assert_eq!(finding.field, field, "{changes}");
        assert!(checked.document.is_some(), "{changes}");
    }
}

/// The header `Root=1-5759e988-bd862e3fe1be46a994272793` is in many examples. A program that copies it adds each run to
/// one trace.
#[test]
fn a_trace_id_of_another_time_is_suspicious() {
    let at = |id: &str, changes: Value| {
        let mut changes = changes;
        changes["trace_id"] = format!("1-{id}-bd862e3fe1be46a994272793").into();
        changes["start_time"] = 1_795_600_000.5.into();
        changes["end_time"] = 1_795_600_001.into();
        findings(&segment(changes))
    };
    for (id, reason, advice) in [
        (
            "5759e988",
            "contains the time 2016-06-09, 3820 days before `start_time`; X-Ray keeps",
            "belongs in tests only",
        ),
        ("6b9fff00", "contains the time 2027-03-21, 116 days after `start_time`, but no part", "compare the clocks"),
    ] {
        let [finding] = &at(id, json!({}))[..] else { panic!("{id}") };
        assert_eq!((finding.severity, &*finding.field), (Severity::Suspicious, "trace_id"), "{finding}");
        assert!(finding.reason.starts_with(reason) && finding.advice.contains(advice), "{finding}");
    }
    // The first digits of a W3C trace id are random.
    for random in ["00000001", "f1234567"] {
        assert_eq!(at(random, json!({})), [], "{random}");
    }
    let exporter = json!({ "aws": { "xray": { "sdk": "opentelemetry for python" } } });
    assert_eq!(at("5759e988", exporter), []);
}

#[test]
fn a_field_of_the_wrong_kind_of_entity_has_its_own_advice() {
    let advice = |changes: Value| findings(&segment(changes))[0].advice.clone();
    assert!(advice(json!({ "namespace": "remote" })).starts_with("add `\"type\": \"subsegment\"`"));
    assert_eq!(
        advice(json!({ "type": "subsegment", "parent_id": "70de5b6f19ff9a0b", "user": "u" })),
        "set the field on the segment"
    );
    assert_eq!(advice(json!({ "inferred": true })), "leave the field out");
    // `user` is a segment's field only at the top of a document.
    assert!(advice(json!({ "http": { "user": "u" } })).starts_with("put custom data"));
}

#[test]
fn text_that_is_not_a_document_is_explained() {
    let deep = "[".repeat(1000) + &"]".repeat(1000);
    let good = segment(json!({})).to_string();
    let large = segment(json!({ "metadata": { "m": { "k": "v".repeat(70_000) } } })).to_string();
    for (text, code, reason, advice) in [
        ("", Code::ParseError, "the document is empty", "send a segment"),
        (" \n", Code::ParseError, "the document is empty", "send a segment"),
        ("hello", Code::ParseError, "the document is not valid JSON", "send a segment"),
        ("{\"id\":", Code::ParseError, "the document is not valid JSON", "send the whole document"),
        ("{\"start_time\":NaN}", Code::ParseError, "the document is not valid JSON", "leave out NaN"),
        ("[]", Code::MissingId, "the document is an array, not a JSON object", "send one segment"),
        ("7", Code::MissingId, "the document is a number, not a JSON object", "send one segment"),
        (&deep, Code::ParseError, "the document is not valid JSON: recursion limit", "nest less deeply"),
        (
            &format!("{good}\n{good}"),
            Code::ParseError,
            "the document is followed by other text at byte 120",
            "send one document",
        ),
        (&large, Code::InvalidSegment, "the document has 70", "send some subsegments as separate documents"),
    ] {
        let checked = check(text);
        let [finding] = &checked.findings[..] else { panic!("{text}: {:?}", checked.findings) };
        assert!(finding.is_rejection() && checked.document.is_none(), "{text}");
        assert_eq!((finding.code, finding.field.as_str()), (Some(code), ""), "{text}");
        assert!(finding.reason.starts_with(reason), "{finding}");
        assert!(finding.advice.starts_with(advice), "{finding}");
    }
    assert_eq!(check(&large).id.as_deref(), Some("70de5b6f19ff9a0a"));
}

#[test]
fn findings_are_limited_and_rejections_come_first() {
    let many: serde_json::Map<_, _> = (0..1000).map(|key| (format!("a-{key}"), json!({}))).collect();
    let found = findings(&segment(json!({ "annotations": many, "name": "a?" })));
    assert_eq!(found.len(), 21);
    assert_eq!(found[0].code, Some(Code::InvalidName));
    assert!(found[1..].iter().all(|finding| !finding.is_rejection()));
    // 2 findings for each of the 1000 annotations, 1 for their number and 1 for the name; 20 are shown.
    assert_eq!(found[20].reason, "1982 more findings are not shown");
}

/// Values for any field, valid or not.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3..600_i64).prop_map(Value::from),
        Just(json!(1.5)),
        "[0-9a-f]{16}".prop_map(Value::from),
        "[0-9A-F]{15,17}".prop_map(Value::from),
        "[a-z?\\\\é ]{0,5}".prop_map(Value::from),
        Just(json!("x".repeat(201))),
        Just(json!("x".repeat(1001))),
        Just(json!({})),
        Just(json!([])),
        Just(json!({ "k": {} })),
        Just(json!({ "k-": "v" })),
        Just(json!(["statement"])),
        Just(json!("subsegment")),
        Just(json!("remote")),
        Just(json!("statement")),
    ]
}

/// Collects a JSON pointer to each value in a document.
fn pointers(value: &Value, at: &str, pointers: &mut Vec<String>) {
    pointers.push(at.to_owned());
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| self::pointers(value, &format!("{at}/{key}"), pointers));
        }
        Value::Array(values) => {
            values
                .iter()
                .enumerate()
                .for_each(|(index, value)| self::pointers(value, &format!("{at}/{index}"), pointers));
        }
        _ => {}
    }
}

/// Returns whether a schema cannot express a finding, because it compares two values of the document.
fn is_beyond_schema(finding: &Finding) -> bool {
    ["before `start_time`", "after `start_time`", "appears twice", "differs from the document's trace id"]
        .iter()
        .any(|reason| finding.reason.contains(reason))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The schema describes valid documents independently of the checks; it serves other tests too.
    #[test]
    fn a_document_has_findings_exactly_if_the_schema_rejects_it(
        which in 0..2_usize, place in any::<prop::sample::Index>(), change in 0..3, key in "[a-z_]{1,3}", new in value(),
    ) {
        let names = ["tests/data/ok-full-segment.json", "tests/data/ok-independent-subsegment.json"];
        let mut document: Value = serde_json::from_str(&data(names[which])).unwrap();
        let mut all = Vec::new();
        pointers(&document, "", &mut all);
        let place = place.get(&all[1..]);
        let (parent, last) = place.rsplit_once('/').unwrap();
        match (change, document.pointer_mut(parent).unwrap()) {
            (0, Value::Object(map)) => { map.remove(last); }
            (1, Value::Object(map)) => { map.insert(key, new); }
            _ => *document.pointer_mut(place).unwrap() = new,
        }
        let found = findings(&document);
        let found: Vec<_> = found.iter().filter(|finding| !is_beyond_schema(finding)).collect();
        prop_assert_eq!(SCHEMA.is_valid(&document), found.is_empty(), "{}: {:?}", document, found);
    }

    #[test]
    fn checking_never_panics(text in "\\PC{0,300}") {
        let _ = check(&text);
    }
}
