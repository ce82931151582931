//! The layer on plain tower services.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Ready;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{FutureExt as _, stream};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use support::outer::Outer;
use tower::{BoxError, Layer as _, Service as _, ServiceExt as _, service_fn};
use xray::tower::{SegmentLayer, SegmentService};
use xray::{Instrument as _, Recorder};

use super::app::request;
use support::documents::capture;
use support::subsegments::{content_length, exceptions, is_cancelled, status};

fn get(uri: &str) -> Request<()> {
    Request::get(uri).body(()).unwrap()
}

/// A body of these frames, with a size hint that the test chooses.
struct Frames(VecDeque<Frame<Bytes>>, SizeHint);

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.1
    }
}

#[tokio::test]
async fn frames_trailers_and_sizes_are_the_bodys_own() {
    let service = service_fn(async |_: Request<()>| {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", 0.into());
        let frames = [Frame::data(Bytes::from_static(b"abc")), Frame::trailers(trailers)];
        let mut size = SizeHint::new();
        size.set_lower(2);
        size.set_upper(9);
        Ok::<_, BoxError>(Response::new(Frames(frames.into(), size)))
    });
    let service = SegmentLayer::new("todo-app").layer(service);
    let (ended, documents) = capture(async {
        let response = service.oneshot(get("https://h/a")).await.unwrap();
        let body = response.into_body();
        assert_eq!((body.size_hint().lower(), body.size_hint().upper()), (2, Some(9)));
        assert!(!body.is_end_stream());
        let collected = body.collect().await.unwrap();
        assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
        collected.to_bytes()
    })
    .await;
    assert_eq!(ended, "abc");
    assert_eq!((documents.len(), status(&documents[0]), content_length(&documents[0])), (1, Some(200), None));
    assert_eq!(request(&documents[0]).url.as_deref(), Some("https://h/a"));
    assert!(!is_cancelled(&documents[0]));
}

#[tokio::test]
async fn an_empty_body_ends_at_once_and_a_full_one_with_its_last_frame() {
    let layer = SegmentLayer::new("todo-app");
    let service = layer.layer(service_fn(async |request: Request<()>| {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(request.uri().path()[1..].to_owned())))
    }));
    let (body, documents) = capture(service.clone().oneshot(get("/"))).await;
    assert_eq!(
        (documents.len(), is_cancelled(&documents[0])),
        (1, false),
        "the segment is open before the body is polled"
    );
    drop(body);

    let (body, documents) = capture(service.clone().oneshot(get("/abc"))).await;
    assert!(documents.is_empty(), "the segment is open while the body is unfinished");
    drop(body);

    let (_, documents) = capture(async {
        let mut body = service.clone().oneshot(get("/abc")).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        body
    })
    .await;
    assert_eq!(
        (documents.len(), is_cancelled(&documents[0])),
        (1, false),
        "the segment ends with the last byte, without another poll"
    );
    assert_eq!(content_length(&documents[0]), Some(3));

    let ((), documents) = capture(async { drop(service.clone().oneshot(get("/abc")).await) }).await;
    assert!(is_cancelled(&documents[0]));

    let mut head = get("/abc");
    *head.method_mut() = Method::HEAD;
    let ((), documents) = capture(async { drop(service.oneshot(head).await) }).await;
    assert_eq!((documents.len(), is_cancelled(&documents[0])), (1, false));
}

#[tokio::test]
async fn a_stream_of_the_stated_length_zero_ends_at_once() {
    let service = SegmentLayer::new("todo-app").layer(service_fn(async |_: Request<()>| {
        let response = Response::builder().status(302).header("content-length", "0");
        Ok::<_, Infallible>(response.body(StreamBody::new(stream::empty::<Result<Frame<Bytes>, BoxError>>())).unwrap())
    }));
    let ((), documents) = capture(async { drop(service.oneshot(get("/")).await) }).await;
    assert_eq!((documents.len(), is_cancelled(&documents[0])), (1, false));
}

