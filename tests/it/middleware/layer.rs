//! The tower layer alone, without any other way of tracing.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, pending, ready};
use std::io;
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::FutureExt as _;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use reqwest_middleware::ClientBuilder;
use tower::util::BoxCloneService;
use tower::{BoxError, Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};
use xray::http::Call;
use xray::reqwest_middleware::SubsegmentMiddleware;
use xray::tower::{Plain, ServiceError, SubsegmentBody, SubsegmentLayer, SubsegmentService};
use xray::{Instrument as _, Namespace};

use super::segments::{exceptions, sampled, unsampled};
use crate::hyper_client::{Body, Client, client, request};
use support::documents::capture;
use support::subsegments::{only_call, status, url};
use support::{Server, refused_url};

#[tokio::test]
async fn a_request_is_a_subsegment_and_carries_its_id() {
    let server = Server::start().await;
    let mut client = SubsegmentLayer::new().layer(client());
    let work = async {
        client.ready().await.unwrap();
        client.call(request(&server.url("/bytes/5?token=secret"))).await.unwrap()
    };
    let (response, documents) = capture(work.in_segment(sampled())).await;
    let call = only_call(&documents);
    assert_eq!((call.name.as_str(), call.namespace), ("127.0.0.1", Some(Namespace::Remote)));
    assert_eq!((url(call), status(call)), (server.url("/bytes/5").as_str(), Some(200)));
    assert_eq!(call.http.as_ref().unwrap().response.unwrap().content_length, Some(5));
    assert!(call.start_time >= documents[0].start_time && call.end_time <= documents[0].end_time);
    let expected = format!("Root=1-5759e988-bd862e3fe1be46a994272793;Parent={};Sampled=1", call.id);
    let seen = server.take_seen();
    assert_eq!(seen[0].trace_headers(), [expected]);
    assert_eq!(seen[0].uri.query(), Some("token=secret"));
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "xxxxx");
}

/// The requests of a client that tonic generates have neither an authority nor a `Host`.
#[tokio::test]
async fn a_grpc_request_without_a_host_is_named_after_its_service() {
    let service = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
    let client = SubsegmentLayer::new().layer(service);
    let request = |uri: &str, content_type: &str| {
        Request::post(uri).version(http::Version::HTTP_2).header("content-type", content_type).body(()).unwrap()
    };
    for (uri, content_type, name) in [
        ("/helloworld.Greeter/SayHello", "application/grpc", "helloworld.Greeter"),
        ("/helloworld.Greeter/SayHello", "application/grpc+proto", "helloworld.Greeter"),
        ("https://greeter.example.com/helloworld.Greeter/SayHello", "application/grpc", "greeter.example.com"),
        ("/helloworld.Greeter/SayHello", "application/json", "UNKNOWN HOST"),
        ("/SayHello", "application/grpc", "UNKNOWN HOST"),
        ("//SayHello", "application/grpc", "UNKNOWN HOST"),
    ] {
        let call = client.oneshot(request(uri, content_type));
        let (_, documents) = capture(call.in_segment(sampled())).await;
        assert_eq!(only_call(&documents).name, name, "{uri} {content_type}");
    }
}

#[tokio::test]
async fn outside_any_segment_and_unsampled_nothing_is_recorded() {
    let server = Server::start().await;
    let layered = SubsegmentLayer::new().layer(client());
    let middleware = ClientBuilder::new(reqwest::Client::new()).with(SubsegmentMiddleware::new()).build();
    let url = server.url("/bytes/1");
    let work = async || {
        layered.clone().oneshot(request(&url)).await.unwrap();
        middleware.get(&url).send().await.unwrap();
    };
    let ((), documents) = capture(work()).await;
    assert!(documents.is_empty());
    assert!(server.take_seen().iter().all(|seen| seen.trace_headers().is_empty()));
    let ((), documents) = capture(work().in_segment(unsampled())).await;
    assert!(documents.is_empty());
    let seen = server.take_seen();
    assert_eq!(seen.len(), 2);
    for seen in seen {
        assert_eq!(seen.trace_headers(), ["Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"]);
    }
}

