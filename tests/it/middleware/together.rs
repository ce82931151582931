//! Two mechanisms on one request (layers, middleware, annotated functions): the request is recorded once.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};

use http::{Extensions, Request, Response};
use hyper::body::Incoming;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use tower::retry::{Policy, RetryLayer};
use tower::util::BoxCloneService;
use tower::{BoxError, Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};
use xray::reqwest_middleware::SubsegmentMiddleware;
use xray::tower::SubsegmentLayer;
use xray::{Document, Instrument as _};

use super::segments::{INCOMING, exceptions, sampled, unsampled};
use crate::hyper_client::{Body, client, request};
use support::documents::capture;
use support::subsegments::{only_call, status};
use support::{Seen, Server};

const ATTEMPTS: usize = 3;

/// A retry policy: sends a request again while the response is 503.
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

/// A middleware of the user's own that opens a subsegment.
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

type Boxed = BoxCloneService<Request<Body>, Response<()>, BoxError>;

/// Boxes a client, and removes the body of its response.
fn boxed<S, R>(service: S) -> Boxed
where
    S: Service<Request<Body>, Response = Response<R>, Error: Into<BoxError>, Future: Send> + Clone + Send + 'static,
    R: 'static,
{
    let head = |response: Response<R>| response.map(drop);
    BoxCloneService::new(ServiceBuilder::new().map_err(Into::into).map_response(head).service(service))
}

/// Returns stacks of layers, each with the number of subsegments that a request of a plain function makes. In an
/// annotated function the number is always one.
fn stacks() -> Vec<(&'static str, Boxed, usize)> {
    let layer = || SubsegmentLayer::new();
    let retry = || RetryLayer::new(Again(ATTEMPTS));
    let stack = ServiceBuilder::new;
    vec![
        ("layer", boxed(stack().layer(layer()).service(client())), 1),
        ("layer, layer", boxed(stack().layer(layer()).layer(layer()).service(client())), 1),
        ("retry, layer", boxed(stack().layer(retry()).layer(layer()).service(client())), ATTEMPTS),
        ("layer, retry", boxed(stack().layer(layer()).layer(retry()).service(client())), 1),
        ("layer, retry, layer", boxed(stack().layer(layer()).layer(retry()).layer(layer()).service(client())), 1),
        (
            "retry, layer, layer",
            boxed(stack().layer(retry()).layer(layer()).layer(layer()).service(client())),
            ATTEMPTS,
        ),
    ]
}

/// Like [`stacks`], with middleware of reqwest-middleware.
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

/// Retries `/status/503` once, and no other path.
fn attempts(stack: &str, path: &str) -> usize {
    let is_again = stack.contains("retry") || stack.contains("again");
    if is_again && path == "/status/503" { ATTEMPTS } else { 1 }
}

/// Checks the requests that reached the server: their number, that each has one header which names a call, and that
/// each call is named.
fn check(what: &str, server: &Server, documents: &[Document], requests: usize, calls: usize) {
    assert_eq!(documents.len(), 1, "{what}");
    let recorded: Vec<_> = documents[0].subsegments.iter().filter(|part| part.namespace.is_some()).collect();
    assert_eq!(recorded.len(), calls, "{what}: {documents:#?}");
    assert!(recorded.iter().all(|call| call.metadata.is_empty() && status(call).is_some()), "{what}: {documents:#?}");
    let parts = documents[0].subsegments.iter().filter(|part| part.namespace.is_none());
    assert!(parts.flat_map(|part| &part.subsegments).next().is_none(), "{what}: {documents:#?}");
    let headers: Vec<_> = server.take_seen().iter().map(Seen::trace_header).collect();
    assert_eq!(headers.len(), requests, "{what}");
    for header in &headers {
        assert_eq!(header.root, documents[0].trace_id, "{what}");
        assert!(recorded.iter().any(|call| header.parent == Some(call.id)), "{what}: {headers:?} {documents:#?}");
    }
    for call in recorded {
        assert!(headers.iter().any(|header| header.parent == Some(call.id)), "{what}: {headers:?} {documents:#?}");
    }
}

/// A handler that forwards the header of the incoming request, as a proxy does.
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

#[xray::traced_http]
async fn skipped_reqwest(client: &ClientWithMiddleware, request: reqwest::Request) -> reqwest_middleware::Result<u16> {
    #[xray(skip)]
    let response = client.execute(request).await?;
    Ok(response.status().as_u16())
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

                let work = skipped_reqwest(&client, request()).in_segment(sampled());
                let (_, documents) = capture(work).await;
                check(&format!("skipped, {what}"), &server, &documents, attempts, calls.min(attempts));

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

/// A queue that keeps a request with its headers, and sends it later.
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
    let first: [Boxed; 2] = [boxed(SubsegmentLayer::new().layer(failing.clone())), boxed(failing)];
    for (is_layered, first) in [true, false].into_iter().zip(first) {
        let second = boxed(SubsegmentLayer::new().layer(client()));
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

/// An annotated function passes its request to a queue, and a worker with a layer sends the request later.
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
