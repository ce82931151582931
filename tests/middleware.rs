//! The tower layer and the reqwest middleware, alone, and where two mechanisms meet on one request.
#![cfg(all(feature = "tower", feature = "reqwest-middleware"))]

mod support;

use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, pending, ready};
use std::io;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::FutureExt as _;
use http::{Extensions, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use support::documents::capture;
use support::{Server, refused_url};
use tower::retry::{Policy, RetryLayer};
use tower::util::BoxCloneService;
use tower::{BoxError, Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};
use xray::http::Call;
use xray::reqwest_middleware::SubsegmentMiddleware;
use xray::tower::{Plain, ServiceError, SubsegmentLayer, SubsegmentService};
use xray::{Cause, Document, Exception, Instrument as _, Namespace, Segment, SegmentBuilder, TraceHeader};

type Body = Full<Bytes>;
type Client = legacy::Client<HttpConnector, Body>;

const INCOMING: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const ATTEMPTS: usize = 3;

fn client() -> Client {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

fn request(url: &str) -> Request<Body> {
    Request::builder().uri(url).body(Body::default()).unwrap()
}

fn sampled() -> SegmentBuilder {
    Segment::builder("t").trace_header(&TraceHeader::parse(INCOMING))
}

fn unsampled() -> SegmentBuilder {
    Segment::builder("t").trace_header(&TraceHeader::parse(&INCOMING.replace("Sampled=1", "Sampled=0")))
}

/// The only subsegment of the only document.
fn only_call(documents: &[Document]) -> &Document {
    assert_eq!(documents.len(), 1, "{documents:#?}");
    assert_eq!(documents[0].subsegments.len(), 1, "{documents:#?}");
    &documents[0].subsegments[0]
}

fn url(call: &Document) -> &str {
    call.http.as_ref().unwrap().request.as_ref().unwrap().url.as_deref().unwrap()
}

fn status(call: &Document) -> Option<u16> {
    call.http.as_ref().unwrap().response.and_then(|response| response.status)
}

fn exceptions(call: &Document) -> &[Exception] {
    match &call.cause {
        Some(Cause::Exceptions(cause)) if call.fault => &cause.exceptions,
        _ => panic!("{call:#?}"),
    }
}

// The layer alone.

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

/// What a service is stays what it is.
#[tokio::test]
async fn readiness_types_and_bounds_are_the_services_own() {
    /// Ready once for each call, as tower's `Buffer`: neither `Clone` nor forgiving.
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

    /// A field names it without a parameter.
    struct Api(SubsegmentService<Client>);

    fn is_unpin_and_send(future: impl Future + Unpin + Send) -> impl Future {
        future
    }

    fn is_send_clone_and_unpin(_: &(impl Clone + Send + Sync + Unpin)) {}

    let mut service = SubsegmentLayer::new().layer(Strict(false));
    let work = async {
        for _ in 0..2 {
            let request = Request::get("http://names.example.com/").body("body").unwrap();
            let answer: Result<Response<Vec<u8>>, Infallible> = service.ready().await.unwrap().call(request).await;
            assert_eq!(answer.unwrap().into_body(), [1]);
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
        SubsegmentLayer::new().layer(service).oneshot(request).await
    }

    let server = Server::start().await;
    let url = server.url("/status/404");
    let work = async {
        generic(client(), request(&url)).await.unwrap();
        let boxed: BoxCloneService<Request<Body>, Response<Incoming>, BoxError> = BoxCloneService::new(
            ServiceBuilder::new()
                .layer(SubsegmentLayer::new())
                .timeout(Duration::from_secs(9))
                .layer(SubsegmentLayer::new())
                .service(client()),
        );
        boxed.clone().oneshot(request(&url)).await.unwrap();
        SubsegmentLayer::new().layer(boxed).oneshot(request(&url)).await.unwrap();
        // The buffer's worker runs outside any segment.
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

    // tower's box is no `Error` itself.
    let service = service_fn(|_: Request<()>| async {
        Err::<Response<()>, BoxError>(io::Error::other(io::Error::from(io::ErrorKind::NotFound)).into())
    });
    let service = SubsegmentLayer::new().layer(service);
    let request = Request::get("http://h/").body(()).unwrap();
    let (result, documents) = capture(service.oneshot(request).in_segment("t")).await;
    assert!(result.unwrap_err().downcast::<io::Error>().is_ok(), "the caller's error is untouched");
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
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    let [cancelled, panicked] = &documents[0].subsegments[..] else { panic!("{documents:#?}") };
    assert_eq!((cancelled.name.as_str(), &cancelled.metadata["xray"]["cancelled"]), ("cancelled", &true.into()));
    assert_eq!(exceptions(panicked)[0].message.as_deref(), Some("no way"));
    assert!(panicked.metadata.is_empty());
}

// The middleware alone.

#[tokio::test]
async fn a_request_of_the_middleware_is_a_subsegment_and_carries_its_id() {
    let server = Server::start().await;
    let client = ClientBuilder::new(reqwest::Client::new()).with(SubsegmentMiddleware::new()).build();
    let work = client.get(server.url("/bytes/5?token=secret")).header("x-amzn-trace-id", "Root=mine").send();
    let (response, documents) = capture(work.in_segment(sampled())).await;
    let call = only_call(&documents);
    assert_eq!((call.name.as_str(), call.namespace), ("127.0.0.1", Some(Namespace::Remote)));
    assert_eq!((url(call), status(call)), (server.url("/bytes/5").as_str(), Some(200)));
    assert_eq!(call.http.as_ref().unwrap().response.unwrap().content_length, Some(5));
    let expected = format!("Root=1-5759e988-bd862e3fe1be46a994272793;Parent={};Sampled=1", call.id);
    assert_eq!(server.take_seen()[0].trace_headers(), [expected]);
    assert_eq!(response.unwrap().text().await.unwrap(), "xxxxx");
}

/// Lets nothing through.
struct Refusing;

#[async_trait::async_trait]
impl Middleware for Refusing {
    async fn handle(
        &self,
        _: reqwest::Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let source = io::Error::from(io::ErrorKind::NotFound);
        Err(reqwest_middleware::Error::middleware(io::Error::other(Sourced(source))))
    }
}

/// An error with a source.
#[derive(Debug)]
struct Sourced(io::Error);

impl std::fmt::Display for Sourced {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("refused here")
    }
}

impl Error for Sourced {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn an_error_of_the_middlewares_client_or_of_another_middleware_is_the_cause() {
    let refused = format!("{}p?token=secret", refused_url());
    let client = ClientBuilder::new(reqwest::Client::new()).with(SubsegmentMiddleware::new()).build();
    let (result, documents) = capture(client.get(&refused).send().in_segment("t")).await;
    assert!(result.unwrap_err().is_connect());
    let causes = exceptions(only_call(&documents));
    assert_eq!(causes[0].kind.as_deref(), Some("reqwest_middleware::error::Error"));
    assert_eq!(causes.last().unwrap().kind.as_deref(), Some("std::io::error::Error"), "{causes:#?}");
    assert!(!serde_json::to_string(&documents).unwrap().contains("secret"));

    let client = ClientBuilder::new(reqwest::Client::new()).with(SubsegmentMiddleware::new()).with(Refusing).build();
    let (result, documents) = capture(client.get(&refused).send().in_segment("t")).await;
    assert!(result.unwrap_err().is_middleware());
    let causes = exceptions(only_call(&documents));
    let messages: Vec<_> = causes.iter().map(|cause| cause.message.as_deref().unwrap()).collect();
    assert_eq!(messages, ["refused here", "entity not found"]);
}

#[tokio::test]
async fn a_cancelled_request_of_the_middleware_is_marked() {
    let server = Server::start().await;
    let client = ClientBuilder::new(reqwest::Client::new()).with(SubsegmentMiddleware::new()).build();
    let url = server.url("/slow/10000");
    let work = async { tokio::time::timeout(Duration::from_millis(50), client.get(&url).send()).await.is_err() };
    let (is_late, documents) = capture(work.in_segment("t")).await;
    assert!(is_late);
    assert_eq!(only_call(&documents).metadata["xray"]["cancelled"], true);
}

// Where mechanisms meet.

/// Sends a request again while the answer is 503.
#[derive(Clone)]
struct Again(usize);

impl<B: Clone, R, E> Policy<Request<B>, Response<R>, E> for Again {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Request<B>, answer: &mut Result<Response<R>, E>) -> Option<Ready<()>> {
        let is_again = self.0 > 1 && answer.as_ref().is_ok_and(|response| response.status() == 503);
        self.0 -= 1;
        is_again.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}

#[async_trait::async_trait]
impl Middleware for Again {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        for _ in 1..self.0 {
            let response = next.clone().run(request.try_clone().unwrap(), extensions).await?;
            if response.status() != 503 {
                return Ok(response);
            }
        }
        next.run(request, extensions).await
    }
}

/// What happens in it is below a subsegment of the user's own.
struct InSubsegment;

#[async_trait::async_trait]
impl Middleware for InSubsegment {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        next.run(request, extensions).in_subsegment("part").await
    }
}

type Boxed = BoxCloneService<Request<Body>, Response<Incoming>, BoxError>;

/// Stacks of layers, and how many subsegments one request of a plain function makes in each; in an annotated function
/// it is always one.
fn stacks() -> Vec<(&'static str, Boxed, usize)> {
    let layer = || SubsegmentLayer::new();
    let retry = || RetryLayer::new(Again(ATTEMPTS));
    let stack = || ServiceBuilder::new().map_err(BoxError::from);
    vec![
        ("layer", BoxCloneService::new(stack().layer(layer()).service(client())), 1),
        ("layer, layer", BoxCloneService::new(stack().layer(layer()).layer(layer()).service(client())), 1),
        ("retry, layer", BoxCloneService::new(stack().layer(retry()).layer(layer()).service(client())), ATTEMPTS),
        ("layer, retry", BoxCloneService::new(stack().layer(layer()).layer(retry()).service(client())), 1),
        (
            "layer, retry, layer",
            BoxCloneService::new(stack().layer(layer()).layer(retry()).layer(layer()).service(client())),
            1,
        ),
        (
            "retry, layer, layer",
            BoxCloneService::new(stack().layer(retry()).layer(layer()).layer(layer()).service(client())),
            ATTEMPTS,
        ),
    ]
}

/// The same with middlewares.
fn middlewares() -> Vec<(&'static str, ClientWithMiddleware, usize)> {
    let builder = || ClientBuilder::new(reqwest::Client::new());
    let ours = SubsegmentMiddleware::new();
    vec![
        ("ours", builder().with(ours).build(), 1),
        ("ours, ours", builder().with(ours).with(ours).build(), 1),
        ("again, ours", builder().with(Again(ATTEMPTS)).with(ours).build(), ATTEMPTS),
        ("ours, again", builder().with(ours).with(Again(ATTEMPTS)).build(), 1),
        ("ours, again, ours", builder().with(ours).with(Again(ATTEMPTS)).with(ours).build(), 1),
        ("ours, part, ours", builder().with(ours).with(InSubsegment).with(ours).build(), 1),
    ]
}

/// `/status/503` is tried again, everything else is not.
fn attempts(stack: &str, path: &str) -> usize {
    let is_again = stack.contains("retry") || stack.contains("again");
    if is_again && path == "/status/503" { ATTEMPTS } else { 1 }
}

/// Checks what reached the server: so many requests, each with one header that names one of so many calls, and each
/// call named.
fn check(what: &str, server: &Server, documents: &[Document], requests: usize, calls: usize) {
    assert_eq!(documents.len(), 1, "{what}");
    let recorded: Vec<_> = documents[0].subsegments.iter().filter(|part| part.namespace.is_some()).collect();
    assert_eq!(recorded.len(), calls, "{what}: {documents:#?}");
    assert!(recorded.iter().all(|call| call.metadata.is_empty() && status(call).is_some()), "{what}: {documents:#?}");
    let parts = documents[0].subsegments.iter().filter(|part| part.namespace.is_none());
    assert!(parts.flat_map(|part| &part.subsegments).next().is_none(), "{what}: {documents:#?}");
    let headers: Vec<_> = server.take_seen().iter().map(support::Seen::trace_header).collect();
    assert_eq!(headers.len(), requests, "{what}");
    for header in &headers {
        assert_eq!(header.root, documents[0].trace_id, "{what}");
        assert!(recorded.iter().any(|call| header.parent == Some(call.id)), "{what}: {headers:?} {documents:#?}");
    }
    for call in recorded {
        assert!(headers.iter().any(|header| header.parent == Some(call.id)), "{what}: {headers:?} {documents:#?}");
    }
}

/// Forwards the header of the incoming request, as a proxy does.
fn forwarding(mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().insert(xray::TRACE_HEADER_NAME, INCOMING.parse().unwrap());
    request
}

async fn plain(service: Boxed, request: Request<Body>) -> Result<u16, BoxError> {
    Ok(service.oneshot(request).await?.status().as_u16())
}

#[xray::traced_http]
async fn annotated(service: Boxed, request: Request<Body>) -> Result<u16, BoxError> {
    Ok(service.oneshot(request).await?.status().as_u16())
}

async fn plain_reqwest(client: &ClientWithMiddleware, request: reqwest::Request) -> reqwest_middleware::Result<u16> {
    Ok(client.execute(request).await?.status().as_u16())
}

#[xray::traced_http]
async fn annotated_reqwest(
    client: &ClientWithMiddleware,
    request: reqwest::Request,
) -> reqwest_middleware::Result<u16> {
    Ok(client.execute(request).await?.status().as_u16())
}

#[tokio::test]
async fn however_many_layers_one_request_is_one_subsegment() {
    let server = Server::start().await;
    for path in ["/status/200", "/status/503"] {
        for (stack, service, calls) in stacks() {
            let what = format!("{stack} to {path}");
            let attempts = attempts(stack, path);
            let request = || request(&server.url(path));
            for request in [request(), forwarding(request())] {
                let work = plain(service.clone(), request.clone()).in_segment(sampled());
                let (status, documents) = capture(work).await;
                assert_eq!(format!("/status/{}", status.unwrap()), path);
                check(&what, &server, &documents, attempts, calls.min(attempts));

                let work = annotated(service.clone(), request).in_segment(sampled());
                let (_, documents) = capture(work).await;
                check(&format!("annotated, {what}"), &server, &documents, attempts, 1);
            }
            for is_annotated in [false, true] {
                let (service, request) = (service.clone(), forwarding(request()));
                let work = async {
                    if is_annotated { annotated(service, request).await } else { plain(service, request).await }
                };
                let (_, documents) = capture(work.in_segment(unsampled())).await;
                assert!(documents.is_empty(), "{what}");
                check_unsampled(&what, &server, attempts);
            }
        }
    }
}

#[tokio::test]
async fn however_many_middlewares_one_request_is_one_subsegment() {
    let server = Server::start().await;
    for path in ["/status/200", "/status/503"] {
        for (stack, client, calls) in middlewares() {
            let what = format!("{stack} to {path}");
            let attempts = attempts(stack, path);
            let request = || client.get(server.url(path)).build().unwrap();
            for header in [None, Some(INCOMING)] {
                let request = || {
                    let mut request = request();
                    request.headers_mut().extend(header.map(|value| (xray::TRACE_HEADER_NAME, value.parse().unwrap())));
                    request
                };
                let work = plain_reqwest(&client, request()).in_segment(sampled());
                let (status, documents) = capture(work).await;
                assert_eq!(format!("/status/{}", status.unwrap()), path);
                check(&what, &server, &documents, attempts, calls.min(attempts));

                let work = annotated_reqwest(&client, request()).in_segment(sampled());
                let (_, documents) = capture(work).await;
                check(&format!("annotated, {what}"), &server, &documents, attempts, 1);

                let work = async {
                    plain_reqwest(&client, request()).await.unwrap();
                    annotated_reqwest(&client, request()).await.unwrap();
                };
                let ((), documents) = capture(work.in_segment(unsampled())).await;
                assert!(documents.is_empty(), "{what}");
                check_unsampled(&what, &server, 2 * attempts);
            }
        }
    }
}

fn check_unsampled(what: &str, server: &Server, requests: usize) {
    let seen = server.take_seen();
    assert_eq!(seen.len(), requests, "{what}");
    for seen in seen {
        assert_eq!(seen.trace_headers(), ["Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"], "{what}");
    }
}

/// A queue keeps the request as it was to be sent, header and all; it goes out later.
#[tokio::test]
async fn a_request_that_is_sent_again_after_its_call_has_ended_is_a_call_of_its_own() {
    let server = Server::start().await;
    let kept = Arc::new(Mutex::new(None));
    let failing = {
        let kept = Arc::clone(&kept);
        service_fn(move |request: Request<Body>| {
            *kept.lock().unwrap() = Some(request);
            ready(Err::<Response<Incoming>, _>(BoxError::from("not now")))
        })
    };
    let first: [Boxed; 2] = [
        BoxCloneService::new(SubsegmentLayer::new().layer(failing.clone())),
        BoxCloneService::new(ServiceBuilder::new().map_err(BoxError::from).service(failing)),
    ];
    for (is_layered, first) in [true, false].into_iter().zip(first) {
        let second: Boxed = BoxCloneService::new(
            ServiceBuilder::new().map_err(BoxError::from).layer(SubsegmentLayer::new()).service(client()),
        );
        let work = async {
            let request = request(&server.url("/status/200"));
            let result = if is_layered { plain(first, request).await } else { annotated(first, request).await };
            assert!(result.is_err());
            let again = || kept.lock().unwrap().clone().unwrap();
            assert!(again().headers().contains_key("x-amzn-trace-id"));
            plain(second.clone(), again()).await.unwrap();
            annotated(second.clone(), again()).await.unwrap();
            async { plain(second, again()).await }.in_subsegment("part").await.unwrap();
        };
        let ((), documents) = capture(work.in_segment("t")).await;
        let [failed, again, annotated, part] = &documents[0].subsegments[..] else { panic!("{documents:#?}") };
        assert_eq!(exceptions(failed)[0].message.as_deref(), Some("not now"));
        let calls = [again, annotated, &part.subsegments[0]];
        let parents: Vec<_> = server.take_seen().iter().map(|seen| seen.trace_header().parent.unwrap()).collect();
        assert_eq!(parents, calls.map(|call| call.id));
        assert!(calls.iter().all(|call| status(call) == Some(200)));
    }
}

/// What an annotated function hands to nobody that it knows is sent later, by a worker with a layer.
#[tokio::test]
async fn a_request_whose_call_was_given_up_is_recorded_where_it_is_sent() {
    struct Queue(Mutex<Vec<Request<Body>>>);

    impl Queue {
        fn execute(&self, request: Request<Body>) {
            self.0.lock().unwrap().push(request);
        }
    }

    #[xray::traced_http]
    fn enqueue(queue: &Queue, request: Request<Body>) {
        queue.execute(request);
    }

    let server = Server::start().await;
    let queue = Queue(Mutex::default());
    let work = async {
        enqueue(&queue, request(&server.url("/status/200")));
        let request = queue.0.lock().unwrap().pop().unwrap();
        SubsegmentLayer::new().layer(client()).oneshot(request).await.unwrap();
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    assert_eq!(server.take_seen()[0].trace_header().parent, Some(only_call(&documents).id));
}

#[tokio::test]
async fn requests_at_once_each_have_their_own() {
    let server = Server::start().await;
    let service = ServiceBuilder::new().layer(SubsegmentLayer::new()).layer(SubsegmentLayer::new()).service(client());
    let ours = SubsegmentMiddleware::new();
    let middleware = ClientBuilder::new(reqwest::Client::new()).with(ours).with(ours).build();
    let url = server.url("/slow/30");
    let work = async {
        let layered = (0..10).map(|_| service.clone().oneshot(request(&url)));
        let through_middleware = (0..10).map(|_| middleware.get(&url).send());
        let both =
            tokio::join!(futures::future::try_join_all(layered), futures::future::try_join_all(through_middleware));
        assert!(both.0.is_ok() && both.1.is_ok());
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    check("at once", &server, &documents, 20, 20);
}
