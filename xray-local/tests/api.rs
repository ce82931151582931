//! The X-Ray API over plain HTTP. Paths and shapes come from the public model, `xray-2016-04-12`. `aws_clients.rs`
//! tests the API with clients generated from that model.

mod support;

use serde_json::{Value, json};
use support::{call_of_names, post, post_text, segment, segment_at, send, send_good, start, wait_for};
use xray_local::store::Source;

/// A time range that contains every time.
fn all_time() -> Value {
    json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64 })
}

fn with(mut query: Value, name: &str, value: impl Into<Value>) -> Value {
    query[name] = value.into();
    query
}

fn ids(page: &Value) -> Vec<&str> {
    page["TraceSummaries"].as_array().unwrap().iter().map(|summary| summary["Id"].as_str().unwrap()).collect()
}

#[test]
fn a_document_sent_over_udp_is_returned_with_its_inferred_segment() {
    let server = start();
    let sent = call_of_names();
    send_good(&server, &sent);
    let answer = post(&server, "/Traces", &json!({ "TraceIds": [sent["trace_id"], support::trace_id()] })).ok();
    assert_eq!(answer["UnprocessedTraceIds"].as_array().unwrap().len(), 1);
    let trace = &answer["Traces"][0];
    assert_eq!(
        (&trace["Id"], &trace["Duration"], &trace["LimitExceeded"]),
        (&sent["trace_id"], &json!(1.0), &json!(false))
    );

    let documents: Vec<Value> = (0..2)
        .map(|index| {
            let segment = &trace["Segments"][index];
            let document: Value = serde_json::from_str(segment["Document"].as_str().unwrap()).unwrap();
            assert_eq!(segment["Id"], document["id"]);
            document
        })
        .collect();
    assert_eq!(documents[0]["subsegments"][0]["id"], "004f72be19cddc2a");
    let call = &sent["subsegments"][0];
    let mut expected =
        json!({ "name": call["name"], "trace_id": sent["trace_id"], "parent_id": call["id"], "inferred": true });
    for field in ["start_time", "end_time", "http"] {
        expected[field] = call[field].clone();
    }
    expected["id"] = documents[1]["id"].clone();
    assert_eq!(documents[1], expected);
    assert_eq!(trace["Segments"].as_array().unwrap().len(), 2);
}

#[test]
fn documents_are_taken_over_http_and_each_rejected_one_has_a_reason() {
    let server = start();
    let (good, mut nameless) = (segment("shop"), segment("shop"));
    nameless["name"] = json!("Vec<T>");
    let documents = json!([good.to_string(), "no JSON", nameless.to_string()]);
    let answer = post(&server, "/TraceSegments", &json!({ "TraceSegmentDocuments": documents })).ok();
    let unprocessed = answer["UnprocessedTraceSegments"].as_array().unwrap();
    assert_eq!(unprocessed.len(), 2, "{answer}");
    assert_eq!(unprocessed[0].get("Id"), None);
    assert_eq!((&unprocessed[1]["Id"], &unprocessed[1]["ErrorCode"]), (&nameless["id"], &json!("InvalidName")));
    assert!(unprocessed[1]["Message"].as_str().unwrap().contains("name"), "{answer}");
    assert!(server.store().trace(good["trace_id"].as_str().unwrap()).is_some());

    let many = vec!["{}"; 51];
    let message = post(&server, "/TraceSegments", &json!({ "TraceSegmentDocuments": many })).invalid();
    assert!(message.contains("50"), "{message}");
    assert_eq!(post(&server, "/TelemetryRecords", &json!({ "TelemetryRecords": [] })).ok(), json!({}));
}

#[test]
fn summaries_are_selected_by_time() {
    let server = start();
    for start in [100.0, 200.25, 300.0] {
        send_good(&server, &segment_at(start, "shop"));
    }
    let count = |start: f64, end: f64, kind: &str| {
        let query = json!({ "StartTime": start, "EndTime": end, "TimeRangeType": kind });
        ids(&post(&server, "/TraceSummaries", &query).ok()).len()
    };
    assert_eq!(count(100.0, 300.0, "TraceId"), 2, "the range excludes its end");
    assert_eq!(count(100.5, 300.5, "TraceId"), 2);
    assert_eq!(count(200.5, 301.0, "Service"), 2, "two segments end in the range");
    assert_eq!(count(201.0, 300.0, "Service"), 0);
    let now = xray_local::time::now();
    assert_eq!(count(now - 100.0, now + 100.0, "Event"), 3, "all arrived just now");
    assert_eq!(count(0.0, 400.0, "Event"), 0);

    let summaries = post(&server, "/TraceSummaries", &all_time()).ok();
    assert_eq!(summaries["TracesProcessedCount"], 3);
    assert_eq!(summaries["TraceSummaries"][0]["StartTime"], 300.0, "the latest start comes first");
    assert_eq!(summaries["TraceSummaries"][0]["MatchedEventTime"], Value::Null);
    let event = post(&server, "/TraceSummaries", &with(all_time(), "TimeRangeType", "Event")).ok();
    assert!(event["TraceSummaries"][0]["MatchedEventTime"].as_f64().unwrap() > now - 100.0);
}

