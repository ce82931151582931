//! The service graph and the summaries of traces.

#![expect(clippy::float_cmp, reason = "the times are sums of powers of two, which are exact")]

mod support;

use serde_json::{Value, json};
use support::trace;
use xray_local::graph::{Service, ServiceGraph, service_graph};
use xray_local::summary::summary;
use xray_local::time::TimeRange;
use xray_local::trace::Trace;

/// A shop calls a table and a service. The shop calls the service by another name than the service's own.
fn shop() -> Trace {
    trace(
        1,
        &[
            json!({
                "id": "000000000000000a", "name": "shop", "start_time": 100.25, "end_time": 101.5, "origin": "AWS::ECS::Container", "aws": { "account_id": "7" },
                "user": "alice", "annotations": { "tier": "gold" }, "fault": true,
                "http": { "request": { "method": "GET", "url": "http://shop/" }, "response": { "status": 500 } },
                "subsegments": [
                    { "id": "000000000000000b", "name": "DynamoDB", "namespace": "aws", "start_time": 100.5, "end_time": 100.625, "error": true, "throttle": true,
                      "aws": { "table_name": "carts" } },
                    { "id": "000000000000000c", "name": "checkout", "start_time": 100.625, "end_time": 101.5, "fault": true, "subsegments": [
                        { "id": "000000000000000d", "name": "payments.internal", "namespace": "remote", "start_time": 100.75, "end_time": 101.25, "fault": true },
                    ] },
                ],
            }),
            json!({
                "id": "000000000000000e", "name": "payments", "parent_id": "000000000000000d", "start_time": 100.875, "end_time": 101.125, "fault": true, "user": "alice",
                "annotations": { "tier": "gold", "tries": 2 },
                "cause": { "exceptions": [{ "id": "00000000000000ee", "type": "CardError", "message": "refused" }] },
            }),
        ],
    )
}

fn graph(traces: &[Trace]) -> ServiceGraph {
    service_graph(traces, TimeRange::ALL)
}

fn node<'a>(graph: &'a ServiceGraph, name: &str, kind: Option<&str>) -> &'a Service {
    let mut nodes = graph.services.iter();
    nodes
        .find(|node| node.name == name && node.kind.as_deref() == kind)
        .unwrap_or_else(|| panic!("{name} {kind:?}: {graph:#?}"))
}

fn callees<'a>(graph: &'a ServiceGraph, node: &Service) -> Vec<&'a str> {
    node.edges.iter().map(|edge| graph.services[edge.reference_id].name.as_str()).collect()
}

#[test]
fn the_graph_has_a_node_per_service_and_an_edge_per_call() {
    let graph = graph(&[shop()]);
    assert!(graph.services.iter().enumerate().all(|(place, node)| node.reference_id == place));
    let shop = node(&graph, "shop", Some("AWS::ECS::Container"));
    assert_eq!((shop.root, shop.state, shop.account_id.as_deref()), (true, "active", Some("7")));
    assert_eq!((shop.start_time, shop.end_time), (100.0, 102.0));
    assert_eq!(callees(&graph, shop), ["carts", "payments"]);
    let carts = node(&graph, "carts", Some("AWS::DynamoDB::Table"));
    assert_eq!((carts.root, carts.state), (false, "unknown"));
    let payments = node(&graph, "payments", None);
    assert_eq!((payments.root, payments.state), (false, "active"));
    let client = node(&graph, "shop", Some("client"));
    assert_eq!((client.root, client.state, &client.summary_statistics), (false, "unknown", &None));
    assert_eq!(callees(&graph, client), ["shop"]);
    assert_eq!(graph.services.len(), 4);
}

#[test]
fn each_table_and_each_queue_is_a_node() {
    let call = |id: &str, name: &str, aws: Value| json!({ "id": id, "name": name, "namespace": "aws", "start_time": 100.5, "end_time": 101.0, "aws": aws });
    let calls = [
        call(
            "000000000000000b",
            "SQS",
            json!({ "operation": "SendMessage", "queue_url": "https://sqs.example.com/1/orders" }),
        ),
        call(
            "000000000000000c",
            "SQS",
            json!({ "operation": "SendMessage", "queue_url": "https://sqs.example.com/1/news" }),
        ),
        call("000000000000000d", "SQS", json!({ "operation": "ListQueues" })),
        call("000000000000000e", "DynamoDB", json!({ "operation": "GetItem", "table_name": "carts" })),
        call("000000000000000f", "S3", json!({ "operation": "GetObject", "bucket_name": "photos" })),
    ];
    let segment = json!({ "id": "000000000000000a", "name": "shop", "start_time": 100.25, "end_time": 101.5, "subsegments": calls });
    let graph = graph(&[trace(1, &[segment])]);
    for (name, kind) in [
        ("orders", "AWS::SQS::Queue"),
        ("news", "AWS::SQS::Queue"),
        ("SQS", "AWS::SQS"),
        ("carts", "AWS::DynamoDB::Table"),
        ("S3", "AWS::S3::Bucket"),
    ] {
        node(&graph, name, Some(kind));
    }
}