/// The layer keeps the types, the bounds and the readiness of a service.
#[tokio::test]
async fn readiness_types_and_bounds_are_the_services_own() {
    /// Like tower's `Buffer`, a service that panics if it is called without being ready. It is not `Clone`.
    struct Strict(bool);

    impl Service<Request<&'static str>> for Strict {
        type Response = Response<Vec<u8>>;
        type Error = Infallible;
        type Future = Ready<Result<Response<Vec<u8>>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            self.0 = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<&'static str>) -> Self::Future {
            assert!(std::mem::take(&mut self.0), "called before it was ready");
            assert_eq!(*request.body(), "body");
            ready(Ok(Response::new(vec![1])))
        }
    }

    /// A struct can name the type of the service in a field.
    struct Api(SubsegmentService<Client>);

    fn is_unpin_and_send(future: impl Future + Unpin + Send) -> impl Future {
        future
    }

    fn is_send_clone_and_unpin(_: &(impl Clone + Send + Sync + Unpin)) {}

    let mut service = SubsegmentLayer::new().layer(Strict(false));
    let work = async {
        for _ in 0..2 {
            let request = Request::get("http://names.example.com/").body("body").unwrap();
            let answer: Result<Response<_>, Infallible> = service.ready().await.unwrap().call(request).await;
            assert_eq!(answer.unwrap().into_body().into_inner(), [1]);
        }
        is_unpin_and_send(SubsegmentLayer::new().layer(client()).call(request("http://127.0.0.1:1/"))).await;
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    assert_eq!(documents[0].subsegments.len(), 3);

    is_send_clone_and_unpin(&Api(SubsegmentLayer::default().layer(client())).0);
    let layer: SubsegmentLayer = SubsegmentLayer::new();
    is_send_clone_and_unpin(&layer);
}

