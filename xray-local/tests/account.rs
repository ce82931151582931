//! Tests groups, tags, policies, settings, retrievals and statistics over time: limits, errors and pages.
//! `aws_clients.rs` tests that AWS clients can read the responses.

mod support;

use serde_json::{Value, json};
use support::{Answer, call_of_names, post, segment, segment_at, send_good, start};
use xray_local::Server;
use xray_local::store::Source;

/// Reads all pages of a list.
fn pages(server: &Server, path: &str, query: &Value, list: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut query) = (Vec::new(), query.clone());
    loop {
        let mut answer = post(server, path, &query).ok();
        let Value::Array(elements) = answer[list].take() else { panic!("{answer:#}") };
        pages.push(elements);
        match answer.get("NextToken") {
            Some(token) => query["NextToken"] = token.clone(),
            None => return pages,
        }
    }
}

fn assert_error(answer: &Answer, status: u16, kind: &str, message: &str) {
    assert_eq!((answer.status, &*answer.error), (status, kind), "{answer:?}");
    assert!(answer.body["Message"].as_str().unwrap().contains(message), "{answer:?}");
}

fn group(server: &Server, name: &str, filter: &str) -> Answer {
    post(server, "/CreateGroup", &json!({ "GroupName": name, "FilterExpression": filter }))
}

#[test]
fn groups_have_names_limits_and_pages() {
    let server = start();
    for number in 0..25 {
        group(&server, &format!("group {number:02}"), "fault").ok();
    }
    let too_many = group(&server, "one more", "fault").invalid();
    assert!(too_many.contains("25"), "{too_many}");
    let sizes: Vec<_> = pages(&server, "/Groups", &json!({}), "Groups").iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 10, 6]);
    let invalid = post(&server, "/Groups", &json!({ "NextToken": "x" })).invalid();
    assert!(invalid.contains("NextToken"), "{invalid}");

    post(&server, "/DeleteGroup", &json!({ "GroupName": "group 03" })).ok();
    let again = group(&server, "group 03", "error").ok();
    let arn = &again["Group"]["GroupARN"];
    assert_eq!(post(&server, "/GetGroup", &json!({ "GroupARN": arn })).ok(), again);
    for (query, message) in [
        (json!({}), "both missing"),
        (json!({ "GroupName": "gone" }), "there is no group \"gone\""),
        (json!({ "GroupName": "group 04", "GroupARN": arn }), "there is no group"),
    ] {
        let error = post(&server, "/GetGroup", &query).invalid();
        assert!(error.contains(message), "{error}");
    }
    for (name, filter, message) in [
        ("group 03", "fault", "already exists"),
        ("", "fault", "1 to 32"),
        (&"x".repeat(33), "fault", "1 to 32"),
        ("Default", "fault", "already exists"),
    ] {
        let error = group(&server, name, filter).invalid();
        assert!(error.contains(message), "{error}");
    }
    post(&server, "/DeleteGroup", &json!({ "GroupName": "group 03" })).ok();
    let error = group(&server, "nonsense", "falt").invalid();
    assert!(error.contains("FilterExpression: column 1") && error.contains("`fault`"), "{error}");
    let error = group(&server, "nested", "group.name = \"group 00\"").invalid();
    assert!(error.contains("no group has this name"), "{error}");
    let error = post(&server, "/DeleteGroup", &json!({ "GroupName": "Default" })).invalid();
    assert!(error.contains("cannot be deleted"), "{error}");
}

#[test]
fn a_group_selects_traces_in_every_operation() {
    let server = start();
    let (mut failed, good) = (segment("shop"), segment("cart"));
    failed["fault"] = json!(true);
    send_good(&server, &failed);
    send_good(&server, &good);
    group(&server, "faults", "fault").ok();
    let times = json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64 });
    let with = |name: &str, value: &str| {
        let mut query = times.clone();
        query[name] = value.into();
        query
    };
    let services = |query: &Value| post(&server, "/ServiceGraph", query).ok()["Services"].as_array().unwrap().len();
    assert_eq!(
        [services(&times), services(&with("GroupName", "faults")), services(&with("GroupName", "Default"))],
        [4, 2, 4]
    );
    for (filter, count) in [
        ("group.name = \"faults\"", 1),
        ("group.name != \"faults\"", 1),
        ("group.name BEGINSWITH \"fau\" OR service(\"cart\")", 2),
        ("group.name CONTAINS \"gone\"", 0),
        ("group.arn ENDSWITH \"1\" AND fault", 1),
        ("group.name = \"Default\"", 2),
    ] {
        let found = post(&server, "/TraceSummaries", &with("FilterExpression", filter)).ok();
        assert_eq!(found["TraceSummaries"].as_array().unwrap().len(), count, "{filter}");
    }
    let error = post(&server, "/TraceSummaries", &with("FilterExpression", "group.name = \"x\"")).invalid();
    assert!(error.contains("the groups are `Default`, `faults`"), "{error}");
    let error = post(&server, "/ServiceGraph", &with("GroupName", "x")).invalid();
    assert!(error.contains("there is no group \"x\""), "{error}");

    post(&server, "/UpdateGroup", &json!({ "GroupName": "faults", "FilterExpression": "service(\"cart\")" })).ok();
    let series = post(&server, "/TimeSeriesServiceStatistics", &with("GroupName", "faults")).ok();
    let statistics = &series["TimeSeriesServiceStatistics"][0]["EdgeSummaryStatistics"];
    assert_eq!((&statistics["TotalCount"], &statistics["OkCount"]), (&json!(1), &json!(1)));
}