#[test]
fn a_node_counts_segments_and_an_edge_counts_calls() {
    let graph = graph(&[shop()]);
    let shop = node(&graph, "shop", Some("AWS::ECS::Container"));
    let payments = shop.edges.iter().find(|edge| graph.services[edge.reference_id].name == "payments").unwrap();
    assert_eq!(payments.summary_statistics.total_response_time, 0.5);
    assert_eq!(node(&graph, "payments", None).summary_statistics.as_ref().unwrap().total_response_time, 0.25);
    assert_eq!(payments.aliases.iter().map(|alias| alias.name.as_str()).collect::<Vec<_>>(), ["payments.internal"]);
}

/// The histograms of the API have values in whole milliseconds. A table that takes its percentiles from them shows 0 s.
#[test]
fn percentiles_are_finer_than_the_histograms_of_the_api() {
    let traces: Vec<_> = (1..=20)
        .map(|number| {
            let end = 100.0 + f64::from(number) * 1e-6;
            trace(number, &[json!({ "id": "000000000000000a", "name": "shop", "start_time": 100.0, "end_time": end })])
        })
        .collect();
    let graph = graph(&traces);
    let (shop, client) = (node(&graph, "shop", None), node(&graph, "shop", Some("client")));
    assert_eq!(shop.response_times.quantile(0.95), Some(0.000_019));
    assert_eq!(client.edges[0].response_times.quantile(0.5), Some(0.000_010));
    assert_eq!(client.response_times.quantile(0.95), None);
    assert_eq!((shop.response_time_histogram[0].value, shop.response_time_histogram.len()), (0.0, 1));
}

#[test]
fn the_graph_serializes_in_the_form_of_the_api() {
    let graph = graph(&[trace(
        2,
        &[json!({ "id": "000000000000000a", "name": "shop", "start_time": 100.25, "end_time": 101.5 })],
    )]);
    let statistics = json!({
        "OkCount": 1, "ErrorStatistics": { "ThrottleCount": 0, "OtherCount": 0, "TotalCount": 0 }, "FaultStatistics": { "OtherCount": 0, "TotalCount": 0 },
        "TotalCount": 1, "TotalResponseTime": 1.25,
    });
    let histogram = json!([{ "Value": 1.25, "Count": 1 }]);
    assert_eq!(
        serde_json::to_value(&graph).unwrap(),
        json!({ "Services": [
            {
                "ReferenceId": 0, "Name": "shop", "Names": ["shop"], "Root": true, "State": "active", "StartTime": 100.0, "EndTime": 102.0, "Edges": [],
                "SummaryStatistics": statistics, "DurationHistogram": histogram, "ResponseTimeHistogram": histogram,
            },
            {
                "ReferenceId": 1, "Name": "shop", "Names": ["shop"], "Type": "client", "State": "unknown", "StartTime": 100.0, "EndTime": 102.0,
                "Edges": [{
                    "ReferenceId": 0, "StartTime": 100.0, "EndTime": 102.0, "SummaryStatistics": statistics, "ResponseTimeHistogram": histogram, "Aliases": [],
                }],
                "DurationHistogram": [], "ResponseTimeHistogram": [],
            },
        ] })
    );
}

#[test]
fn a_request_with_several_flags_is_counted_once() {
    let segment = |number: u32, flags: Value| {
        let mut segment = json!({ "id": "000000000000000a", "name": "shop", "start_time": 1.0, "end_time": 2.0 });
        segment.as_object_mut().unwrap().extend(flags.as_object().unwrap().clone());
        trace(number, &[segment])
    };
    let graph = graph(&[
        segment(1, json!({})),
        segment(2, json!({ "error": true })),
        segment(3, json!({ "error": true, "throttle": true })),
        segment(4, json!({ "throttle": true })),
        segment(5, json!({ "error": true, "throttle": true, "fault": true })),
    ]);
    let statistics = node(&graph, "shop", None).summary_statistics.clone().unwrap();
    let (errors, faults) = (statistics.error_statistics, statistics.fault_statistics);
    assert_eq!((statistics.ok_count, statistics.total_count, statistics.total_response_time), (1, 5, 5.0));
    assert_eq!((errors.throttle_count, errors.other_count, errors.total_count), (2, 1, 3));
    assert_eq!((faults.other_count, faults.total_count), (1, 1));
    assert_eq!(node(&graph, "shop", Some("client")).edges[0].summary_statistics, statistics);
}

