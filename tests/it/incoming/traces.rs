//! How a trace comes in with a request and goes on with the calls that a handler makes.

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use futures::future::join_all;
use xray::sampling::Never;
use xray::tower::SegmentLayer;
use xray::{Recorder, Trust};

use super::app::{App, PARENT, ROOT};
use support::{Always, Server};

async fn get_with(url: &str, headers: &[(&str, &str)]) -> reqwest::Response {
    let call = reqwest::Client::new().get(url);
    headers.iter().fold(call, |call, (name, value)| call.header(*name, *value)).send().await.unwrap()
}

#[tokio::test]
async fn a_layer_takes_as_much_of_a_header_as_it_trusts() {
    let header = |decision: &str| format!("Root={ROOT};Parent={PARENT};{decision}Lineage=a:1");
    for (trust, by_always, by_never, keeps_trace) in [
        (Trust::All, [true, false, true], [true, false, false], true),
        (Trust::TraceId, [true; 3], [false; 3], true),
        (Trust::Nothing, [true; 3], [false; 3], false),
    ] {
        let server = Server::start().await;
        let router = || Router::new().route("/{length}", get(relay)).with_state(server.url("/bytes"));
        let layer = || SegmentLayer::new("todo-app").trust(trust);
        let always = App::with(router(), Recorder::builder().sampler(Always), layer()).await;
        let never = App::with(router(), Recorder::builder().sampler(Never), layer()).await;
        for (app, sampled) in [(&always, by_always), (&never, by_never)] {
            for (decision, sampled) in ["Sampled=1;", "Sampled=0;", "Sampled=?;"].into_iter().zip(sampled) {
                let response = get_with(&app.url("/3"), &[("x-amzn-trace-id", &header(decision))]).await;
                let is_told = response.headers().contains_key("x-amzn-trace-id");
                assert_eq!(is_told, decision.contains('?') && keeps_trace, "{trust:?} {decision}");
                let sent = server.take_seen()[0].trace_headers().remove(0);
                assert!(sent.contains(&format!("Sampled={}", u8::from(sampled))), "{trust:?} {decision} {sent}");
                assert_eq!((sent.contains(ROOT), sent.ends_with(";Lineage=a:1")), (keeps_trace, keeps_trace), "{sent}");
                for document in app.documents(usize::from(sampled)).await {
                    assert_eq!(document.trace_id.unwrap().to_string() == ROOT, keeps_trace);
                    let parent = document.parent_id.map(|parent| parent.to_string());
                    assert_eq!(parent.as_deref(), keeps_trace.then_some(PARENT));
                }
            }
        }
    }
}

#[tokio::test]
async fn of_several_trace_headers_the_good_one_counts() {
    let app = App::start(Router::new().route("/", get(async || ""))).await;
    let good = format!("Root={ROOT};Parent={PARENT};Sampled=1");
    let other = "Root=1-00000001-bd862e3fe1be46a994272793;Parent=0000000000000001;Sampled=0";
    for headers in [
        &[format!("{good}, {other}")][..],
        &[format!(", {good}")],
        &[String::new(), good.clone()],
        &["Root=garbage".to_owned(), good.clone(), other.to_owned()],
    ] {
        let headers: Vec<_> = headers.iter().map(|value| ("x-amzn-trace-id", value.as_str())).collect();
        get_with(&app.url("/"), &headers).await;
        let document = app.document().await;
        let ids = (document.trace_id.unwrap().to_string(), document.parent_id.unwrap().to_string());
        assert_eq!(ids, (ROOT.to_owned(), PARENT.to_owned()), "{headers:?}");
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
