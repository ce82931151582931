//! A segment stays open until the response body ends, however it ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::{Stream, StreamExt as _};
use support::Always;
use tokio::sync::{Mutex, Notify};
use xray::Recorder;
use xray::tower::SegmentLayer;

use super::app::App;
use support::subsegments::{content_length, exceptions, is_cancelled, status};

type Chunk = Result<&'static str, io::Error>;

/// Starts a service whose body is what the test sends.
async fn streaming(length: Option<u64>) -> (App, UnboundedSender<Chunk>) {
    let (sender, chunks) = unbounded();
    let chunks = Arc::new(Mutex::new(Some(chunks)));
    let handler = async move || {
        let chunks = chunks.lock().await.take().unwrap();
        let response = Response::builder();
        let response = length.into_iter().fold(response, |response, length| response.header("content-length", length));
        response.body(Body::from_stream(annotated(chunks))).unwrap()
    };
    (App::start(Router::new().route("/", get(handler))).await, sender)
}

/// A stream that checks in each poll that the segment is current.
fn annotated(chunks: UnboundedReceiver<Chunk>) -> impl Stream<Item = Chunk> {
    chunks.inspect(|_| xray::current().annotate("streamed", true))
}

#[tokio::test]
async fn a_stream_keeps_the_segment_open() {
    let (app, chunks) = streaming(None).await;
    let mut response = reqwest::get(app.url("/")).await.unwrap();
    for _ in 0..3 {
        chunks.unbounded_send(Ok("abc")).unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "abc");
        assert!(app.ended().is_empty());
    }
    drop(chunks);
    assert_eq!(response.chunk().await.unwrap(), None);
    let document = app.document().await;
    assert_eq!((status(&document), content_length(&document)), (Some(200), None));
    assert!(!document.fault && !is_cancelled(&document), "{document:#?}");
    assert_eq!(document.annotations["streamed"], true.into());
}

/// The server does not poll the body beyond the announced length, so only the length shows the end.
#[tokio::test]
async fn a_stream_of_a_known_length_ends_with_its_last_byte() {
    let (app, chunks) = streaming(Some(6)).await;
    let mut response = reqwest::get(app.url("/")).await.unwrap();
    for _ in 0..2 {
        chunks.unbounded_send(Ok("abc")).unwrap();
        assert_eq!(response.chunk().await.unwrap().unwrap(), "abc");
    }
    let document = app.document().await;
    assert_eq!(content_length(&document), Some(6));
    assert!(!document.fault && !is_cancelled(&document), "{document:#?}");
}

#[tokio::test]
async fn an_error_of_the_body_is_a_fault() {
    let (app, chunks) = streaming(None).await;
    let mut response = reqwest::get(app.url("/")).await.unwrap();
    chunks.unbounded_send(Ok("abc")).unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "abc");
    chunks.unbounded_send(Err(io::Error::other("the disk is gone"))).unwrap();
    assert!(response.chunk().await.is_err());
    let document = app.document().await;
    assert!(document.fault && !is_cancelled(&document), "{document:#?}");
    let exceptions = exceptions(&document);
    assert!(exceptions.iter().any(|exception| exception.message.as_deref() == Some("the disk is gone")));
    assert_eq!(status(&document), Some(200));
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_body_has_cancelled() {
    let (app, chunks) = streaming(None).await;
    let mut response = reqwest::get(app.url("/")).await.unwrap();
    chunks.unbounded_send(Ok("abc")).unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "abc");
    drop(response);
    let document = app.document().await;
    assert!(is_cancelled(&document) && !document.fault, "{document:#?}");
    assert_eq!(status(&document), Some(200));
}

#[tokio::test]
async fn an_endless_body_is_reported_and_ends_with_its_client() {
    let endless = async || Body::from_stream(futures::stream::repeat_with(|| Ok::<_, io::Error>("x".repeat(1000))));
    let recorder = Recorder::builder().sampler(Always).in_progress_after(Duration::from_millis(50));
    let app = App::with(Router::new().route("/", get(endless)), recorder, SegmentLayer::new("todo-app")).await;
    let mut response = reqwest::get(app.url("/")).await.unwrap();
    let open = loop {
        response.chunk().await.unwrap().unwrap();
        if let Some(document) = app.ended().pop() {
            break document;
        }
    };
    assert!(open.in_progress && open.end_time.is_none() && status(&open) == Some(200), "{open:#?}");
    drop(response);
    let closed = app.document().await;
    assert!(is_cancelled(&closed) && closed.end_time.is_some(), "{closed:#?}");
    assert_eq!((closed.id, content_length(&closed)), (open.id, None));
}

#[tokio::test]
async fn a_client_that_hangs_up_before_the_response_has_cancelled() {
    let entered = Arc::new(Notify::new());
    let handler = {
        let entered = Arc::clone(&entered);
        async move || {
            entered.notify_one();
            std::future::pending::<Bytes>().await
        }
    };
    let app = App::start(Router::new().route("/", get(handler))).await;
    let call = tokio::spawn(reqwest::get(app.url("/")));
    entered.notified().await;
    call.abort();
    let document = app.document().await;
    assert!(is_cancelled(&document) && !document.fault, "{document:#?}");
    assert!(document.http.unwrap().response.is_none());
}