#[test]
fn a_summary_describes_the_root_segment() {
    let server = start();
    send_good(&server, &call_of_names());
    let summaries = post(&server, "/TraceSummaries", &all_time()).ok();
    let summary = &summaries["TraceSummaries"][0];
    assert_eq!(
        (&summary["Duration"], &summary["ResponseTime"], &summary["HasFault"]),
        (&json!(1.0), &json!(1.0), &json!(false))
    );
    let http = json!({ "HttpURL": "http://scorekeep.example.com/api/user", "HttpStatus": 200, "HttpMethod": "PUT" });
    assert_eq!(summary["Http"], http);
    assert_eq!(summary["EntryPoint"]["Name"], "Scorekeep");
    assert_eq!(summary["Annotations"]["tier"][0]["AnnotationValue"], json!({ "StringValue": "gold" }));
    assert_eq!(summary["Annotations"]["size"][0]["AnnotationValue"], json!({ "NumberValue": 3.0 }));
    assert_eq!(summary["Annotations"]["is_new"][0]["AnnotationValue"], json!({ "BooleanValue": true }));
    assert_eq!(summary["Users"][0]["UserName"], "alice");
}

#[test]
fn the_pages_contain_each_trace_once() {
    let server = start();
    for index in 0..2_500 {
        // Ten traces share each start.
        let document = segment_at(f64::from(index / 10), "shop").to_string();
        assert!(server.store().put(&document, Source::Http).is_taken());
    }
    let (mut found, mut pages, mut query) = (Vec::new(), 0, all_time());
    loop {
        let page = post(&server, "/TraceSummaries", &query).ok();
        found.extend(page["TraceSummaries"].as_array().unwrap().clone());
        pages += 1;
        match page.get("NextToken") {
            Some(token) => query["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!((found.len(), pages), (2_500, 3));
    assert!(found.is_sorted_by(|one, next| one["StartTime"].as_f64() >= next["StartTime"].as_f64()));
    let unique: std::collections::BTreeSet<_> = found.iter().map(|summary| summary["Id"].as_str().unwrap()).collect();
    assert_eq!(unique.len(), 2_500);
    for token in ["", "x", "zz:1-581cf771-a006649127e371903a2de979"] {
        let message = post(&server, "/TraceSummaries", &with(all_time(), "NextToken", token)).invalid();
        assert!(message.contains("NextToken"), "{message}");
    }
}

#[test]
fn a_filter_expression_selects_traces_and_an_invalid_one_names_the_column() {
    let server = start();
    let (good, mut bad) = (segment("shop"), segment("shop"));
    bad["fault"] = json!(true);
    send_good(&server, &good);
    send_good(&server, &bad);
    let filtered = post(&server, "/TraceSummaries", &with(all_time(), "FilterExpression", "fault")).ok();
    assert_eq!(ids(&filtered), [bad["trace_id"].as_str().unwrap()]);
    assert_eq!(filtered["TracesProcessedCount"], 2);
    let message = post(&server, "/TraceSummaries", &with(all_time(), "FilterExpression", "faul")).invalid();
    assert!(message.contains("column 1"), "{message}");
}

#[test]
fn the_service_graph_and_the_trace_graph_agree() {
    let server = start();
    let sent = call_of_names();
    send_good(&server, &sent);
    let of_time =
        post(&server, "/ServiceGraph", &json!({ "StartTime": 1_484_786_000, "EndTime": 1_484_787_000.5 })).ok();
    assert_eq!((&of_time["StartTime"], &of_time["EndTime"]), (&json!(1_484_786_000.0), &json!(1_484_787_000.5)));
    assert_eq!(of_time["ContainsOldGroupVersions"], false);
    let of_trace = post(&server, "/TraceGraph", &json!({ "TraceIds": [sent["trace_id"], support::trace_id()] })).ok();
    assert_eq!(of_time["Services"], of_trace["Services"]);
    let mut names: Vec<_> = of_time["Services"].as_array().unwrap().iter().map(|service| &service["Name"]).collect();
    names.sort_by_key(|name| name.as_str());
    assert_eq!(names, ["Scorekeep", "Scorekeep", "names.example.com"], "the client, the service, the inferred service");
    let before = post(&server, "/ServiceGraph", &json!({ "StartTime": 0, "EndTime": 1_000 })).ok();
    assert_eq!(before["Services"], json!([]));
    let message = post(&server, "/ServiceGraph", &with(all_time(), "GroupName", "mine")).invalid();
    assert!(message.contains("mine"), "{message}");
    post(&server, "/ServiceGraph", &with(all_time(), "GroupName", "Default")).ok();
}

#[test]
fn an_invalid_parameter_is_named_in_the_message() {
    let server = start();
    for (path, body, part) in [
        ("/Traces", "{}", "TraceIds"),
        ("/Traces", r#"{"TraceIds":["1-2"]}"#, "1-2"),
        ("/Traces", r#"{"TraceIds":[]}"#, "1 to 5"),
        ("/Traces", r#"{"TraceIds":[7]}"#, "TraceIds[0]"),
        ("/TraceSummaries", r#"{"StartTime":1}"#, "EndTime"),
        ("/TraceSummaries", r#"{"StartTime":2,"EndTime":1}"#, "StartTime is after EndTime"),
        ("/TraceSummaries", r#"{"StartTime":1,"EndTime":2,"TimeRangeType":"No"}"#, "TimeRangeType"),
        ("/ServiceGraph", r#"{"StartTime":"x","EndTime":2}"#, "invalid type"),
        ("/TraceSegments", "no JSON", "line 1 column"),
        ("/GetGroup", r#"["Default",null]"#, "must be a JSON object"),
        ("/Groups", " [null]", "must be a JSON object"),
        ("/EncryptionConfig", "7", "must be a JSON object"),
        ("/TraceSegments", r#"{"TraceSegmentDocuments":[]} {}"#, "trailing"),
        ("/TraceSegments", "", "TraceSegmentDocuments"),
        ("/SamplingTargets", r#"{"SamplingStatisticsDocuments":[{}]}"#, "SamplingStatisticsDocuments[0]"),
        ("/CreateSamplingRule", r#"{"SamplingRule":{"Priority":-1}}"#, "SamplingRule.Priority"),
    ] {
        let message = post_text(&server, path, body).invalid();
        assert!(message.contains(part), "{path} {body}: {message}");
    }
    let six: Vec<_> = (0..6).map(|_| support::trace_id()).collect();
    let message = post(&server, "/Traces", &json!({ "TraceIds": six })).invalid();
    assert!(message.contains("has 6"), "{message}");
}

/// A client of a language in which each member of an object has a value sends `null` for an absent one.
#[test]
fn an_optional_member_may_be_null() {
    let server = start();
    let statistics = json!({ "RuleName": "Default", "ClientID": "a".repeat(24), "Timestamp": 1, "RequestCount": 1,
        "SampledCount": 1, "BorrowCount": null });
    let rule = json!({ "RuleName": "carts", "RuleARN": null, "ResourceARN": "*", "Priority": 10, "FixedRate": 0.5,
        "ReservoirSize": 5, "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*",
        "Version": 1, "Attributes": null, "SamplingRateBoost": null });
    let insights = json!({ "InsightsEnabled": null, "NotificationsEnabled": null });
    let retrieval = json!({ "TraceIds": [support::trace_id()], "StartTime": 0, "EndTime": 1 });
    let token = post(&server, "/StartTraceRetrieval", &retrieval).ok()["RetrievalToken"].clone();
    for (path, body) in [
        ("/Groups", json!({ "NextToken": null })),
        (
            "/CreateGroup",
            json!({ "GroupName": "a", "FilterExpression": null, "InsightsConfiguration": null, "Tags": null }),
        ),
        ("/CreateGroup", json!({ "GroupName": "b", "InsightsConfiguration": insights })),
        ("/TraceSummaries", with(with(all_time(), "TimeRangeType", Value::Null), "Sampling", Value::Null)),
        ("/InsightSummaries", with(all_time(), "States", Value::Null)),
        (
            "/SamplingTargets",
            json!({ "SamplingStatisticsDocuments": [statistics], "SamplingBoostStatisticsDocuments": null }),
        ),
        ("/CreateSamplingRule", json!({ "SamplingRule": rule, "Tags": null })),
        ("/ListRetrievedTraces", json!({ "RetrievalToken": token, "TraceFormat": null, "NextToken": null })),
    ] {
        post(&server, path, &body).ok();
    }
}

#[test]
fn an_unknown_path_or_method_gets_an_error_of_the_api() {
    let server = start();
    let unknown = post(&server, "/Unknown", &json!({}));
    assert_eq!((unknown.status, &*unknown.error), (404, "UnknownOperationException"));
    assert!(unknown.body["Message"].as_str().unwrap().contains("/Unknown"));
    let request = format!("GET /Traces HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.http_address());
    assert!(support::raw(&server, request.as_bytes()).starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_subscriber_gets_the_trace_id_of_each_document() {
    let server = start();
    let mut arrivals = server.arrivals();
    let sent = segment("shop");
    send(&server, b"garbage");
    send_good(&server, &sent);
    wait_for("the arrival", || arrivals.len() == 1);
    assert_eq!(arrivals.try_recv().unwrap().to_string(), sent["trace_id"]);
}
