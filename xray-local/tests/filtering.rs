//! Filter expressions, and the traces that they select.

mod support;

use proptest::prelude::*;
use serde_json::json;
use support::trace;
use xray_local::document::State;
use xray_local::filter::{Filter, NamedFilter, Search};
use xray_local::summary::summary;
use xray_local::trace::Trace;

/// Trace 1: a shop successfully calls another service.
fn good() -> Trace {
    trace(
        1,
        &[json!({
            "id": "000000000000000a", "name": "shop", "start_time": 100.0, "end_time": 101.0, "origin": "AWS::ECS::Container", "user": "alice",
            "resource_arn": "arn:shop", "aws": { "account_id": "7", "ec2": { "instance_id": "i-1", "availability_zone": "eu-1a" } },
            "http": { "request": { "method": "GET", "url": "http://shop.example.com/v2/cart", "user_agent": "curl/8", "client_ip": "10.0.0.1" }, "response": { "status": 200 } },
            "annotations": { "tier": "gold", "age": 30, "new": true, "a.b": "dotted", "2fa": "on", "404": 7 },
            "subsegments": [{ "id": "000000000000000b", "name": "names.example.com", "namespace": "remote", "start_time": 100.2, "end_time": 100.7,
                "http": { "request": { "method": "GET", "url": "https://names.example.com/" }, "response": { "status": 200 } } }],
        })],
    )
}

/// Trace 2: a shop handles the fault of a service that it calls, and works on after its response.
fn handled() -> Trace {
    trace(
        2,
        &[
            json!({
                "id": "000000000000000a", "name": "shop", "start_time": 200.0, "end_time": 204.0, "http": { "response": { "status": 302 } },
                "subsegments": [{ "id": "000000000000000b", "name": "payments.internal", "namespace": "remote", "start_time": 201.0, "end_time": 203.0, "fault": true,
                    "annotations": { "age": 20, "new": false } }],
            }),
            json!({
                "id": "000000000000000c", "name": "payments", "parent_id": "000000000000000b", "start_time": 201.5, "end_time": 202.0, "fault": true, "user": "bob",
                "cause": { "exceptions": [{ "id": "00000000000000ee", "message": "card refused" }] },
            }),
            json!({ "id": "000000000000000d", "type": "subsegment", "name": "mail", "parent_id": "000000000000000a", "start_time": 204.0, "end_time": 209.0 }),
        ],
    )
}

/// Trace 3: a shop in progress, whose request to a table was throttled.
fn throttled() -> Trace {
    trace(
        3,
        &[json!({
            "id": "000000000000000a", "name": "shop", "start_time": 300.0, "in_progress": true, "error": true,
            "subsegments": [{ "id": "000000000000000b", "name": "DynamoDB", "namespace": "aws", "start_time": 300.0, "end_time": 300.5, "throttle": true, "error": true,
                "aws": { "table_name": "carts" } }],
        })],
    )
}

/// Returns the numbers of the traces that an expression selects.
fn selected(expression: &str) -> Vec<usize> {
    let filter = Filter::parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    let traces = [good(), handled(), throttled()];
    (1..=3).filter(|number| filter.matches(&traces[number - 1])).collect()
}

