//! The parts of a request and its response that a segment records.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path};
use axum::http::StatusCode;
use axum::routing::{any, get};
use reqwest::header::HeaderValue;
use support::Always;
use xray::Recorder;
use xray::tower::SegmentLayer;

use super::app::{App, request};
use support::subsegments::{content_length, exceptions, is_cancelled, status};

fn router() -> Router {
    Router::new()
        .route("/todos/{id}", any(async |Path(id): Path<u32>| format!("todo {id}")))
        .route("/status/{code}", any(async |Path(code): Path<u16>| StatusCode::from_u16(code).unwrap()))
        .route("/panic", get(panicking))
}

async fn panicking() -> String {
    tokio::task::yield_now().await;
    panic!("no way out")
}

#[tokio::test]
async fn a_request_is_a_segment() {
    let app = App::start(router()).await;
    let client = reqwest::Client::builder().user_agent("tests/1").build().unwrap();
    let response = client.post(app.url("/todos/7?token=secret")).send().await.unwrap();
    assert!(!response.headers().contains_key("x-amzn-trace-id"), "nobody asked");
    assert_eq!(response.text().await.unwrap(), "todo 7");
    let document = app.document().await;
    assert_eq!((document.name.as_str(), document.parent_id), ("todo-app", None));
    assert_eq!((status(&document), content_length(&document)), (Some(200), Some(6)));
    assert_eq!((document.error, document.fault, is_cancelled(&document)), (false, false, false));
    let request = request(&document);
    assert_eq!(request.method.as_deref(), Some("POST"));
    assert_eq!(request.url.as_deref(), Some(app.url("/todos/7").as_str()));
    assert_eq!(request.user_agent.as_deref(), Some("tests/1"));
    assert_eq!((request.client_ip.as_deref(), request.x_forwarded_for), (None, false));
}

#[tokio::test]
async fn a_status_says_what_it_means() {
    let app = App::start(router()).await;
    for (code, flags) in [
        (204, (false, false, false)),
        (304, (false, false, false)),
        (404, (true, false, false)),
        (429, (true, true, false)),
        (500, (false, false, true)),
        (503, (false, false, true)),
    ] {
        reqwest::get(app.url(&format!("/status/{code}"))).await.unwrap();
        let document = app.document().await;
        assert_eq!(status(&document), Some(code));
        assert_eq!((document.error, document.throttle, document.fault), flags, "{code}");
        assert!(!is_cancelled(&document), "{code}");
    }
    reqwest::get(app.url("/nowhere")).await.unwrap();
    assert_eq!(status(&app.document().await), Some(404), "a request without a route is recorded");
    reqwest::Client::new().head(app.url("/todos/7")).send().await.unwrap();
    let document = app.document().await;
    assert_eq!((status(&document), content_length(&document)), (Some(200), Some(6)));
    assert!(!is_cancelled(&document), "the segment of a HEAD request ends with the response head");
}

#[tokio::test]
async fn a_handler_that_panics_is_recorded_and_panics() {
    let app = App::start(router()).await;
    assert!(reqwest::get(app.url("/panic")).await.is_err(), "hyper closes the connection");
    let document = app.document().await;
    assert!(document.fault && !is_cancelled(&document), "{document:#?}");
    assert_eq!(exceptions(&document)[0].message.as_deref(), Some("no way out"));
    reqwest::get(app.url("/todos/1")).await.unwrap();
    assert_eq!(status(&app.document().await), Some(200), "the server keeps running");
}