#[test]
fn work_in_progress_has_a_node_and_is_not_counted() {
    let graph = graph(&[trace(
        1,
        &[json!({ "id": "000000000000000a", "name": "shop", "start_time": 1.0, "in_progress": true,
        "subsegments": [{ "id": "000000000000000b", "name": "other", "namespace": "remote", "start_time": 1.5, "in_progress": true }] })],
    )]);
    let shop = node(&graph, "shop", None);
    assert_eq!(shop.summary_statistics.as_ref().unwrap().total_count, 0);
    assert_eq!(callees(&graph, shop), ["other"]);
    assert_eq!(shop.edges[0].summary_statistics.total_count, 0);
}

#[test]
fn work_after_the_response_counts_for_the_duration_only() {
    let graph = graph(&[trace(
        1,
        &[
            json!({ "id": "000000000000000a", "name": "shop", "start_time": 1.0, "end_time": 2.0 }),
            json!({ "id": "000000000000000b", "name": "mail", "type": "subsegment", "parent_id": "000000000000000a", "start_time": 2.0, "end_time": 4.5 }),
        ],
    )]);
    let shop = node(&graph, "shop", None);
    assert_eq!((shop.duration_histogram[0].value, shop.response_time_histogram[0].value), (3.5, 1.0));
}

#[test]
fn a_call_with_several_segments_is_counted_once() {
    let answer = |id: &str| json!({ "id": id, "name": "payments", "parent_id": "000000000000000b", "start_time": 1.0, "end_time": 2.0 });
    let graph = graph(&[trace(
        1,
        &[
            json!({ "id": "000000000000000a", "name": "shop", "start_time": 1.0, "end_time": 2.0,
            "subsegments": [{ "id": "000000000000000b", "name": "payments", "namespace": "remote", "start_time": 1.0, "end_time": 2.0 }] }),
            answer("000000000000000c"),
            answer("000000000000000d"),
        ],
    )]);
    assert_eq!(node(&graph, "payments", None).summary_statistics.as_ref().unwrap().total_count, 2);
    let edge = &node(&graph, "shop", None).edges[0];
    assert_eq!((edge.summary_statistics.total_count, &edge.aliases[..]), (1, &[][..]));
}

#[test]
fn a_segment_whose_parent_is_a_segment_is_called_by_it() {
    let graph = graph(&[trace(
        1,
        &[
            json!({ "id": "000000000000000a", "name": "gateway", "start_time": 1.0, "end_time": 5.0 }),
            json!({ "id": "000000000000000b", "name": "shop", "parent_id": "000000000000000a", "start_time": 2.0, "end_time": 3.0 }),
        ],
    )]);
    let gateway = node(&graph, "gateway", None);
    assert_eq!(callees(&graph, gateway), ["shop"]);
    assert_eq!(gateway.edges[0].summary_statistics.total_response_time, 1.0);
    assert!(!node(&graph, "shop", None).root);
}

#[test]
fn a_call_by_an_unknown_segment_has_no_edge() {
    let call = json!({ "id": "000000000000000b", "name": "other", "type": "subsegment", "parent_id": "000000000000000a", "namespace": "remote", "start_time": 1.0, "end_time": 2.0 });
    let graph = graph(&[trace(1, &[call])]);
    assert_eq!(graph.services.len(), 1);
    assert!(!node(&graph, "other", Some("remote")).root);
}

#[test]
fn the_order_of_traces_does_not_matter() {
    let second = trace(
        2,
        &[
            json!({ "id": "000000000000000a", "name": "shop", "start_time": 200.0, "end_time": 200.5, "origin": "AWS::ECS::Container", "aws": { "account_id": "7" } }),
        ],
    );
    let (there, back) = (graph(&[shop(), second.clone()]), graph(&[second, shop()]));
    assert_eq!(there, back);
    let shop = node(&there, "shop", Some("AWS::ECS::Container"));
    assert_eq!(shop.summary_statistics.as_ref().unwrap().total_count, 2);
    assert_eq!((shop.start_time, shop.end_time), (100.0, 201.0));
}

#[test]
fn only_segments_that_start_in_the_range_are_counted() {
    let graph_of = |start, end| service_graph([shop()], TimeRange { start, end });
    assert!(graph_of(0.0, 100.25).services.is_empty());
    let names: Vec<String> = graph_of(100.25, 100.3).services.iter().map(|node| node.name.clone()).collect();
    assert_eq!(names, ["shop", "shop"]);
    // The called segment starts in the range, and the caller's does not. The graph has the call nevertheless.
    let late = graph_of(100.8, 200.0);
    let caller = node(&late, "shop", Some("AWS::ECS::Container"));
    assert_eq!(callees(&late, caller), ["payments"]);
    assert_eq!((caller.state, caller.start_time, caller.end_time), ("active", 100.0, 102.0));
    assert_eq!(caller.summary_statistics.as_ref().unwrap().total_count, 0);
}