#[test]
fn statistics_over_time_are_counted_by_minute_and_come_in_pages() {
    let server = start();
    let begin = 1_700_000_040.0;
    for minute in 0..1_100 {
        let segment = segment_at(begin + f64::from(minute) * 60.0, "shop");
        assert!(server.store().put(&segment.to_string(), Source::Http).is_taken());
    }
    let query = json!({ "StartTime": begin, "EndTime": begin + 66_000.0, "Period": 60 });
    let all = pages(&server, "/TimeSeriesServiceStatistics", &query, "TimeSeriesServiceStatistics");
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [1_000, 100]);
    assert_eq!((&all[0][0]["Timestamp"], &all[0][1]["Timestamp"]), (&json!(begin), &json!(begin + 60.0)));
    let query = json!({ "StartTime": begin, "EndTime": begin + 600.0, "Period": 300, "EntitySelectorExpression": "service(\"shop\")" });
    let [entries] = &pages(&server, "/TimeSeriesServiceStatistics", &query, "TimeSeriesServiceStatistics")[..] else {
        panic!()
    };
    let counts: Vec<_> =
        entries.iter().map(|entry| entry["ServiceSummaryStatistics"]["TotalCount"].as_i64().unwrap()).collect();
    assert_eq!((counts.iter().sum::<i64>(), counts.len()), (10, 3), "{counts:?}");
    for (field, value, message) in [
        ("Period", json!(61), "Period: must be 60 or 300"),
        ("EntitySelectorExpression", json!("fault"), "expected `service(..)` or `edge(.., ..)`"),
        ("EntitySelectorExpression", json!("x".repeat(501)), "1 to 500 characters"),
        ("EndTime", json!(1), "StartTime is after EndTime"),
    ] {
        let mut query = query.clone();
        query[field] = value;
        let error = post(&server, "/TimeSeriesServiceStatistics", &query).invalid();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_sample_of_the_traces_is_a_stable_share_of_them() {
    let server = start();
    for _ in 0..1_000 {
        assert!(server.store().put(&segment("shop").to_string(), Source::Http).is_taken());
    }
    let sampled = |strategy: Value| {
        let query =
            json!({ "StartTime": 0, "EndTime": 9_999_999_999_u64, "Sampling": true, "SamplingStrategy": strategy });
        post(&server, "/TraceSummaries", &query).ok()["TraceSummaries"].as_array().unwrap().clone()
    };
    let some = sampled(json!({ "Name": "FixedRate", "Value": 0.3 }));
    assert!((200..400).contains(&some.len()), "{}", some.len());
    assert_eq!(sampled(json!({ "Name": "FixedRate", "Value": 0.3 })), some);
    assert_eq!(sampled(json!({ "Name": "FixedRate", "Value": 1.0 })).len(), 1_000);
    assert_eq!(sampled(json!({ "Name": "PartialScan", "Value": 0.1 })).len(), 1_000);
}

#[test]
fn resources_have_at_most_fifty_tags() {
    let server = start();
    let arn = group(&server, "faults", "fault").ok()["Group"]["GroupARN"].clone();
    let tags = |from: u32, to: u32| {
        (from..to).map(|key| json!({ "Key": format!("{key:02}"), "Value": "v" })).collect::<Vec<_>>()
    };
    post(&server, "/TagResource", &json!({ "ResourceARN": arn, "Tags": tags(0, 50) })).ok();
    post(&server, "/TagResource", &json!({ "ResourceARN": arn, "Tags": tags(0, 1) })).ok();
    let answer = post(&server, "/TagResource", &json!({ "ResourceARN": arn, "Tags": tags(50, 51) }));
    assert_error(&answer, 400, "TooManyTagsException", "at most 50");
    let reserved = json!([{ "Key": "aws:x", "Value": "" }]);
    let answer = post(&server, "/TagResource", &json!({ "ResourceARN": arn, "Tags": reserved }));
    assert_error(&answer, 400, "InvalidRequestException", "AWS reserves");
    let answer = post(&server, "/ListTagsForResource", &json!({ "ResourceARN": "arn:gone" }));
    assert_error(&answer, 404, "ResourceNotFoundException", "arn:gone");
    assert_eq!(answer.body["ResourceName"], "arn:gone");

    post(&server, "/DeleteGroup", &json!({ "GroupName": "faults" })).ok();
    let answer = post(&server, "/ListTagsForResource", &json!({ "ResourceARN": arn }));
    assert_error(&answer, 404, "ResourceNotFoundException", "there is no group");
    let arn = "arn:aws:xray:us-east-1:000000000000:sampling-rule/Default";
    assert_eq!(post(&server, "/ListTagsForResource", &json!({ "ResourceARN": arn })).ok(), json!({ "Tags": [] }));
}

#[test]
fn policies_have_revisions_and_limits() {
    let server = start();
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let put = |name: &str, document: &str, revision: Value| {
        let mut query = json!({ "PolicyName": name, "PolicyDocument": document });
        if !revision.is_null() {
            query["PolicyRevisionId"] = revision;
        }
        post(&server, "/PutResourcePolicy", &query)
    };
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(put(name, policy, json!("0")).ok()["ResourcePolicy"]["PolicyRevisionId"], "1");
    }
    assert_error(&put("f", policy, Value::Null), 400, "PolicyCountLimitExceededException", "at most 5");
    assert_error(&put("a", policy, json!("0")), 400, "InvalidPolicyRevisionIdException", "has \"1\"");
    assert_eq!(put("a", policy, json!("1")).ok()["ResourcePolicy"]["PolicyRevisionId"], "2");
    assert_error(&put("a", "{", Value::Null), 400, "MalformedPolicyDocumentException", "is not JSON");
    assert_error(&put("a", "{}", Value::Null), 400, "MalformedPolicyDocumentException", "no Statement");
    assert_error(&put("a", &"x".repeat(6_000), Value::Null), 400, "PolicySizeLimitExceededException", "5120");
    assert_error(&put("a b", policy, Value::Null), 400, "InvalidRequestException", "PolicyName");
    let delete = |query: Value| post(&server, "/DeleteResourcePolicy", &query);
    let answer = delete(json!({ "PolicyName": "a", "PolicyRevisionId": "1" }));
    assert_error(&answer, 400, "InvalidPolicyRevisionIdException", "has \"2\"");
    assert_eq!(delete(json!({ "PolicyName": "a", "PolicyRevisionId": "2" })).ok(), json!({}));
    assert_eq!(pages(&server, "/ListResourcePolicies", &json!({}), "ResourcePolicies")[0].len(), 4);
}