#[tokio::test]
async fn an_error_of_the_service_is_a_fault_with_its_sources() {
    let fail = || Err::<Response<String>, _>(Outer(io::Error::other("inner")));
    let plain = SegmentLayer::new("todo-app").layer(service_fn(async |_: Request<()>| fail()));
    let boxed = SegmentLayer::new("todo-app").layer(service_fn(async |_: Request<()>| fail().map_err(BoxError::from)));
    let work = async {
        assert_eq!(plain.oneshot(get("/")).await.unwrap_err().to_string(), "outer");
        assert!(boxed.oneshot(get("/")).await.unwrap_err().is::<Outer>());
    };
    let ((), documents) = capture(work).await;
    assert_eq!(documents.len(), 2);
    for document in documents {
        let messages: Vec<_> = exceptions(&document).iter().map(|found| found.message.clone().unwrap()).collect();
        assert_eq!(messages, ["outer", "inner"]);
        assert!(document.fault && !is_cancelled(&document));
    }
}

/// A body that panics when it is polled.
struct Panicking;

impl Body for Panicking {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        panic!("in the body")
    }
}

#[tokio::test]
async fn a_panic_anywhere_is_recorded_and_goes_on() {
    let in_body = service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(Panicking)));
    let in_body = SegmentLayer::new("todo-app").layer(in_body);
    let in_call =
        service_fn(|_: Request<()>| -> Ready<Result<Response<Panicking>, BoxError>> { panic!("in the call") });
    let mut in_call = SegmentLayer::new("todo-app").layer(in_call);
    let work = async {
        let body = in_body.oneshot(get("/")).await.unwrap().into_body();
        AssertUnwindSafe(body.collect()).catch_unwind().await.unwrap_err();
        catch_unwind(AssertUnwindSafe(|| drop(in_call.call(get("/"))))).unwrap_err();
    };
    let ((), documents) = capture(work).await;
    assert_eq!(documents.len(), 2);
    for (document, (message, answered)) in documents.iter().zip([("in the body", Some(200)), ("in the call", None)]) {
        assert_eq!(exceptions(document)[0].message.as_deref(), Some(message));
        assert!(document.fault && !is_cancelled(document), "{document:#?}");
        assert_eq!(document.http.as_ref().unwrap().response.and_then(|response| response.status), answered);
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_has_cancelled() {
    let service = service_fn(async |_: Request<()>| std::future::pending::<Result<Response<String>, BoxError>>().await);
    let mut service = SegmentLayer::new("todo-app").layer(service);
    let ((), documents) = capture(async {
        drop(service.call(get("/unpolled")));
        assert!(futures::poll!(Box::pin(service.call(get("/polled")))).is_pending());
    })
    .await;
    assert_eq!(documents.len(), 2);
    assert!(documents.iter().all(is_cancelled));
}

#[tokio::test]
async fn the_peer_may_be_an_extension() {
    let service = service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(String::new())));
    let service = SegmentLayer::new("todo-app").layer(service);
    let mut call = get("/");
    call.extensions_mut().insert("192.0.2.1:80".parse::<SocketAddr>().unwrap());
    let (_, documents) = capture(service.oneshot(call)).await;
    assert_eq!(request(&documents[0]).client_ip.as_deref(), Some("192.0.2.1"));
}

/// The layer keeps the bounds and the readiness of a service.
#[test]
fn bounds_are_the_services_own() {
    fn bounds<T: Clone + Send + Sync + 'static>(_: &T) {}
    fn layered<S>(service: S) -> SegmentService<S> {
        SegmentLayer::new("todo-app").layer(service)
    }
    bounds(&layered(()));
    bounds(&SegmentLayer::<xray::tower::Plain>::new("todo-app"));
}

#[tokio::test]
async fn disabled_it_leaves_alone_what_is_current() {
    let recorder = Recorder::builder().enabled(false).build();
    let service = service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(format!("{:?}", xray::trace_id().map(|id| id.to_string()))))
    });
    let service = SegmentLayer::new("inner").recorder(&recorder).layer(service);
    let (response, documents) = capture(service.oneshot(get("/")).in_segment("outer")).await;
    let trace_id = documents[0].trace_id.map(|id| id.to_string());
    assert_eq!(response.unwrap().into_body().collect().await.unwrap().to_bytes(), format!("{trace_id:?}"));
    assert_eq!((documents.len(), documents[0].name.as_str()), (1, "outer"));
}
