//! Functions that stream their response, and functions that do not come to an end.

use std::collections::HashMap;

use axum::body::Bytes;
use futures::{Stream, StreamExt as _, stream};
use lambda_runtime::{Context, Error, LambdaEvent, LambdaInvocation};
use serde_json::{Value, json};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};
use xray::Recorder;
use xray::emitter::MemoryEmitter;
use xray::lambda::TraceLayer;

use super::service::{Lambda, PARENT, ROOT, sampled};
use support::documents::checked;
use support::{Seen, Server};

#[xray::traced_http]
async fn fetch(url: String) -> reqwest::Result<String> {
    reqwest::get(url).await?.text().await
}

/// Returns the header that a call carries.
fn header_of(document: &Value) -> String {
    format!("Root={ROOT};Parent={};Sampled=1;Lineage=25:abc:1", document["id"].as_str().unwrap())
}

#[tokio::test]
async fn calls_while_a_response_streams_belong_to_the_invocation() {
    let server = Server::start().await;
    let mut lambda = Lambda::start("stream").await;
    for _ in 0..2 {
        let answer = lambda.call(Some(&sampled()), json!({"url": server.url("/bytes/3"), "steps": []})).await;
        let body = answer.body.as_str().unwrap();
        assert_eq!(body.matches(ROOT).count(), 2, "{body}");
        assert_eq!(answer.documents.len(), 3, "the documents arrive before the response is complete");
        assert!(answer.documents.iter().all(|call| call["parent_id"] == PARENT), "{:#?}", answer.documents);
        let headers: Vec<_> = server.take_seen().iter().flat_map(Seen::trace_headers).collect();
        assert_eq!(headers, answer.documents.iter().map(header_of).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_layer_around_the_handler_keeps_concurrent_streams_apart() {
    const MANY: usize = 40;

    let server = Server::start().await;
    let mut lambda = Lambda::with("concurrent stream", &[("AWS_LAMBDA_MAX_CONCURRENCY", "8")]).await;
    for number in 0..MANY {
        let header = format!("Root=1-5759e988-{number:024x};Parent={:016x};Sampled=1", number + 1);
        lambda.invoke(Some(&header), json!({"url": server.url("/bytes/3"), "steps": []}));
    }
    let mut documents = HashMap::<String, Vec<Value>>::new();
    for _ in 0..MANY {
        for document in lambda.answer().await.documents {
            documents.entry(document["trace_id"].as_str().unwrap().to_owned()).or_default().push(document);
        }
    }
    for number in 0..MANY {
        let own = &documents[&format!("1-5759e988-{number:024x}")];
        let parent = format!("{:016x}", number + 1);
        assert!(own.len() == 3 && own.iter().all(|call| call["parent_id"] == parent), "{own:#?}");
    }
}

fn invocation() -> LambdaInvocation {
    let mut context = Context::default();
    context.xray_trace_id = Some(sampled());
    let (parts, ()) = http::Response::new(()).into_parts();
    LambdaInvocation { parts, body: Bytes::new(), context }
}

/// A stream that makes a call for each of two chunks, and one when it is dropped.
async fn chunks(base: String) -> Result<impl Stream<Item = String>, Error> {
    fetch(format!("{base}/bytes/1")).await?;
    let at_the_end = AtTheEnd;
    Ok(Box::pin(stream::unfold(0, move |chunk| {
        let _ = &at_the_end;
        let url = format!("{base}/bytes/{}", chunk + 2);
        async move { if chunk < 2 { Some((fetch(url).await.unwrap_or_default(), chunk + 1)) } else { None } }
    })))
}

struct AtTheEnd;

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        xray::current().subsegment("at the end").end();
    }
}

#[tokio::test]
async fn a_stream_is_polled_and_dropped_in_its_invocation() {
    let server = Server::start().await;
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().emitter(emitter.clone()).build();
    for is_read in [true, false] {
        let base = server.url("");
        let function = ServiceBuilder::new()
            .layer(TraceLayer::new().recorder(&recorder))
            .service(service_fn(move |_: LambdaInvocation| chunks(base.clone())));
        let mut body = function.oneshot(invocation()).await.unwrap();
        let mut expected = vec!["127.0.0.1"];
        if is_read {
            assert_eq!(body.by_ref().map(|chunk| chunk.len()).collect::<Vec<_>>().await, [2, 3]);
            assert_eq!(body.next().await, None);
            expected.extend(["127.0.0.1"; 2]);
        }
        drop(body);
        expected.push("at the end");
        let documents = checked(emitter.take());
        assert_eq!(documents.iter().map(|document| document.name.as_str()).collect::<Vec<_>>(), expected);
        assert!(documents.iter().all(|document| document.parent_id.unwrap().to_string() == PARENT));
        let headers: Vec<_> = server.take_seen().iter().flat_map(Seen::trace_headers).collect();
        assert_eq!(headers.len(), expected.len() - 1);
        assert!(headers.iter().all(|header| header.starts_with(&format!("Root={ROOT};Parent="))), "{headers:?}");
    }
    assert_eq!(xray::trace_id(), None, "outside Lambda no invocation is around other work");
}

#[tokio::test]
async fn a_response_that_does_not_stream_is_passed_on_as_it_is() {
    let disabled = Recorder::builder().enabled(false).build();
    let function = |layer: TraceLayer<_>| {
        let service = service_fn(async |event: LambdaEvent<u32>| Ok::<_, Error>(vec![event.payload]));
        ServiceBuilder::new().layer(layer).service(service).oneshot(LambdaEvent::new(7, invocation().context))
    };
    assert_eq!(function(TraceLayer::new()).await.unwrap(), [7]);
    assert_eq!(function(TraceLayer::default().recorder(&disabled)).await.unwrap(), [7]);
}

#[tokio::test]
async fn what_is_open_when_the_time_of_a_function_is_over_has_been_sent() {
    let server = Server::start().await;
    for (step, name) in [("hang", "outer"), ("call", "127.0.0.1")] {
        let lambda = Lambda::start("in progress").await;
        lambda.invoke(Some(&sampled()), json!({"url": server.url("/held"), "steps": [step]}));
        let open = lambda.document().await;
        assert_eq!((&open["name"], &open["in_progress"]), (&json!(name), &json!(true)), "{open:#}");
        assert_eq!([&open["trace_id"], &open["parent_id"], &open["type"]], [ROOT, PARENT, "subsegment"]);
        assert!(open["start_time"].as_f64().unwrap() > 1e9 && open.get("end_time").is_none());
        assert_eq!(lambda.stop().await, [Value::Null; 0], "one report");
    }
}

#[tokio::test]
async fn what_was_reported_as_open_is_sent_again_when_it_ends() {
    let server = Server::start().await;
    let mut lambda = Lambda::start("in progress").await;
    lambda.invoke(Some(&sampled()), json!({"url": server.url("/held"), "steps": ["call"]}));
    let open = lambda.document().await;
    server.release();
    let answer = lambda.answer().await;
    let [call] = &answer.documents[..] else { panic!("{:#?}", answer.documents) };
    for key in ["id", "trace_id", "parent_id", "type", "start_time"] {
        assert_eq!(call[key], open[key], "{key}");
    }
    assert!(call.get("in_progress").is_none() && call["http"]["response"]["status"] == 200, "{call:#}");
}

#[tokio::test]
async fn a_function_that_is_dropped_ends_its_calls_as_cancelled() {
    let server = Server::start().await;
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().emitter(emitter.clone()).build();
    let url = server.url("/held");
    let function = ServiceBuilder::new()
        .layer(TraceLayer::new().recorder(&recorder))
        .service(service_fn(move |_: LambdaInvocation| fetch(url.clone())));
    let answer = function.oneshot(invocation());
    tokio::select! {
        _ = answer => unreachable!("the server does not answer"),
        () = server.arrival("/held") => {}
    }
    let [call] = &checked(emitter.take())[..] else { panic!("one document") };
    assert_eq!(
        (call.parent_id.unwrap().to_string().as_str(), &call.metadata["xray"]["cancelled"]),
        (PARENT, &json!(true))
    );
}

#[tokio::test]
async fn the_response_hook_runs_for_the_calls_of_an_invocation() {
    let server = Server::start().await;
    let emitter = MemoryEmitter::new();
    let builder = Recorder::builder().emitter(emitter.clone());
    let recorder = builder.on_response(|call, response| call.annotate("seen", response.status())).build();
    let url = server.url("/bytes/3");
    let function = ServiceBuilder::new()
        .layer(TraceLayer::new().recorder(&recorder))
        .service(service_fn(move |_: LambdaInvocation| fetch(url.clone())));
    assert_eq!(function.oneshot(invocation()).await.unwrap(), "xxx");
    let [call] = &checked(emitter.take())[..] else { panic!("one document") };
    assert_eq!((call.parent_id.unwrap().to_string().as_str(), &call.annotations["seen"]), (PARENT, &200.into()));
}
