//! How a trace comes in with a request and goes on with the calls that a handler makes.

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use futures::future::join_all;
use xray::sampling::Never;
use xray::tower::SegmentLayer;
use xray::{Propagation, Recorder};

use super::app::{App, PARENT, ROOT};
use support::{Always, Server};

async fn get_with(url: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let call = reqwest::Client::new().get(url);
    headers.iter().fold(call, |call, (name, value)| call.header(*name, *value)).send().await.unwrap()
}

#[tokio::test]
async fn the_decision_is_the_callers_and_told_if_asked_for() {
    let router = || Router::new().route("/", get(async || ""));
    let always = App::start(router()).await;
    let never = App::with(router(), Recorder::builder().sampler(Never), SegmentLayer::new("todo-app")).await;
    for (header, sampled, sampled_by_never, answer) in [
        ("Root={root};Parent={parent};Sampled=1", true, true, None),
        ("Root={root};Parent={parent};Sampled=0", false, false, None),
        ("Root={root};Parent={parent};Sampled=?", true, false, Some("Root={root};Sampled=")),
        ("Root={root};Sampled=?;Lineage=a:1", true, false, Some("Root={root};Sampled=")),
        ("Self=1-6;Root={root}", true, false, None),
    ] {
        let fill = |text: &str| text.replace("{root}", ROOT).replace("{parent}", PARENT);
        for (app, sampled) in [(&always, sampled), (&never, sampled_by_never)] {
            let response = get_with(&app.url("/"), &[("x-amzn-trace-id", &fill(header))]).await;
            let told = response.headers().get("x-amzn-trace-id").map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(told, answer.map(|answer| format!("{}{}", fill(answer), u8::from(sampled))), "{header}");
            let documents = app.documents(usize::from(sampled)).await;
            for document in documents {
                assert_eq!(document.trace_id.unwrap().to_string(), ROOT);
                let parent = document.parent_id.map(|parent| parent.to_string());
                assert_eq!(parent.as_deref(), header.contains("Parent").then_some(PARENT), "{header}");
            }
        }
    }
    let response = get_with(&always.url("/"), &[("x-amzn-trace-id", "Sampled=?")]).await;
    let root = always.documents(1).await[0].trace_id.unwrap();
    assert_eq!(response.headers()["x-amzn-trace-id"], format!("Root={root};Sampled=1"));
}

#[tokio::test]
async fn a_traceparent_counts_where_it_is_propagated() {
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let x_ray = format!("Root={ROOT};Parent={PARENT};Sampled=1");
    let router = || Router::new().route("/", get(async || ""));
    for (propagation, is_read) in [(Propagation::XRay, false), (Propagation::W3c, true), (Propagation::Both, true)] {
        let recorder = Recorder::builder().sampler(Always).propagate(propagation);
        let app = App::with(router(), recorder, SegmentLayer::new("todo-app")).await;
        get_with(&app.url("/"), &[("traceparent", traceparent)]).await;
        let document = app.document().await;
        let parent = document.parent_id.map(|parent| parent.to_string());
        assert_eq!(parent.as_deref(), is_read.then_some("b7ad6b7169203331"), "{propagation:?}");
        let is_its = document.trace_id.unwrap().to_string() == "1-0af76519-16cd43dd8448eb211c80319c";
        assert_eq!(is_its, is_read, "{propagation:?}");

        get_with(&app.url("/"), &[("traceparent", traceparent), ("x-amzn-trace-id", &x_ray)]).await;
        assert_eq!(app.document().await.trace_id.unwrap().to_string(), ROOT, "{propagation:?}");

        get_with(&app.url("/"), &[("traceparent", traceparent), ("x-amzn-trace-id", "garbage")]).await;
        assert_eq!(app.document().await.parent_id.is_some(), is_read, "{propagation:?}");
    }
}

#[xray::traced_http]
async fn fetch(url: &str) -> reqwest::Result<String> {
    reqwest::get(url).await?.text().await
}

async fn relay(State(url): State<String>, Path(length): Path<u32>) -> String {
    xray::current().annotate("length", length);
    fetch(&format!("{url}/{length}")).await.unwrap()
}

async fn relaying(server: &Server) -> App {
    App::start(Router::new().route("/{length}", get(relay)).with_state(server.url("/bytes"))).await
}

#[tokio::test]
async fn a_traced_call_in_a_handler_is_inside() {
    let server = Server::start().await;
    let app = relaying(&server).await;
    let header = format!("Root={ROOT};Parent={PARENT};Sampled=1;Lineage=a:1");
    get_with(&app.url("/3"), &[("x-amzn-trace-id", &header)]).await;
    let document = app.document().await;
    assert_eq!(document.subsegments.len(), 1);
    let call = document.subsegments[0].id;
    assert_eq!(server.take_seen()[0].trace_headers(), [format!("Root={ROOT};Parent={call};Sampled=1;Lineage=a:1")]);

    let header = format!("Root={ROOT};Parent={PARENT};Sampled=0");
    get_with(&app.url("/3"), &[("x-amzn-trace-id", &header)]).await;
    assert!(app.ended().is_empty());
    assert_eq!(
        server.take_seen()[0].trace_headers(),
        [format!("Root={ROOT};Sampled=0")],
        "the incoming trace continues"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_keep_apart() {
    const MANY: u32 = 100;
    let server = Server::start().await;
    let app = relaying(&server).await;
    let client = reqwest::Client::new();
    let calls = (0..MANY).map(|number| {
        let root = format!("1-5759e988-{number:024x}");
        let call = client.get(app.url(&format!("/{number}"))).header("x-amzn-trace-id", format!("Root={root}"));
        async move { call.send().await.unwrap().text().await.unwrap().len() }
    });
    assert_eq!(join_all(calls).await, (0..MANY as usize).collect::<Vec<_>>());
    let documents: HashMap<_, _> = app
        .documents(MANY as usize)
        .await
        .into_iter()
        .map(|document| (document.trace_id.unwrap().to_string(), document))
        .collect();
    for number in 0..MANY {
        let document = &documents[&format!("1-5759e988-{number:024x}")];
        assert_eq!(document.annotations["length"], number.into());
        let [call] = &document.subsegments[..] else { panic!("{document:#?}") };
        let request = call.http.as_ref().and_then(|http| http.request.as_ref()).unwrap();
        assert_eq!(request.url.as_deref(), Some(server.url(&format!("/bytes/{number}")).as_str()));
    }
}
