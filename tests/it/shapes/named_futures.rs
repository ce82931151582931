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

type Pending = FuturesUnordered<ResponseFuture>;

/// An alias, a function's parameter and a list name the type.
fn keep(pending: &mut Pending, future: ResponseFuture) {
    pending.push(future);
}

#[traced_http]
fn behind_an_alias(client: &HyperClient, url: &str) -> Pending {
    [request(url), request(url)].into_iter().map(|request| client.request(request)).collect()
}

#[traced_http]
async fn as_a_parameter(client: &HyperClient, url: &str) -> u16 {
    let mut pending = Pending::new();
    keep(&mut pending, client.request(request(url)));
    let future = client.request(request(url));
    keep(&mut pending, future);
    pending.push(client.get(url.parse().unwrap()));
    let all: Vec<_> = pending.collect().await;
    all.into_iter().map(|answer: Result<Response<Incoming>, Error>| answer.unwrap().status().as_u16()).sum()
}

/// A request in flight, as clickhouse's client keeps it: in a box that names the type.
struct Timed {
    future: Pin<Box<tokio::time::Timeout<ResponseFuture>>>,
}

#[traced_http]
fn in_a_named_box(client: &HyperClient, url: &str) -> Timed {
    let limit = std::time::Duration::from_secs(60);
    let future = client.request(request(url));
    Timed { future: Box::pin(tokio::time::timeout(limit, future)) }
}

#[traced_http]
fn in_a_named_result(client: &HyperClient, url: &str) -> Pin<Box<ResponseFuture>> {
    Box::pin(client.request(request(url)))
}

/// A function whose name begins like that of one that calls a closure again and again.
async fn retry_request(first: ResponseFuture) -> u16 {
    first.await.unwrap().status().as_u16()
}

#[traced_http]
async fn first_of_a_retry(client: &HyperClient, url: &str) -> u16 {
    let first = client.request(request(url));
    retry_request(first).await + retry_request(client.request(request(url))).await
}

/// Futures that stay in the function.
#[traced_http]
async fn in_variables_alone(client: &HyperClient, url: &str, flag: bool) -> u16 {
    let first = client.request(request(url));
    let mut second = client.get(url.parse().unwrap());
    let mut third = if flag { client.request(request(url)) } else { client.get(url.parse().unwrap()) };
    let mut sum = (&mut third).await.unwrap().status().as_u16();
    third = client.request(request(url));
    let fourth = Box::pin(client.request(request(url)));
    tokio::select! {
        biased;
        answer = &mut second => sum += answer.unwrap().status().as_u16(),
        () = std::future::pending() => {}
    }
    let (third, fourth) = tokio::join!(third, fourth);
    let fifth = client.request(request(url)).map(|answer| answer.unwrap().status().as_u16());
    let limit = std::time::Duration::from_secs(60);
    let first = tokio::time::timeout(limit, first).await.unwrap();
    [first, third, fourth].into_iter().map(|answer| answer.unwrap().status().as_u16()).sum::<u16>() + sum + fifth.await
}

/// A client whose future has methods of its own.
struct Pool;

impl Pool {
    fn call(&self, number: u16) -> tokio::task::JoinHandle<u16> {
        tokio::spawn(async move { number })
    }
}

/// Futures of an unknown client, on which methods are called.
#[traced_http]
async fn with_methods(pool: &Pool) -> u16 {
    let handle = pool.call(1);
    log::info!("{:?} {}", handle.id(), handle.is_finished());
    let second = pool.call(2);
    let reference = &second;
    reference.id();
    let handles = vec![pool.call(3), pool.call(4)];
    for handle in &handles {
        handle.is_finished();
    }
    let mut sum = handle.await.unwrap() + second.await.unwrap();
    for handle in handles {
        sum += handle.await.unwrap();
    }
    sum
}

/// A future that can be printed.
struct Printed(u16);

impl Future for Printed {
    type Output = u16;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u16> {
        Poll::Ready(self.0)
    }
}

impl Printed {
    fn add(mut self: Pin<&mut Self>, number: u16) {
        self.0 += number;
    }
}

impl std::fmt::Display for Printed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Pool {
    fn execute(&self, number: u16) -> Printed {
        Printed(number)
    }
}

/// Futures of an unknown client that only format strings name.
#[traced_http]
async fn in_format_strings(pool: &Pool, width: usize) -> (String, u16) {
    let printed = pool.execute(1);
    let mut text = format!("{printed:>width$}");
    let second = pool.execute(2);
    std::fmt::Write::write_fmt(&mut text, format_args!("{{}}{second}")).unwrap();
    (text, printed.await + second.await)
}

/// Futures of an unknown client that are pinned, and whose type is named or has methods of its own.
#[traced_http]
async fn pinned(pool: &Pool) -> u16 {
    let first: Pin<&mut Printed> = std::pin::pin!(pool.execute(1));
    let mut second = std::pin::pin!(pool.execute(2));
    second.as_mut().add(5);
    let third = pool.execute(3);
    let mut third = std::pin::pin!(third);
    third.as_mut().add(5);
    first.await + second.await + third.await
}