#[tokio::test]
async fn in_stacks_in_boxes_and_in_generic_code() {
    async fn generic<S, B, R>(service: S, request: Request<B>) -> Result<Response<R>, S::Error>
    where
        S: Service<Request<B>, Response = Response<R>, Error: Error>,
    {
        let response = SubsegmentLayer::new().layer(service).oneshot(request).await?;
        Ok(response.map(SubsegmentBody::into_inner))
    }

    let server = Server::start().await;
    let url = server.url("/status/404");
    let work = async {
        generic(client(), request(&url)).await.unwrap();
        let boxed: BoxCloneService<Request<Body>, Response<Incoming>, BoxError> = BoxCloneService::new(
            ServiceBuilder::new()
                .map_response(|response: Response<SubsegmentBody<SubsegmentBody<_>>>| {
                    response.map(|body| body.into_inner().into_inner())
                })
                .layer(SubsegmentLayer::new())
                .timeout(Duration::from_secs(9))
                .layer(SubsegmentLayer::new())
                .service(client()),
        );
        boxed.clone().oneshot(request(&url)).await.unwrap();
        SubsegmentLayer::new().layer(boxed).oneshot(request(&url)).await.unwrap();
        // The worker of the buffer runs outside any segment.
        let buffered = ServiceBuilder::new().layer(SubsegmentLayer::new()).buffer(8).service(client());
        buffered.oneshot(request(&url)).await.unwrap();
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    let calls = &documents[0].subsegments;
    assert_eq!(calls.len(), 4, "{calls:#?}");
    assert!(calls.iter().all(|call| status(call) == Some(404) && call.error));
    let seen = server.take_seen();
    assert_eq!(seen.len(), 4);
    for (seen, call) in seen.iter().zip(calls) {
        assert_eq!(seen.trace_header().parent, Some(call.id));
    }
}

#[tokio::test]
async fn an_error_is_the_cause_with_its_sources_and_stays_the_callers() {
    let refused = format!("{}p?token=secret", refused_url());
    let service = SubsegmentLayer::new().layer(client());
    let (result, documents) = capture(service.oneshot(request(&refused)).in_segment("t")).await;
    assert!(legacy::Error::is_connect(&result.unwrap_err()));
    let call = only_call(&documents);
    let causes = exceptions(call);
    assert_eq!(causes[0].kind.as_deref(), Some("hyper_util::client::legacy::client::Error"));
    assert_eq!(causes.last().unwrap().kind.as_deref(), Some("std::io::error::Error"), "{causes:#?}");
    assert!(causes.windows(2).all(|pair| pair[0].cause == Some(pair[1].id)));
    assert_eq!((status(call), call.namespace), (None, Some(Namespace::Remote)));
    assert!(!serde_json::to_string(&documents).unwrap().contains("secret"));

    // `BoxError` does not implement `Error`.
    let service = service_fn(|_: Request<()>| async {
        Err::<Response<()>, BoxError>(io::Error::other(io::Error::from(io::ErrorKind::NotFound)).into())
    });
    let service = SubsegmentLayer::new().layer(service);
    let request = Request::get("http://h/").body(()).unwrap();
    let (result, documents) = capture(service.oneshot(request).in_segment("t")).await;
    assert!(result.unwrap_err().downcast::<io::Error>().is_ok(), "the caller's error is unchanged");
    let causes = exceptions(only_call(&documents));
    assert_eq!(causes[0].message.as_deref(), Some("entity not found"), "{causes:#?}");

    let slow = service_fn(|_: Request<()>| pending::<Result<Response<()>, Infallible>>());
    let service = ServiceBuilder::new().layer(SubsegmentLayer::new()).timeout(Duration::from_millis(20)).service(slow);
    let request = Request::get("http://h/").body(()).unwrap();
    let (result, documents) = capture(service.oneshot(request).in_segment("t")).await;
    assert!(result.unwrap_err().is::<tower::timeout::error::Elapsed>());
    let call = only_call(&documents);
    assert_eq!(exceptions(call)[0].message.as_deref(), Some("request timed out"));
    assert!(call.end_time.unwrap() - call.start_time >= 0.015);
}

#[tokio::test]
async fn an_error_of_any_other_form_says_itself_what_it_is() {
    #[derive(Debug)]
    struct Refused(u16);

    impl ServiceError<Plain> for Refused {
        fn record(&self, call: &mut Call) {
            call.response(self.0, None);
        }
    }

    let service = service_fn(|_: Request<()>| ready(Err::<Response<()>, _>(Refused(429))));
    let request = Request::get("http://h/").body(()).unwrap();
    let work = SubsegmentLayer::new().layer(service).oneshot(request);
    let (result, documents) = capture(work.in_segment("t")).await;
    assert_eq!(result.unwrap_err().0, 429);
    let call = only_call(&documents);
    assert_eq!((status(call), call.throttle, call.fault), (Some(429), true, false));
}

#[tokio::test]
async fn a_request_without_a_host_in_its_uri_has_the_one_of_its_header() {
    let seen = |request: Request<()>| {
        assert!(request.headers().contains_key("x-amzn-trace-id"));
        ready(Ok::<_, Infallible>(Response::new(())))
    };
    for (host, name, recorded) in [
        (Some("names.example.com:8080"), "names.example.com", "//names.example.com:8080/path"),
        (None, "UNKNOWN HOST", "/path"),
    ] {
        let mut request = Request::get("/path?secret").body(()).unwrap();
        request.headers_mut().extend(host.map(|host| (http::header::HOST, host.parse().unwrap())));
        let work = SubsegmentLayer::new().layer(service_fn(seen)).oneshot(request);
        let (_, documents) = capture(work.in_segment("t")).await;
        let call = only_call(&documents);
        assert_eq!((call.name.as_str(), url(call)), (name, recorded));
    }
    let mut request = Request::get("http://uri.example.com/").body(()).unwrap();
    request.headers_mut().insert(http::header::HOST, "header.example.com".parse().unwrap());
    let work = SubsegmentLayer::new().layer(service_fn(seen)).oneshot(request);
    let (_, documents) = capture(work.in_segment("t")).await;
    assert_eq!(only_call(&documents).name, "uri.example.com");
}

#[tokio::test]
async fn dropped_unpolled_or_panicking() {
    async fn panicking(_: Request<()>) -> Result<Response<()>, Infallible> {
        panic!("no way")
    }
    let request = |host: &str| Request::get(format!("http://{host}/")).body(()).unwrap();
    let work = async {
        let never = || SubsegmentLayer::new().layer(service_fn(|_| pending::<Result<Response<()>, Infallible>>()));
        drop(never().call(request("unpolled")));
        let mut polled = Box::pin(never().call(request("cancelled")));
        assert!(polled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(polled);
        let call = SubsegmentLayer::new().layer(service_fn(panicking)).call(request("panicked"));
        assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
        let mut grpc = request("grpc");
        grpc.headers_mut().insert(http::header::CONTENT_TYPE, "application/grpc".parse().unwrap());
        let call = SubsegmentLayer::new().layer(service_fn(panicking)).call(grpc);
        assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    let [cancelled, panicked, grpc] = &documents[0].subsegments[..] else { panic!("{documents:#?}") };
    assert_eq!((cancelled.name.as_str(), &cancelled.metadata["xray"]["cancelled"]), ("cancelled", &true.into()));
    for panicked in [panicked, grpc] {
        assert_eq!(exceptions(panicked)[0].message.as_deref(), Some("no way"));
        assert!(panicked.metadata.is_empty(), "a call that panics is not cancelled");
    }
}