#[test]
fn keywords_select_traces() {
    for (expression, numbers) in [
        ("", &[1, 2, 3][..]),
        ("ok", &[1, 2]),
        ("!ok", &[3]),
        ("ok = false", &[3]),
        ("OK != true", &[3]),
        ("error", &[3]),
        // A fault that the root segment handled is not the trace's.
        ("fault", &[]),
        ("throttle", &[3]),
        ("partial", &[3]),
        ("inferred", &[1, 3]),
        ("remote", &[1]),
        ("first AND last AND root", &[1, 2, 3]),
        ("responsetime = 1", &[1]),
        ("responseTime >= 4", &[2]),
        ("responsetime", &[1, 2]),
        ("duration > 4", &[2]),
        ("duration >= 1 AND duration <= 1.0", &[1]),
        ("duration < 1e0", &[3]),
        ("http.status = 200", &[1]),
        ("http.status != 200", &[2]),
        ("!http.status", &[3]),
        (r#"http.url = "http://shop.example.com/v2/cart""#, &[1]),
        (r#"http.url BEGINSWITH "http://shop" and http.url contains "/v2/""#, &[1]),
        (r#"http.url ENDSWITH "/cart""#, &[1]),
        (r#"http.url ENDSWITH "/v2""#, &[]),
        (r#"http.method = "GET" http.useragent BEGINSWITH "curl" http.clientip = '10.0.0.1'"#, &[1]),
        (r#"user CONTAINS """#, &[1, 2]),
        (r#"user = "bob""#, &[2]),
        (r#"user != "bob""#, &[1]),
        (r#"name = "payments""#, &[2]),
        (r#"type = "remote""#, &[1]),
        (r#"message CONTAINS "refused""#, &[2]),
        (r#"availabilityzone = "eu-1a" AND instance.id = "i-1" AND resource.arn = "arn:shop""#, &[1]),
        ("coverage = 1 AND index = 0", &[1, 2]),
    ] {
        assert_eq!(selected(expression), numbers, "{expression}");
    }
}

/// In a Lambda function the SDK sends subsegments alone. The segment stays in AWS.
#[test]
fn a_trace_without_a_segment_has_the_state_of_its_subsegments() {
    let function = |state: &str| {
        let call = |id: &str, failed: bool| json!({ "id": id, "type": "subsegment", "name": "title", "parent_id": "00000000000000ff", "start_time": 1.0, "end_time": 2.0, state: failed });
        trace(1, &[call("000000000000000a", false), call("000000000000000b", true)])
    };
    for (state, selecting, others) in
        [("fault", ["fault", "!ok"], ["ok", "error"]), ("error", ["error", "!ok"], ["ok", "fault"])]
    {
        let matches = |expression: &str| Filter::parse(expression).unwrap().matches(&function(state));
        assert_eq!((selecting.map(matches), others.map(matches)), ([true; 2], [false; 2]), "{state}");
        let summary = summary(&function(state));
        assert_eq!([summary.has_fault, summary.has_error], [state == "fault", state == "error"]);
    }
    let successful = function("inferred");
    assert_eq!(
        ["ok", "fault", "error"].map(|key| Filter::parse(key).unwrap().matches(&successful)),
        [true, false, false]
    );
}

#[test]
fn annotations_select_traces() {
    for (expression, numbers) in [
        ("annotation.age", &[1, 2][..]),
        ("!annotation.age", &[3]),
        ("annotation.age > 29", &[1]),
        ("annotation.age >= 20", &[1, 2]),
        (r#"annotation.age = "30""#, &[]),
        ("annotation.new", &[1]),
        ("annotation.new = false", &[2]),
        ("annotation.new != true", &[2]),
        (r#"annotation.tier = "gold""#, &[1]),
        (r#"annotation[tier] BEGINSWITH "go""#, &[1]),
        (r#"annotation[a.b] = "dotted" AND annotation["a.b"] = "dotted" AND annotation.a.b = "dotted""#, &[1]),
        (r#"annotation[2fa] = "on" AND annotation[ 404 ] = 7 AND annotation.2fa = "on""#, &[1]),
        (r#"annotation.Tier = "gold""#, &[]),
    ] {
        assert_eq!(selected(expression), numbers, "{expression}");
    }
}

/// `0.1_f32` as an SDK records it: JSON has one type of number, so the `f32` is widened to an `f64`.
#[test]
fn an_annotation_recorded_as_f32_is_found_by_the_number_in_the_source() {
    let with = |ratio: f64| {
        trace(
            1,
            &[
                json!({ "id": "000000000000000a", "name": "shop", "start_time": 1, "end_time": 2, "annotations": { "ratio": ratio } }),
            ],
        )
    };
    let finds = |ratio: f64, expression: &str| Filter::parse(expression).unwrap().matches(&with(ratio));
    let recorded = f64::from(0.1_f32);
    assert_eq!(recorded.to_string(), "0.10000000149011612");
    for (expression, is_found) in [
        ("annotation.ratio = 0.1", true),
        ("annotation.ratio = 0.10000000149011612", true),
        ("annotation.ratio != 0.1", false),
        ("annotation.ratio >= 0.1 AND annotation.ratio <= 0.1", true),
        ("annotation.ratio > 0.1", false),
        ("annotation.ratio < 0.1", false),
        ("annotation.ratio = 0.10000001", false),
        ("annotation.ratio > 0.09", true),
    ] {
        assert_eq!(finds(recorded, expression), is_found, "{expression}");
    }
    assert!(finds(f64::from(0.123_456_7_f32), "annotation.ratio = 0.1234567"));
    assert!(!finds(0.5, "annotation.ratio = 0.5000000001"), "the nearest f32 of both is 0.5");
    assert!(!finds(0.100_000_01, "annotation.ratio = 0.1"), "recorded as f64");
    // 2^60 as an `f32` is written 1152921500000000000.
    assert!(!finds(1_152_921_504_606_846_976.0, "annotation.ratio = 1152921500000000000"), "an integer such as an id");
}

#[test]
fn services_and_edges_select_traces() {
    for (expression, numbers) in [
        (r#"service("payments")"#, &[2][..]),
        (r#"!service("payments")"#, &[1, 3]),
        (r#"service("payments") { fault = true OR responsetime > 2.5 }"#, &[2]),
        (r#"service("shop") { fault }"#, &[]),
        ("service() { fault }", &[2]),
        ("service() { throttle }", &[3]),
        (r#"service("shop") { root = true and ok }"#, &[1, 2]),
        (r#"service(id(name: "shop", type: "AWS::ECS::Container"))"#, &[1]),
        (r#"service(id(type: "AWS::DynamoDB::Table")) { inferred }"#, &[3]),
        (r#"service(id(account.id: "7"))"#, &[1]),
        ("service(id())", &[1, 2, 3]),
        // A table's service has the table's name. The subsegment's name selects it too.
        (r#"service("carts") service("DynamoDB")"#, &[3]),
        (r#"service("shop") { duration > 4 }"#, &[2]),
        ("service() { coverage < 0.2 }", &[2]),
        (r#"edge("shop", "payments")"#, &[2]),
        (r#"edge("shop", "payments.internal") { fault }"#, &[2]),
        // The duration of the call, which is longer than the called service's work.
        (r#"edge("shop", "payments") { responsetime = 2 }"#, &[2]),
        (r#"edge("payments", "shop")"#, &[]),
        (r#"edge("payments", "payments")"#, &[]),
        (r#"edge("shop", "shop")"#, &[]),
        (r#"edge("shop", "names.example.com") { http.status = 200 }"#, &[1]),
        (r#"edge(id(name: "shop"), id(type: "remote"))"#, &[1]),
        ("edge() { fault }", &[2]),
        (r#"service("shop") { annotation.tier = "gold" }"#, &[1]),
        (r#"service("names.example.com") { annotation.tier = "gold" }"#, &[]),
        (r#"service("shop") { annotation.age = 20 OR annotation[age] = 30 }"#, &[1, 2]),
        ("edge() { annotation.age = 20 }", &[2]),
    ] {
        assert_eq!(selected(expression), numbers, "{expression}");
    }
}

#[test]
fn root_causes_select_traces() {
    for (expression, numbers) in [
        ("rootcause.fault.service { }", &[2][..]),
        ("rootcause.fault.service", &[2]),
        ("rootcause.error.service", &[3]),
        // The shop's segment has no fault, so the path starts with its call.
        (r#"rootcause.fault.service { first and name = "shop" }"#, &[2]),
        (r#"rootcause.fault.service { last and name = "payments" }"#, &[2]),
        (r#"rootcause.fault.service { last and name = "shop" }"#, &[]),
        ("rootcause.fault.service { index > 0 and !inferred }", &[2]),
        (r#"rootcause.error.service { inferred and type = "AWS::DynamoDB::Table" }"#, &[3]),
        (r#"rootcause.fault.entity { remote and name = "payments.internal" }"#, &[2]),
        (r#"rootcause.fault.exception { last and message = "card refused" }"#, &[2]),
        ("rootcause.error.exception", &[]),
        // The shop waits for its payments half of its time, and the payments wait for nothing.
        ("rootcause.responsetime.service", &[1, 2]),
        (r#"rootcause.responsetime.service { last and name = "names.example.com" }"#, &[1]),
        ("rootcause.responsetime.entity { index = 1 and remote and coverage = 0.5 }", &[1, 2]),
        (r#"rootcause.responsetime.entity { name = "payments" }"#, &[]),
        (
            r#"rootcause.json = #[{ "Services": [{ "Name": "shop", "EntityPath": [{ "Name": "payments.internal" }] }, { "Name": "payments" }] }]"#,
            &[2],
        ),
        (
            r#"rootcause.json = #[{ "Services": [{ "Name": "payments" }] }] OR rootcause.json = #[{ "ClientImpacting": false }]"#,
            &[2],
        ),
        // Steps on a path have no duration.
        ("rootcause.fault.service { duration >= 0 }", &[]),
    ] {
        assert_eq!(selected(expression), numbers, "{expression}");
    }
}

/// The function has handled the failures, so its invocation succeeded. The second failing call is answered by a service
/// that sends a segment.
#[test]
fn a_failure_inside_the_topmost_subsegment_is_not_that_of_the_trace() {
    let call = |id: &str| json!({ "id": id, "name": "api", "namespace": "remote", "start_time": 1.0, "end_time": 2.0, "fault": true });
    let title = json!({ "id": "000000000000000a", "type": "subsegment", "name": "title", "parent_id": "00000000000000ff", "start_time": 1.0,
        "end_time": 2.0, "subsegments": [call("000000000000000b"), call("000000000000000c")] });
    let api = json!({ "id": "000000000000000d", "name": "api", "parent_id": "000000000000000c", "start_time": 1.0, "end_time": 2.0, "fault": true });
    let handled = trace(1, &[title, api]);
    assert_eq!(handled.state(), State::Ok);
    let summary = summary(&handled);
    assert_eq!([summary.has_fault, summary.has_error], [false, false]);
    assert_eq!(
        ["ok", "fault", "error", "service(\"api\") { fault }"].map(|key| Filter::parse(key).unwrap().matches(&handled)),
        [true, false, false, true]
    );
}

/// Looking for the root once per segment would take minutes.
#[test]
fn a_trace_of_many_segments_without_a_root_is_evaluated_quickly() {
    let segment = |number: u32| json!({ "id": format!("{number:016x}"), "parent_id": format!("{:016x}", number ^ 1), "name": "s", "start_time": 1.0, "end_time": 2.0 });
    let circles = trace(4, &(0..20_000).map(segment).collect::<Vec<_>>());
    for expression in ["service() { root OR coverage > 0 }", "edge() { root OR coverage > 0 }"] {
        assert!(!Filter::parse(expression).unwrap().matches(&circles), "{expression}");
    }
}

#[test]
fn and_or_not_and_parentheses_combine_conditions() {
    for (expression, numbers) in [
        ("ok !partial duration <3", &[1][..]),
        ("fault OR error", &[3]),
        // `AND` binds more tightly than `OR`.
        ("error OR ok AND inferred", &[1, 3]),
        ("(error OR ok) AND inferred", &[1, 3]),
        ("ok AND inferred OR error", &[1, 3]),
        ("ok AND (inferred OR error)", &[1]),
        ("NOT (ok OR fault)", &[3]),
        ("!!ok", &[1, 2]),
        ("ok(inferred)", &[1]),
    ] {
        assert_eq!(selected(expression), numbers, "{expression}");
    }
}

#[test]
fn an_error_names_the_column_and_what_is_expected() {
    for (expression, error) in [
        ("faul", "column 1: `faul` is not a keyword; did you mean `fault`?"),
        ("respnsetime > 1", "column 1: `respnsetime` is not a keyword; did you mean `responsetime`?"),
        ("fualt = true", "column 1: `fualt` is not a keyword; did you mean `fault`?"),
        ("http.stauts = 404", "column 1: `http.stauts` is not a keyword; did you mean `http.status`?"),
        ("serivce(\"shop\")", "column 1: `serivce` is not a keyword; did you mean `service`?"),
        ("ok ADN fault", "column 4: `ADN` is not a keyword; did you mean `AND`?"),
        ("name CONTAIN \"shop\"", "column 6: `CONTAIN` is not a keyword; did you mean `CONTAINS`?"),
        ("ok AND status = 200", "column 8: `status` is not a keyword; did you mean `http.status`?"),
        ("gold", "column 1: `gold` is not a keyword; put a text to compare with in quotation marks"),
        ("ok AND", "column 7: expected a keyword, `!` or `(`, found the end of the expression"),
        ("ok OR OR fault", "column 7: `OR` is not a keyword; put a text to compare with in quotation marks"),
        ("(ok", "column 4: expected `)`, found the end of the expression"),
        ("ok)", "column 3: expected a condition, `AND`, `OR` or the end, found `)`"),
        ("ok = 1", "column 6: expected `true` or `false`, found `1`"),
        ("duration > \"3\"", "column 12: expected a number, found \"3\""),
        ("duration CONTAINS 3", "column 10: compare a number with `=`, `!=`, `<`, `<=`, `>` or `>=`"),
        ("user = alice", "column 8: expected a text in quotation marks, found `alice`"),
        ("user > \"a\"", "column 6: compare a text with `=`, `!=`, `CONTAINS`, `BEGINSWITH` or `ENDSWITH`"),
        ("fault < true", "column 7: compare `true` and `false` with `=` or `!=`"),
        ("user = \"al", "column 8: the text that starts here has no closing \""),
        ("duration > 3s", "column 12: `3s` is not a number"),
        ("ok & fault", "column 4: `&` is not allowed here"),
        ("é ok", "column 1: `é` is not a keyword; put a text to compare with in quotation marks"),
        ("service", "column 8: expected `(`, found the end of the expression"),
        ("service(shop)", "column 9: expected a service's name in quotation marks, or `id(`, found `shop`"),
        ("service(id(kind: \"x\"))", "column 12: expected `name:`, `type:` or `account.id:`, found `kind`"),
        ("service(id(name: \"x\" type: \"y\"))", "column 22: expected `,` or `)`, found `type`"),
        ("edge(\"a\")", "column 9: expected `,`, found `)`"),
        ("service() { fault", "column 18: expected `}`, found the end of the expression"),
        (
            "service() { service() }",
            "column 13: `service` is not allowed in braces; write it outside them, after `AND`",
        ),
        (
            "rootcause.fault.service { annotation.a }",
            "column 27: annotations belong to segments, not to the path of a root cause; write the condition outside the braces, after `AND`",
        ),
        ("annotation = 1", "column 12: expected `[`, found `=`"),
        ("annotation. = 1", "column 1: the annotation's key is missing"),
        ("group.name = \"x\"", "column 1: no group has this name; there are no groups"),
        ("group.size = 1", "column 1: `group.size` is not a keyword; write `group.name` or `group.arn`"),
        ("rootcause.json = #[", "column 18: `#` is not followed by JSON: EOF while parsing a list at line 1 column 1"),
        (
            "rootcause.json = \"x\"",
            "column 18: expected `#` and the root cause in JSON, as `GetTraceSummaries` returns it, found \"x\"",
        ),
        (
            "ok rootcause.time.service",
            "column 4: expected `rootcause.fault.`, `rootcause.error.` or `rootcause.responsetime.` before `service`, `entity` or `exception`, found `rootcause.time.service`",
        ),
        (
            "rootcause.fault.user",
            "column 1: expected `service`, `entity` or `exception` after the last dot, found `rootcause.fault.user`",
        ),
    ] {
        assert_eq!(Filter::parse(expression).unwrap_err().to_string(), error, "{expression}");
    }
}

/// Returns the numbers of the traces in which a text is found.
fn found(text: &str) -> Vec<usize> {
    let search = Search::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert!(matches!(search, Search::Text { .. }), "{text}");
    let traces = [good(), handled(), throttled()];
    (1..=3).filter(|number| search.filter().matches(&traces[number - 1])).collect()
}

#[test]
fn the_conditions_of_groups_are_counted_each_time_they_are_named() {
    let longest = Filter::parse(&"ok ".repeat(1_666)).unwrap();
    let group = |number| NamedFilter { name: format!("a{number}"), arn: String::new(), filter: longest.clone() };
    let groups: Vec<_> = (0..25).map(group).collect();
    let every = Filter::parse_with("group.name CONTAINS \"a\"", &groups).unwrap();
    assert!(every.matches(&good()) && !every.matches(&throttled()));
    let error = Filter::parse_with(&"group.name CONTAINS \"a\" ".repeat(200), &groups).unwrap_err();
    assert_eq!(error.to_string(), "column 25: the groups in this expression have more than 50000 conditions");
}

#[test]
fn a_text_without_operators_and_keywords_is_searched_in_names_and_urls() {
    for (text, numbers) in [
        ("shop", &[1, 2, 3][..]),
        ("Payments.Internal", &[2]),
        ("carts", &[3]),
        ("/v2/cart", &[1]),
        ("get /v2", &[1]),
        ("post /v2", &[]),
        ("http://shop.example.com/v2/cart", &[1]),
        ("/v2?id=(1)", &[]),
        ("names.example.com shop", &[1]),
    ] {
        assert_eq!(found(text), numbers, "{text}");
    }
    for text in [
        "durtion > 3",
        "shop AND fault",
        "name = shop",
        "shop (",
        "\"shop",
        "annotation.",
        "group.name shop",
        "fault shop",
    ] {
        assert_eq!(Search::parse(text).unwrap_err(), Filter::parse(text).unwrap_err(), "{text}");
    }
    let suggestion = |text: &str| match Search::parse(text) {
        Ok(Search::Text { suggestion, .. }) => suggestion,
        other => panic!("{other:?}"),
    };
    assert_eq!(suggestion("404").as_deref(), Some("http.status = 404"));
    assert_eq!(suggestion("fualt").as_deref(), Some("fault"));
    assert_eq!(
        [suggestion("shop"), suggestion("servic"), suggestion("600"), suggestion("fualt eror")],
        [const { None }; 4]
    );
}

#[test]
fn a_text_in_quotation_marks_is_a_condition_of_the_search_box_only() {
    let traces = [good(), handled(), throttled()];
    for (text, numbers) in [
        ("\"shop\"", &[1, 2, 3][..]),
        ("\"payments.internal\" AND !fault", &[2]),
        ("\"payments.internal\" OR \"/v2/cart\"", &[1, 2]),
        ("!\"carts\" ok", &[1, 2]),
        ("ok \"carts\"", &[]),
    ] {
        let search = Search::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found: Vec<_> = (1..=3).filter(|number| search.filter().matches(&traces[number - 1])).collect();
        assert_eq!(found, numbers, "{text}");
        assert!(Filter::parse(text).is_err(), "{text}");
    }
    for text in ["service(\"a\") { \"shop\" }", "rootcause.fault.service { \"shop\" }"] {
        assert!(Search::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_search_that_is_narrowed_finds_fewer_of_the_same_traces() {
    let traces = [good(), handled(), throttled()];
    for text in ["", "shop", "get /v2", "ok OR throttle", "ok AND !fault", "a\\b", "\"shop\" OR fault"] {
        let search = Search::parse(text).unwrap();
        let narrowed = search.narrowed(text, "!throttle");
        let narrow = Search::parse(&narrowed).unwrap_or_else(|error| panic!("{narrowed}: {error}"));
        let rest = Search::parse("!throttle").unwrap();
        for trace in &traces {
            let both = search.filter().matches(trace) && rest.filter().matches(trace);
            assert_eq!(narrow.filter().matches(trace), both, "{text}");
        }
    }
}

#[test]
fn an_error_can_be_corrected_if_the_result_is_valid() {
    let corrected = |text: &str| Filter::parse(text).unwrap_err().corrected(text);
    assert_eq!(corrected("ok AND respnsetime>1").as_deref(), Some("ok AND responsetime>1"));
    assert_eq!(corrected("ok ADN fault").as_deref(), Some("ok AND fault"));
    assert_eq!([corrected("fualt > 3"), corrected("gold = 1"), corrected("ok AND")], [const { None }; 3]);
}

#[test]
fn nesting_and_length_are_limited() {
    assert_eq!(Filter::parse(&"(".repeat(4000)).unwrap_err().column, 51);
    assert_eq!(Filter::parse(&"ok ".repeat(4000)).unwrap_err().column, 5001);
    assert_eq!(selected(&("!".repeat(4998) + "ok")), [1, 2]);
    assert_eq!(selected(&("(".repeat(49) + "ok" + &")".repeat(49))), [1, 2]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsing_never_panics_and_errors_have_a_column_in_the_text(text in prop::collection::vec(prop_oneof![
        Just("ok"), Just("service"), Just("edge"), Just("annotation"), Just("id"), Just("("), Just(")"), Just("{"), Just("}"), Just("["), Just("]"),
        Just("!"), Just("="), Just("<"), Just("3"), Just("\"x\""), Just("'"), Just("\\"), Just("AND"), Just("or"), Just(","), Just(":"), Just("name"), Just("é"),
    ], 0..12)) {
        let text = text.join(" ");
        // The search box takes each valid expression, and any other text is searched for or has the same error.
        match (Search::parse(&text), Filter::parse(&text)) {
            (Ok(search), _) => {
                let _ = search.filter().matches(&good());
            }
            (Err(error), parsed) => prop_assert_eq!(Some(error), parsed.err()),
        }
        match Filter::parse(&text) {
            Ok(filter) => {
                let _ = filter.matches(&good());
            }
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.column)),
        }
    }
}