/// Lists of futures whose items stay in the function.
#[traced_http]
async fn in_lists(client: &HyperClient, url: &str) -> usize {
    let requests = || [request(url), request(url)].into_iter();
    let first = futures::future::join_all(requests().map(|request| client.request(request))).await;
    let second = futures::stream::iter(requests()).map(|request| client.request(request)).buffered(2);
    let second: Vec<_> = second.collect().await;
    let futures: Vec<_> = requests().map(|request| client.request(request)).collect();
    let third = futures::future::join_all(futures).await;
    let fourth = futures::future::join_all(vec![client.request(request(url)), client.get(url.parse().unwrap())]).await;
    let mut unordered: FuturesUnordered<_> = requests().map(|request| client.request(request)).collect();
    let mut count = 0;
    while let Some(answer) = unordered.next().await {
        count += usize::from(answer.is_ok());
    }
    let mut pushed = Vec::new();
    pushed.push(client.request(request(url)));
    pushed.push(client.get(url.parse().unwrap()));
    for future in pushed {
        count += usize::from(future.await.is_ok());
    }
    let mut ordered = futures::stream::FuturesOrdered::new();
    requests().for_each(|request| ordered.push_back(client.request(request)));
    count += ordered.count().await;
    count + [first, second, third, fourth].iter().flatten().filter(|answer| answer.is_ok()).count()
}

/// The branches of an expression have one type, so all futures are exchanged or none.
#[traced_http]
async fn in_branches(client: &HyperClient, url: &str, flag: bool) -> u16 {
    let start = |url| -> ResponseFuture { client.request(request(url)) };
    let first = if flag { start(url) } else { client.request(request(url)) }.await;
    let second = match flag {
        true => client.request(request(url)),
        false => return 0,
    };
    first.unwrap().status().as_u16() + second.await.unwrap().status().as_u16()
}

/// A client with the methods of hyper-util's, of a type that is not known.
struct Own {
    client: HyperClient,
}

impl Own {
    fn get(&self, uri: Uri) -> BoxFuture<'static, Result<Response<Incoming>, Error>> {
        Box::pin(HyperClient::get(&self.client, uri))
    }

    fn request(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Incoming>, Error>> {
        Box::pin(HyperClient::request(&self.client, request))
    }
}

#[traced_http]
async fn of_an_unknown_client(client: &Own, url: &str, flag: bool) -> u16 {
    let first = if flag { client.get(url.parse().unwrap()) } else { client.request(request(url)) };
    let mut list = Vec::new();
    list.push(client.request(request(url)));
    list.push(client.get(url.parse().unwrap()));
    let second = match flag {
        true => client.request(request(url)),
        false => client.get(url.parse().unwrap()),
    };
    let third = client.get(url.parse().unwrap());
    let list = futures::future::join_all(list).await;
    let all = [first.await, second.await, third.await].into_iter().chain(list);
    all.map(|answer| answer.unwrap().status().as_u16()).sum()
}

/// The returns of a function and of a closure have one type.
#[traced_http]
fn with_returns(
    client: &HyperClient,
    url: &str,
    flag: bool,
) -> impl Future<Output = Result<Response<Incoming>, Error>> + use<> {
    let untraced = |request| HyperClient::request(client, request);
    let choose = |request: Request<Body>| {
        if flag {
            return untraced(request);
        }
        client.request(request)
    };
    if !flag {
        return choose(request(url));
    }
    client.request(request(url))
}

#[traced_http]
fn with_traced_returns(
    client: &HyperClient,
    url: &str,
    flag: bool,
) -> impl Future<Output = Result<Response<Incoming>, Error>> + use<> {
    if !flag {
        return client.get(url.parse().unwrap());
    }
    client.request(request(url))
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
    let all = async |pending: Pending| pending.map(status).fold(0, async |sum, status| sum + status).await;
    run.check_calls("behind_an_alias", async { all(behind_an_alias(client, url)).await }, 400, &[unseen[0]; 2]).await;
    run.check_calls("as_a_parameter", as_a_parameter(client, url), 600, &[unseen[0]; 3]).await;
    let work = async { status(in_a_named_box(client, url).future.await.unwrap()) };
    run.check_calls("in_a_named_box", work, 200, unseen).await;
    run.check_calls("in_a_named_result", async { status(in_a_named_result(client, url).await) }, 200, unseen).await;
    run.check_calls("first_of_a_retry", first_of_a_retry(client, url), 400, &[unseen[0]; 2]).await;
    run.check("with_methods", with_methods(&Pool), 10).await;
    run.check("pinned", pinned(&Pool), 16).await;
    run.check("in_format_strings", in_format_strings(&Pool, 3), ("  1{}2".to_owned(), 3)).await;
    run.check_calls("in_variables_alone", in_variables_alone(client, url, true), 1200, &[seen[0]; 6]).await;
    run.check_calls("in_lists", in_lists(client, url), 14, &[seen[0]; 14]).await;
    run.check_calls("in_branches", in_branches(client, url, true), 400, &[unseen[0], seen[0]]).await;
    let own = &Own { client: client.clone() };
    let calls = [unseen[0], seen[0], unseen[0], seen[0], unseen[0]];
    run.check_calls("of_an_unknown_client", of_an_unknown_client(own, url, true), 1000, &calls).await;
    for flag in [true, false] {
        run.check_calls("with_returns", async { status(with_returns(client, url, flag).await) }, 200, unseen).await;
        let work = async { status(with_traced_returns(client, url, flag).await) };
        run.check_calls("with_traced_returns", work, 200, seen).await;
    }
}
