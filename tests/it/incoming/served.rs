//! The parts of a request and its response that a segment records.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path};
use axum::http::StatusCode;
use axum::routing::{any, get};
use support::Always;
use xray::Recorder;
use xray::tower::SegmentLayer;

use super::app::{App, request};
use support::subsegments::{exceptions, is_cancelled, status};

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
async fn a_request_without_a_route_is_recorded() {
    let app = App::start(router()).await;
    reqwest::get(app.url("/nowhere")).await.unwrap();
    assert_eq!(status(&app.document().await), Some(404));
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
async fn the_hook_may_take_the_peers_address_and_may_panic() {
    let layer = SegmentLayer::new("todo-app").client_ip(|parts| {
        assert!(!parts.headers.contains_key("x-panic"));
        Some(parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip())
    });
    let app = App::with(router(), Recorder::builder().sampler(Always), layer).await;
    for (header, address) in [("x-other", Some("127.0.0.1")), ("x-panic", None)] {
        let response = reqwest::Client::new().get(app.url("/todos/1")).header(header, "1").send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "todo 1");
        assert_eq!(request(&app.document().await).client_ip.as_deref(), address, "{header}");
    }
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
