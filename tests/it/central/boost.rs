//! Adaptive sampling: boosts of rules, with `xray-local` in place of X-Ray.

use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use serde_json::{Value, json};
use xray::emitter::MemoryEmitter;
use xray::sampling::Central;
use xray::tower::SegmentLayer;
use xray::{Instrument as _, Propagation, Recorder, Segment};

/// Calls an operation of the X-Ray API, and returns the response.
async fn ask(server: &xray_local::Server, operation: &str, query: &Value) -> Value {
    let url = format!("http://{}/{operation}", server.http_address());
    let answer = reqwest::Client::new().post(url).json(query).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

/// Creates the rule `pay`, which samples nothing in the service `shop` and has a boost.
async fn create_rule(server: &xray_local::Server) {
    let rule = json!({
        "RuleName": "pay", "ResourceARN": "*", "Priority": 1, "FixedRate": 0, "ReservoirSize": 0, "ServiceName": "shop",
        "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1,
        "SamplingRateBoost": { "MaxRate": 1, "CooldownWindowMinutes": 1 },
    });
    ask(server, "CreateSamplingRule", &json!({ "SamplingRule": rule })).await;
}

fn central() -> Central {
    Central::builder().fallback(xray::sampling::Never).report_every(Duration::from_millis(10)).build()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failure_in_an_unsampled_trace_more_traces_are_sampled() {
    let server = xray_local::Server::builder().address("127.0.0.1:0").start().unwrap();
    create_rule(&server).await;
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder()
        .daemon_address(server.udp_address().to_string())
        .emitter(emitter.clone())
        .sampler(central())
        .build();
    let is_sampled = |fails: bool| {
        let segment = Segment::builder("shop").recorder(&recorder).begin();
        if fails {
            segment.set_http_response(503, None);
        }
        segment.is_sampled()
    };
    // Requests without a failure start no boost, regardless of the number of reports.
    let begun = Instant::now();
    while reported(&server).await < 5 {
        assert!(!is_sampled(false));
        assert!(begun.elapsed() < Duration::from_secs(20), "no reports arrive");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(!is_sampled(true), "the rule samples nothing");
    while !is_sampled(false) {
        assert!(begun.elapsed() < Duration::from_secs(40), "no boost arrives");
        thread::sleep(Duration::from_millis(5));
    }
    let documents = emitter.take();
    assert_eq!(documents[0].aws.as_ref().unwrap().xray.as_ref().unwrap().sampling_rule_name.as_deref(), Some("pay"));
}

/// The service `shop`, in which the traces begin, does not fail. So the boost comes from the reports of `stock`.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_a_called_service_boosts_the_rule_of_its_caller() {
    let server = xray_local::Server::builder().address("127.0.0.1:0").start().unwrap();
    create_rule(&server).await;
    let recorder = || {
        let builder = Recorder::builder().daemon_address(server.udp_address().to_string()).sampler(central());
        builder.propagate(Propagation::Both).emitter(MemoryEmitter::new()).build()
    };
    let (shop, stock) = (recorder(), recorder());
    let url = start_stock(&stock).await;
    let begun = Instant::now();
    let is_sampled = async |state: Option<&str>| {
        let segment = Segment::builder("shop").recorder(&shop).begin();
        let is_sampled = segment.is_sampled();
        (is_sampled, call(&url, state).in_segment(segment).await)
    };
    // The first traces begin before the rules have arrived.
    while is_sampled(None).await.1 != "xrsr=9350872d712a127c" {
        assert!(begun.elapsed() < Duration::from_secs(20), "no rule is named");
    }
    assert_eq!(is_sampled(Some("vendor=1")).await.1, "vendor=1", "the program has set the header");
    while !is_sampled(None).await.0 {
        assert!(begun.elapsed() < Duration::from_secs(40), "no boost arrives");
    }
    let (is_sampled, seen) = is_sampled(None).await;
    assert_eq!((is_sampled, &*seen), (true, "xrsr=9350872d712a127c"), "the boost holds for a minute");
}

/// Starts the service `stock`, which fails and answers with the `tracestate` that it gets. Returns its URL.
async fn start_stock(recorder: &Recorder) -> String {
    let fail = async |headers: HeaderMap| {
        let state = headers.get("tracestate").map_or("", |value| value.to_str().unwrap()).to_owned();
        (StatusCode::SERVICE_UNAVAILABLE, state)
    };
    let router = Router::new().route("/", get(fail)).layer(SegmentLayer::new("stock").recorder(recorder));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

/// Calls `stock`, and returns the `tracestate` that it got.
#[xray::traced_http]
async fn call(url: &str, state: Option<&str>) -> String {
    let request = reqwest::Client::new().get(url);
    let request = if let Some(state) = state { request.header("tracestate", state) } else { request };
    request.send().await.unwrap().text().await.unwrap()
}

/// Returns the number of reported requests of the rule.
async fn reported(server: &xray_local::Server) -> u64 {
    let summaries = ask(server, "SamplingStatisticSummaries", &json!({})).await;
    let summaries = summaries["SamplingStatisticSummaries"].as_array().unwrap().iter();
    summaries
        .filter(|summary| summary["RuleName"] == "pay")
        .map(|summary| summary["RequestCount"].as_u64().unwrap())
        .sum()
}
