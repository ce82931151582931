//! Segments that a function begins itself.

use serde_json::{Value, json};
use support::child;
use xray::document::Kind;
use xray::emitter::MemoryEmitter;
use xray::{Recorder, Segment, TraceHeader, Trust};

use super::service::{Lambda, PARENT, ROOT, sampled};

/// Returns the name, the trace and the parent of a document.
fn of(document: &Value) -> [&str; 3] {
    ["name", "trace_id", "parent_id"].map(|key| document[key].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_segment_is_a_subsegment() {
    let mut lambda = Lambda::start("handler").await;
    let answer = lambda.call(Some(&sampled()), json!({"steps": ["segment"]})).await;
    let [segment] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    assert_eq!((of(segment), &segment["type"]), (["todo-app", ROOT, PARENT], &json!("subsegment")));
    assert_eq!(segment["subsegments"][0]["name"], "cart");
    assert_eq!(answer.body["samplers_asked"], 0);
}

#[tokio::test]
async fn a_segment_of_another_trace_is_recorded_if_its_header_is_sampled() {
    let mut lambda = Lambda::start("handler").await;
    let answer = lambda.call(Some(&sampled()), json!({"steps": ["segment of a message"]})).await;
    let [segment, without_decision] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    assert_eq!(of(segment), ["queue", "1-11111111-111111111111111111111111", "1111111111111111"]);
    assert_eq!((segment.get("type"), &answer.body["samplers_asked"]), (None, &json!(0)));
    assert_eq!(of(without_decision), ["queue", ROOT, PARENT]);
}

#[tokio::test]
async fn without_the_layer_the_variable_names_the_invocation() {
    let mut lambda = Lambda::start("without layer").await;
    let answer = lambda.call(Some(&sampled()), json!({"steps": ["work"]})).await;
    let [segment] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    assert_eq!(of(segment), ["todo-app", ROOT, PARENT]);
    assert_eq!(segment["subsegments"][0]["name"], "cart");
    // One line for the segments that began before the first invocation, and one for the place of their subsegments.
    assert_eq!((&answer.body["warnings"], &answer.body["samplers_asked"]), (&json!(2), &json!(0)));
    let other = "Root=1-11111111-111111111111111111111111;Parent=1111111111111111;Sampled=1";
    let answer = lambda.call(Some(other), json!({"steps": []})).await;
    assert_eq!(of(&answer.documents[0]), ["todo-app", "1-11111111-111111111111111111111111", "1111111111111111"]);
}

#[tokio::test]
async fn without_the_layer_a_message_of_the_recorded_invocation_is_a_subsegment() {
    let mut lambda = Lambda::start("message without layer").await;
    let answer = lambda.call(Some(&sampled()), json!({"steps": []})).await;
    let [segment] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    assert_eq!((of(segment), &segment["type"]), (["queue", ROOT, PARENT], &json!("subsegment")));
}

/// A client can write any header into a request, and API Gateway gives a request another trace than Lambda gives the
/// invocation.
#[test]
fn the_invocation_decides_about_its_request() {
    let other = "Root=1-11111111-111111111111111111111111";
    let headers = ["", ";Sampled=0", ";Sampled=1", ";Sampled=?", ";Parent=1111111111111111;Sampled=1"];
    let invocations = [(sampled(), true), (format!("Root={ROOT};Parent={PARENT};Sampled=0"), false)];
    for (invocation, is_recorded) in &invocations {
        for header in headers.map(|parts| format!("{other}{parts}")) {
            let ((), documents) = xray::testing::capture_blocking(|| {
                Segment::facade(invocation).in_scope(|| {
                    let shop = Segment::builder("shop").trace_header(&TraceHeader::parse(&header));
                    shop.request("GET", "https://shop.example.com/carts/3").begin().end();
                });
            });
            let traces: Vec<_> = documents.iter().map(|document| document.trace_id).collect();
            let expected = if *is_recorded { vec![Some(ROOT.parse().unwrap())] } else { vec![] };
            assert_eq!(traces, expected, "{invocation} and {header}");
        }
    }
}

/// The Lambda Web Adapter calls the service over HTTP, and adds the invocation's header to the request.
#[test]
fn behind_the_web_adapter_the_header_of_the_request_names_the_invocation() {
    let name = "behind_the_web_adapter_the_header_of_the_request_names_the_invocation";
    child::run_with(module_path!(), name, &[("AWS_LAMBDA_FUNCTION_NAME", "shop")], || {
        let emitter = MemoryEmitter::new();
        let recorder = Recorder::builder().emitter(emitter.clone()).build();
        let carried = |header: &str, trust: Trust| {
            let shop = Segment::builder("shop").recorder(&recorder).trace_header(&TraceHeader::parse(header));
            let segment = shop.trust(trust).request("GET", "https://shop.example.com/carts/3").begin();
            let mut request = http::Request::get("https://example.com/").body(()).unwrap();
            let call = segment.in_scope(|| xray::http::call("GET", request.uri()));
            drop(call.inject(request.headers_mut()));
            request.headers()["x-amzn-trace-id"].to_str().unwrap().to_owned()
        };
        for trust in [Trust::All, Trust::TraceId, Trust::Nothing] {
            assert!(carried(&sampled(), trust).contains(";Sampled=1"));
            let documents = emitter.take();
            let [document] = &documents[..] else { panic!("{trust:?}: {documents:#?}") };
            assert_eq!(document.kind, Some(Kind::Subsegment));
            assert_eq!(document.parent_id.map(|id| id.to_string()).as_deref(), Some(PARENT));
        }
        let undecided = format!("Root={ROOT};Lineage=1:2:3");
        assert_eq!(carried(&undecided, Trust::All), undecided, "passed on as it is");
    });
}

/// An axum router with its layer runs on `lambda_http`.
#[tokio::test]
async fn a_web_service_is_a_subsegment() {
    let mut lambda = Lambda::start("http").await;
    let request = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/carts/3",
        "rawQueryString": "token=secret",
        "headers": {
            "host": "shop.example.com",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-proto": "https",
            // API Gateway's own trace, with the decision of its client.
            "x-amzn-trace-id": "Root=1-11111111-111111111111111111111111;Sampled=0",
        },
        "requestContext": {"http": {"method": "GET", "path": "/carts/3"}, "stage": "$default"},
        "isBase64Encoded": false,
    });
    let answer = lambda.call(Some(&sampled()), request).await;
    assert_eq!((&answer.body["statusCode"], &answer.body["body"]), (&json!(200), &json!("3 items")));
    let [segment] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    assert_eq!(of(segment), ["shop", ROOT, PARENT]);
    assert_eq!(segment["annotations"], json!({"items": 3}));
    let request = json!({"method": "GET", "url": "https://shop.example.com/carts/3", "client_ip": "203.0.113.7"});
    assert_eq!(segment["http"]["request"], request);
    assert_eq!(segment["http"]["response"]["status"], 200);
}