#[test]
fn settings_are_kept_and_checked() {
    let server = start();
    let answer = post(&server, "/PutEncryptionConfig", &json!({ "Type": "KMS" }));
    assert_error(&answer, 400, "InvalidRequestException", "KeyId: is missing");
    let config = json!({ "EncryptionConfig": { "Type": "KMS", "KeyId": "alias/k", "Status": "ACTIVE" } });
    assert_eq!(post(&server, "/PutEncryptionConfig", &json!({ "Type": "KMS", "KeyId": "alias/k" })).ok(), config);
    assert_eq!(post(&server, "/EncryptionConfig", &json!({})).ok(), config);

    let update =
        |destination: &str| post(&server, "/UpdateTraceSegmentDestination", &json!({ "Destination": destination }));
    assert_eq!(update("CloudWatchLogs").ok()["Status"], "PENDING");
    assert_eq!(update("CloudWatchLogs").ok()["Status"], "ACTIVE");
    let now = post(&server, "/GetTraceSegmentDestination", &json!({})).ok();
    assert_eq!(now, json!({ "Destination": "CloudWatchLogs", "Status": "ACTIVE" }));
    assert_error(&update("S3"), 400, "InvalidRequestException", "unknown variant `S3`");

    let update = |name: &str, percentage: f64| {
        let rule = json!({ "Probabilistic": { "DesiredSamplingPercentage": percentage } });
        post(&server, "/UpdateIndexingRule", &json!({ "Name": name, "Rule": rule }))
    };
    assert_error(&update("Default", 101.0), 400, "InvalidRequestException", "0 to 100");
    assert_error(&update("Other", 1.0), 404, "ResourceNotFoundException", "\"Other\"");
    update("Default", 7.5).ok();
    let rules = post(&server, "/GetIndexingRules", &json!({})).ok();
    assert_eq!(rules["IndexingRules"][0]["Rule"]["Probabilistic"]["DesiredSamplingPercentage"], 7.5);
}