#[test]
fn a_summary_serializes_in_the_form_of_the_api() {
    let shop_id = json!({ "Name": "shop", "Names": ["shop"], "AccountId": "7", "Type": "AWS::ECS::Container" });
    let payments_id = json!({ "Name": "payments", "Names": ["payments"] });
    let carts_id = json!({ "Name": "carts", "Names": ["carts"], "Type": "AWS::DynamoDB::Table" });
    let entity = |name: &str, remote: bool| json!({ "Name": name, "Exceptions": [], "Remote": remote });
    let with = |id: &Value, entities: Value, inferred: bool| {
        let mut service = id.clone();
        service["EntityPath"] = entities;
        service["Inferred"] = inferred.into();
        // Grafana's data source reads the type without a check.
        service["Type"] = service.get("Type").cloned().unwrap_or_else(|| "".into());
        service
    };
    let covers =
        |name: &str, coverage: f64, remote: bool| json!({ "Name": name, "Coverage": coverage, "Remote": remote });
    assert_eq!(
        serde_json::to_value(summary(&shop())).unwrap(),
        json!({
            "Id": "1-581cf771-000000000000000000000001", "StartTime": 100.25, "Duration": 1.25, "ResponseTime": 1.25,
            "HasFault": true, "HasError": false, "HasThrottle": true, "IsPartial": false,
            "Http": { "HttpURL": "http://shop/", "HttpStatus": 500, "HttpMethod": "GET" },
            "Annotations": {
                "tier": [{ "AnnotationValue": { "StringValue": "gold" }, "ServiceIds": [shop_id, payments_id] }],
                "tries": [{ "AnnotationValue": { "NumberValue": 2.0 }, "ServiceIds": [payments_id] }],
            },
            "Users": [{ "UserName": "alice", "ServiceIds": [shop_id, payments_id] }],
            "ServiceIds": [carts_id, payments_id, shop_id],
            "ResourceARNs": [], "InstanceIds": [], "AvailabilityZones": [],
            "FaultRootCauses": [{
                "Services": [
                    with(&shop_id, json!([entity("shop", false), entity("checkout", false), entity("payments.internal", true)]), false),
                    with(&payments_id, json!([{ "Name": "payments", "Exceptions": [{ "Name": "CardError", "Message": "refused" }], "Remote": false }]), false),
                ],
                "ClientImpacting": true,
            }],
            "ErrorRootCauses": [{
                "Services": [with(&shop_id, json!([entity("DynamoDB", true)]), false), with(&carts_id, json!([entity("DynamoDB", false)]), true)],
                "ClientImpacting": false,
            }],
            "ResponseTimeRootCauses": [{
                "Services": [
                    with(&shop_id, json!([covers("shop", 1.0, false), covers("checkout", 0.7, false), covers("payments.internal", 0.4, true)]), false),
                    with(&payments_id, json!([covers("payments", 0.2, false)]), false),
                ],
                "ClientImpacting": true,
            }],
            "EntryPoint": shop_id,
            "Revision": 0,
        })
    );
}

/// A retried call may reach two segments, which share a parent.
#[test]
fn the_path_of_the_response_time_leads_to_the_longest_of_several_callees() {
    let segment = |id: &str, name: &str, start: f64, end: f64| json!({ "id": id, "name": name, "parent_id": "000000000000000b", "start_time": start, "end_time": end });
    let call =
        json!({ "id": "000000000000000b", "name": "call", "namespace": "remote", "start_time": 0.0, "end_time": 10.0 });
    let root =
        json!({ "id": "000000000000000a", "name": "shop", "start_time": 0.0, "end_time": 10.0, "subsegments": [call] });
    for (long, short) in [(0.0, 8.0), (2.0, 0.0)] {
        let long = segment("000000000000000c", "long", long, long + 8.0);
        let short = segment("000000000000000d", "short", short, short + 1.0);
        let causes = summary(&trace(1, &[root.clone(), long, short])).response_time_root_causes;
        let names: Vec<_> = causes[0].services.iter().map(|service| service.service.name.as_str()).collect();
        assert_eq!(names, ["shop", "long"]);
    }
}

#[test]
fn a_summary_of_orphans_only_has_no_entry_point() {
    let trace = trace(
        1,
        &[
            json!({ "id": "000000000000000b", "name": "work", "type": "subsegment", "parent_id": "000000000000000a", "start_time": 1.0, "end_time": 2.5, "fault": true }),
        ],
    );
    let summary = summary(&trace);
    assert_eq!((summary.duration, summary.response_time, summary.entry_point), (Some(1.5), None, None));
    assert!(summary.has_fault, "no root says otherwise");
    assert!(summary.service_ids.is_empty());
}
