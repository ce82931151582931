//! Adaptive sampling: boosts of rules, with `xray-local` in place of X-Ray.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use axum::routing::get;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use support::sampling_daemon::{Daemon, eager, rule, until, with};
use tower::ServiceExt as _;
use tracing_subscriber::prelude::*;
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

/// Ways in which a trace fails, other than by the status of its response.
const FAILURES: [(&str, fn()); 5] = [
    ("record_error", || xray::current().record_error(&std::io::Error::other("down"))),
    ("a gRPC status", || serve_grpc(true)),
    ("a gRPC status in the trailers", || serve_grpc(false)),
    ("traced(err)", || drop(fails())),
    ("the event of a span", || drop(fails_in_a_span())),
];

#[xray::traced(err)]
fn fails() -> Result<(), std::num::ParseIntError> {
    "down".parse::<u8>().map(drop)
}

#[tracing::instrument(err)]
fn fails_in_a_span() -> Result<(), std::num::ParseIntError> {
    "down".parse::<u8>().map(drop)
}

/// Serves a gRPC call that fails, in a segment of its own. The status is in the head or in the trailers.
fn serve_grpc(is_in_head: bool) {
    let status: HeaderMap =
        [(HeaderName::from_static("grpc-status"), HeaderValue::from_static("13"))].into_iter().collect();
    let service = tower::service_fn(async |_: Request<()>| {
        let body = if is_in_head { None } else { Some(Ok::<_, Infallible>(Frame::<Bytes>::trailers(status.clone()))) };
        let mut response = Response::new(StreamBody::new(futures::stream::iter(body)));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        if is_in_head {
            response.headers_mut().extend(status.clone());
        }
        Ok::<_, Infallible>(response)
    });
    let recorder = RECORDER.with_borrow(|recorder| recorder.clone().unwrap());
    let service = tower::ServiceBuilder::new().layer(SegmentLayer::new("shop").recorder(&recorder)).service(service);
    let request = Request::post("http://shop/Pay").header("content-type", "application/grpc").body(()).unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let response = service.oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
    });
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

#[test]
fn every_failure_is_counted_in_sampled_and_in_unsampled_traces() {
    let subscriber = tracing_subscriber::registry().with(xray::tracing::SubsegmentLayer::new());
    let _subscriber = tracing::subscriber::set_default(subscriber);
    for rate in [0.0, 1.0] {
        let boosted =
            with(rule("pay", 1, "*"), "SamplingRateBoost", json!({"MaxRate": 1.0, "CooldownWindowMinutes": 1}));
        let daemon = Daemon::with_rules(&[with(boosted, "FixedRate", rate)]);
        let address = format!("tcp:{} udp:127.0.0.1:9", daemon.address);
        let builder = Recorder::builder().daemon_address(address).emitter(MemoryEmitter::new());
        let recorder = builder.sampler(eager().fallback(xray::sampling::Never).build()).build();
        RECORDER.set(Some(recorder.clone()));
        let counted = |count: &str| {
            let documents =
                daemon.calls().into_iter().map(|call| call.body["SamplingBoostStatisticsDocuments"].clone());
            let counts = documents.flat_map(|list| list.as_array().cloned().unwrap_or_default());
            counts.map(|document| document[count].as_u64().unwrap()).sum::<u64>()
        };
        until("a rule with a boost decides", || {
            Segment::builder("shop").recorder(&recorder).begin().end();
            counted("TotalCount") > 0
        });
        assert_eq!(counted("AnomalyCount"), 0);
        for (at, (kind, fail)) in (1..).zip(FAILURES) {
            // A status that blames the caller is no failure of this service, and neither is a status of another
            // service.
            Segment::builder("shop").recorder(&recorder).begin().in_scope(|| {
                xray::current().set_grpc_status(0, "");
                xray::current().set_grpc_status(5, "no order 7");
                if rate > 0.0 {
                    let call = xray::http::call("POST", "http://stock/Reserve");
                    call.run(|| (), |(), call| call.subsegment().set_grpc_status(13, "down"));
                }
            });
            Segment::builder("shop").recorder(&recorder).begin().in_scope(fail);
            until(&format!("{kind} is counted at rate {rate}"), || counted("AnomalyCount") >= at);
            assert_eq!(counted("AnomalyCount"), at, "{kind}");
        }
    }
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