#[test]
fn retrieved_traces_come_in_pages_of_five_traces_and_a_hundred_spans() {
    let server = start();
    let mut ids = Vec::new();
    for _ in 0..6 {
        let segment = segment("shop");
        ids.push(segment["trace_id"].clone());
        assert!(server.store().put(&segment.to_string(), Source::Http).is_taken());
    }
    let mut large = segment("cart");
    let call = |number: u32| json!({ "id": format!("{number:016x}"), "name": "work", "start_time": large["start_time"], "end_time": large["end_time"] });
    let subsegments: Vec<_> = (1..=120).map(call).collect();
    large["subsegments"] = subsegments.into();
    assert!(server.store().put(&large.to_string(), Source::Http).is_taken());
    // The trace id of `large` in the form of W3C.
    ids.push(large["trace_id"].as_str().unwrap().strip_prefix("1-").unwrap().replace('-', "").into());
    ids.push("00000000000000000000000000000001".into());
    let query = json!({ "TraceIds": ids, "StartTime": 0, "EndTime": 9_999_999_999_u64 });
    let token = post(&server, "/StartTraceRetrieval", &query).ok()["RetrievalToken"].clone();
    let list = |format: &str| {
        pages(&server, "/ListRetrievedTraces", &json!({ "RetrievalToken": token, "TraceFormat": format }), "Traces")
    };
    let sizes = |pages: &[Vec<Value>]| -> Vec<Vec<usize>> {
        let spans = |trace: &Value| trace["Spans"].as_array().unwrap().len();
        pages.iter().map(|page| page.iter().map(spans).collect()).collect()
    };
    assert_eq!(sizes(&list("XRAY")), [vec![1; 5], vec![1, 1]]);
    assert_eq!(sizes(&list("OTEL")), [vec![1; 5], vec![1, 100, 21]]);
    for unknown in ["x", "after:", "0", "0:x", "9:0", "-1:0"] {
        let query = json!({ "RetrievalToken": token, "NextToken": unknown });
        let invalid = post(&server, "/ListRetrievedTraces", &query).invalid();
        assert!(invalid.contains("NextToken"), "{unknown}: {invalid}");
    }
    assert_eq!(post(&server, "/CancelTraceRetrieval", &json!({ "RetrievalToken": token })).ok(), json!({}));
    let answer = post(&server, "/ListRetrievedTraces", &json!({ "RetrievalToken": token })).ok();
    assert_eq!((&answer["RetrievalStatus"], &answer["Traces"]), (&json!("CANCELLED"), &json!([])));
    for path in ["/ListRetrievedTraces", "/GetRetrievedTracesGraph", "/CancelTraceRetrieval"] {
        let answer = post(&server, path, &json!({ "RetrievalToken": "gone" }));
        assert_error(&answer, 404, "ResourceNotFoundException", "\"gone\"");
    }

    let old = json!({ "TraceIds": [ids[0]], "StartTime": 1, "EndTime": 2 });
    let token = post(&server, "/StartTraceRetrieval", &old).ok()["RetrievalToken"].clone();
    assert_eq!(post(&server, "/ListRetrievedTraces", &json!({ "RetrievalToken": token })).ok()["Traces"], json!([]));
}

#[test]
fn a_retrieved_graph_has_the_links_of_its_services() {
    let server = start();
    let (mut shop, names) = (segment("shop"), call_of_names());
    shop["links"] = json!([{ "trace_id": names["trace_id"], "id": names["id"] }]);
    send_good(&server, &shop);
    let query = json!({ "TraceIds": [shop["trace_id"]], "StartTime": 0, "EndTime": 9_999_999_999_u64 });
    let token = post(&server, "/StartTraceRetrieval", &query).ok()["RetrievalToken"].clone();
    let graph = post(&server, "/GetRetrievedTracesGraph", &json!({ "RetrievalToken": token })).ok();
    let linked: Vec<_> =
        graph["Services"].as_array().unwrap().iter().filter(|service| service["Links"] != json!([])).collect();
    let [linked] = linked[..] else { panic!("{graph:#}") };
    let link = json!({ "ReferenceType": "parent", "SourceTraceId": shop["trace_id"], "DestinationTraceIds": [names["trace_id"]] });
    assert_eq!((&linked["Service"]["Name"], &linked["Links"]), (&json!("shop"), &json!([link])));
}