#[tokio::test]
async fn the_client_is_who_the_proxy_says_or_the_peer() {
    let layer = || {
        SegmentLayer::new("todo-app").client_ip(|parts| {
            assert!(!parts.headers.contains_key("x-panic"), "a panic in the hook does not change the response");
            Some(parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip())
        })
    };
    let trusting = App::with(router(), Recorder::builder().sampler(Always), layer()).await;
    let wary = App::with(router(), Recorder::builder().sampler(Always), layer().forwarded_for(false)).await;
    let digits = "1".repeat(50_000);
    let long = format!("1.2.3.4{}", ", 5.6.7.8".repeat(5_000));
    for (forwarded, trusted) in [
        (None, None),
        (Some("203.0.113.7, 10.0.0.1".as_bytes()), Some("203.0.113.7")),
        (Some(b"203.0.113.7"), Some("203.0.113.7")),
        (Some(long.as_bytes()), Some("1.2.3.4")),
        (Some(b"'; DROP TABLE traces; --, 10.0.0.1"), None),
        (Some(b"\xff\xfe\xfd"), None),
        (Some(digits.as_bytes()), None),
        (Some(b""), None),
    ] {
        for (app, address) in [(&trusting, trusted), (&wary, None)] {
            let mut call = reqwest::Client::new().get(app.url("/todos/1"));
            if let Some(forwarded) = forwarded {
                call = call.header("x-forwarded-for", HeaderValue::from_bytes(forwarded).unwrap());
            }
            assert_eq!(call.send().await.unwrap().status(), 200);
            let document = app.document().await;
            let request = request(&document);
            assert_eq!(request.client_ip.as_deref(), Some(address.unwrap_or("127.0.0.1")));
            assert_eq!(request.x_forwarded_for, address.is_some());
        }
    }
    let call = reqwest::Client::new().get(wary.url("/todos/1")).header("x-panic", "1");
    assert_eq!(call.send().await.unwrap().text().await.unwrap(), "todo 1");
    assert_eq!(request(&wary.document().await).client_ip, None);
}

/// Each request gets the same response as without the layer, and its document is valid.
#[tokio::test]
async fn hostile_headers_harm_nobody() {
    let app = App::start(router()).await;
    let huge = "x".repeat(60_000);
    let extra = "Root=1-5759e988-bd862e3fe1be46a994272793;".to_owned() + &"a=b;".repeat(10_000);
    for name in ["x-amzn-trace-id", "traceparent", "user-agent", "x-forwarded-for", "x-forwarded-proto", "host"] {
        for value in [
            &b""[..],
            b"\xff\x80\xc3",
            b"\t \t",
            b"=;=;Root=;Sampled=?",
            b"<script>\"'\\",
            huge.as_bytes(),
            extra.as_bytes(),
        ] {
            let call = reqwest::Client::new().get(app.url("/todos/1"));
            let call = call.header(name, HeaderValue::from_bytes(value).unwrap());
            let response = call.send().await.unwrap();
            assert_eq!(response.text().await.unwrap(), "todo 1", "{name}: {:?}", String::from_utf8_lossy(value));
            let document = app.document().await;
            let request = request(&document);
            for text in [&request.url, &request.user_agent, &request.client_ip].into_iter().flatten() {
                assert!(text.chars().count() <= 250, "{text}");
            }
        }
    }
}

#[tokio::test]
async fn names_by_host() {
    let app =
        App::with(router(), Recorder::builder().sampler(Always), SegmentLayer::dynamic("*.Example.com", "fallback"))
            .await;
    for (host, name) in [
        ("a.example.com", "a.example.com"),
        ("A.EXAMPLE.com:8080", "a.example.com"),
        ("example.com", "fallback"),
        ("a.example.com.evil.org", "fallback"),
        ("a<b>(c).example.com", "abc.example.com"),
        ("", "fallback"),
    ] {
        let call = reqwest::Client::new().get(app.url("/todos/1")).header("host", host);
        call.send().await.unwrap();
        assert_eq!(app.document().await.name, name, "{host}");
    }
    let long = "x".repeat(5_000) + ".example.com";
    reqwest::Client::new().get(app.url("/todos/1")).header("host", long).send().await.unwrap();
    assert_eq!(app.document().await.name.len(), 200);
}

#[tokio::test]
async fn disabled_it_is_passed_through() {
    let app = App::with(router(), Recorder::builder().enabled(false), SegmentLayer::new("todo-app")).await;
    let call = reqwest::Client::new().get(app.url("/todos/7")).header("x-amzn-trace-id", "Sampled=?");
    let response = call.send().await.unwrap();
    assert!(!response.headers().contains_key("x-amzn-trace-id"));
    assert_eq!(response.text().await.unwrap(), "todo 7");
    assert!(app.ended().is_empty());
}
