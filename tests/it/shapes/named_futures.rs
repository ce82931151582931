//! Named future types of clients: in signatures, in variables, and inside the futures of middleware.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use http::{Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error, ResponseFuture};
use hyper_util::rt::TokioExecutor;
use tower::Service;

use super::traced_http;
use crate::shapes::run::{Run, recorded, unrecorded};

type Body = Empty<Bytes>;
type HyperClient = Client<HttpConnector, Body>;

fn request(url: &str) -> Request<Body> {
    Request::get(url).body(Empty::new()).unwrap()
}

/// Middleware that returns the inner future.
#[derive(Clone)]
struct Passes<S>(S);

impl<S: Service<Request<Body>>> Service<Request<Body>> for Passes<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    #[traced_http]
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

/// Middleware with its own future type.
struct Counts<S>(S, u32);

struct CountsFuture<F> {
    future: Pin<Box<F>>,
}

impl<F> CountsFuture<F> {
    fn new(future: F) -> Self {
        Self { future: Box::pin(future) }
    }
}

impl<F: Future> Future for CountsFuture<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.future.as_mut().poll(context)
    }
}

impl<S: Service<Request<Body>>> Service<Request<Body>> for Counts<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = CountsFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    #[traced_http]
    fn call(&mut self, request: Request<Body>) -> <Self as Service<Request<Body>>>::Future {
        self.1 += 1;
        CountsFuture { future: Box::pin(self.0.call(request)) }
    }
}

/// Middleware with a boxed future. Its call is traced.
struct Boxes<S>(S);

impl<S> Service<Request<Body>> for Boxes<S>
where
    S: Service<Request<Body>, Response = Response<Incoming>, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    #[traced_http]
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let future = self.0.call(request);
        Box::pin(async move { future.await })
    }
}

#[traced_http]
fn returned(client: &HyperClient, url: &str) -> ResponseFuture {
    client.request(request(url))
}

#[traced_http]
fn returned_of_a_client(client: &HyperClient, uri: Uri) -> Result<ResponseFuture, ()> {
    Ok(client.get(uri))
}

#[traced_http]
fn returned_in_a_box(client: &HyperClient, url: &str) -> BoxFuture<'static, Result<Response<Incoming>, Error>> {
    client.request(request(url)).boxed()
}

#[traced_http]
async fn in_variables(client: &HyperClient, url: &str) -> u16 {
    let first: ResponseFuture = client.request(request(url));
    let mut all: FuturesUnordered<ResponseFuture> = FuturesUnordered::new();
    all.push(client.request(request(url)));
    client.request(request(url)).await.unwrap();
    let second = all.next().await.unwrap();
    first.await.unwrap().status().as_u16() + second.unwrap().status().as_u16()
}

#[traced_http]
async fn in_closures(client: &HyperClient, url: &str) -> u16 {
    let start = |url| -> ResponseFuture { client.request(request(url)) };
    start(url).await.unwrap().status().as_u16()
}

/// Keeps a future whose name stands in a field alone.
struct Keeps {
    client: HyperClient,
    sent: Option<CountsFuture<ResponseFuture>>,
}

impl Keeps {
    #[traced_http]
    fn by_a_function(&mut self, url: &str) {
        self.sent = Some(CountsFuture::new(self.client.request(request(url))));
    }

    #[traced_http]
    fn by_its_fields(&mut self, url: &str) {
        let future = self.client.request(request(url));
        self.sent = Some(CountsFuture { future: Box::pin(future) });
    }
}

/// A hand-written future that holds the client's future.
struct Sends<'a> {
    client: &'a HyperClient,
    request: Option<Request<Body>>,
    sent: Option<ResponseFuture>,
}

impl Future for Sends<'_> {
    type Output = Result<Response<Incoming>, Error>;

    #[traced_http]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(request) = self.request.take() {
            let sent = self.client.request(request);
            self.sent = Some(sent);
        }
        self.sent.as_mut().unwrap().poll_unpin(context)
    }
}

enum State {
    Begun(ResponseFuture),
    Over,
}

#[traced_http]
async fn in_an_enum(client: &HyperClient, url: &str) -> u16 {
    let mut state = State::Begun({
        #[xray(skip)]
        client.request(request(url))
    });
    let mut status = 0;
    while let State::Begun(future) = state {
        status += future.await.unwrap().status().as_u16();
        state = State::Over;
    }
    status
}

#[tokio::test]
async fn named_futures() {
    let run = Run::start(super::IS_TRACED).await;
    let client: &HyperClient = &Client::builder(TokioExecutor::new()).build_http();
    let url = &run.url("/bytes/1");
    let (seen, unseen) = (&[recorded("GET /bytes/1")], &[unrecorded("GET /bytes/1")]);
    let status = |answer: Result<Response<Incoming>, Error>| answer.unwrap().status().as_u16();

    let work = async { status(Passes(client.clone()).call(request(url)).await) };
    run.check_calls("Passes", work, 200, unseen).await;
    let work = async { status(Counts(Passes(client), 0).call(request(url)).await) };
    run.check_calls("Counts", work, 200, unseen).await;
    let work = async { status(Boxes(client.clone()).call(request(url)).await) };
    run.check_calls("Boxes", work, 200, seen).await;
    run.check_calls("returned", async { status(returned(client, url).await) }, 200, unseen).await;
    let uri: Uri = url.parse().unwrap();
    let work = async { status(returned_of_a_client(client, uri).unwrap().await) };
    run.check_calls("returned_of_a_client", work, 200, unseen).await;
    run.check_calls("returned_in_a_box", async { status(returned_in_a_box(client, url).await) }, 200, seen).await;
    run.check_calls("in_variables", in_variables(client, url), 400, &[unseen[0], unseen[0], seen[0]]).await;
    run.check_calls("in_closures", in_closures(client, url), 200, unseen).await;
    let work = async { status(Sends { client, request: Some(request(url)), sent: None }.await) };
    run.check_calls("Sends", work, 200, unseen).await;
    let work = async {
        let mut keeps = Keeps { client: client.clone(), sent: None };
        keeps.by_a_function(url);
        let first = status(keeps.sent.take().unwrap().await);
        keeps.by_its_fields(url);
        first + status(keeps.sent.take().unwrap().await)
    };
    run.check_calls("Keeps", work, 400, &[unseen[0]; 2]).await;
    run.check_calls("in_an_enum", in_an_enum(client, url), 200, unseen).await;
}
