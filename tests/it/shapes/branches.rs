//! Functions with branches and lists of futures: some branches diverge, and some futures would get two types.
#![deny(unreachable_code)]

use std::future::{Future, ready};
use std::panic::UnwindSafe;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, FusedFuture, join_all};
use futures::stream::{FuturesUnordered, StreamExt as _};
use futures::{FutureExt as _, pin_mut};
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error, ResponseFuture};
use hyper_util::rt::TokioExecutor;

use super::traced_http;
use crate::shapes::run::{Run, recorded, unrecorded};

type Body = Empty<Bytes>;
type HyperClient = Client<HttpConnector, Body>;
type Answer = Result<Response<Incoming>, Error>;

fn request(url: &str) -> Request<Body> {
    Request::get(url).body(Empty::new()).unwrap()
}

fn status(answer: Answer) -> u16 {
    answer.unwrap().status().as_u16()
}

#[traced_http]
async fn beside_a_macro(client: &HyperClient, url: &str, choice: u8) -> u16 {
    let first = match choice {
        0 | 1 => client.request(request(url)),
        _ => unreachable!("{choice}"),
    };
    let second = match choice {
        1 => client.request(request(url)),
        _ => panic!("not {choice}"),
    }
    .await;
    status(first.await) + status(second)
}

#[traced_http]
async fn beside_a_return(client: &HyperClient, url: &str, choice: u8) -> Option<u16> {
    let first = match choice {
        1 => client.request(request(url)),
        other => {
            print!("{other}");
            return None;
        }
    }
    .await;
    let second = if choice == 1 {
        client.request(request(url))
    } else {
        return None;
    }
    .await;
    let mut all = Vec::new();
    for turn in 0..2 {
        let answer = if turn == 0 { client.request(request(url)) } else { break };
        all.push(status(answer.await));
    }
    Some(status(first) + status(second) + all.iter().sum::<u16>())
}

/// Each side of an `Either` has its own type.
#[traced_http]
async fn in_an_either(client: &HyperClient, url: &str, flag: bool) -> u16 {
    let first = match flag {
        true => client.request(request(url)).map(status).left_future(),
        false => ready(0).right_future(),
    };
    let second =
        if flag { client.request(request(url)).left_future() } else { client.get(url.parse().unwrap()).right_future() };
    first.await + status(second.await)
}

/// The types of these two functions are that of the client's own future.
fn exit(client: &HyperClient, url: &str) -> ResponseFuture {
    client.request(request(url))
}

fn own(client: &HyperClient, url: &str) -> ResponseFuture {
    exit(client, url)
}

/// An `Either` in an `Either`, and a function of the program with the name of one that ends the process.
#[traced_http]
async fn with_own_futures(client: &HyperClient, url: &str, turn: u8) -> u16 {
    let first = match turn {
        0 => client.request(request(url)).left_future().left_future(),
        1 => own(client, url).left_future().left_future(),
        2 => own(client, url).right_future().left_future(),
        _ => own(client, url).right_future(),
    };
    let second = if turn == 0 { client.request(request(url)) } else { exit(client, url) };
    status(first.await) + status(second.await)
}

/// A client with a method like a request's, and a client with a method like a client's.
struct Cache;
struct Backend;

impl Cache {
    fn run(&self) -> BoxFuture<'_, u32> {
        async { 1 }.boxed()
    }
}

impl Backend {
    fn call(&self, request: String) -> BoxFuture<'_, u32> {
        async move { request.len() as u32 }.boxed()
    }
}

#[traced_http]
async fn of_two_kinds(cache: &Cache, backend: &Backend, flag: bool) -> u32 {
    let first = if flag { cache.run() } else { backend.call("key".into()) }.await;
    let second = match flag {
        true => backend.call("key".into()),
        false => cache.run(),
    };
    let all = join_all(vec![cache.run(), backend.call("key".into())]).await;
    let more = join_all([cache.run(), backend.call("key".into())]).await;
    let mut set = FuturesUnordered::new();
    set.push(cache.run());
    set.push(backend.call("key".into()));
    let mut sum = first + second.await + all.iter().chain(&more).sum::<u32>();
    while let Some(value) = set.next().await {
        sum += value;
    }
    let mut later = cache.run();
    if flag {
        later = backend.call("key".into());
    }
    sum + later.await
}

#[traced_http]
fn returned_of_two_kinds<'a>(cache: &'a Cache, backend: &'a Backend, flag: bool) -> impl Future<Output = u32> + 'a {
    if flag {
        return cache.run();
    }
    backend.call("key".into())
}

/// An actor whose futures tell whether they have ended, as `futures::select!` requires.
struct Actor;

impl Actor {
    fn request(&self, message: u32) -> futures::channel::oneshot::Receiver<u32> {
        let (sender, receiver) = futures::channel::oneshot::channel();
        sender.send(message).unwrap();
        receiver
    }

    fn run(&self, message: u32) -> futures::future::Fuse<BoxFuture<'static, u32>> {
        async move { message }.boxed().fuse()
    }

    fn call(&self, message: u32) -> Handle {
        Handle(message)
    }
}

#[traced_http]
async fn selected(actor: &Actor) -> u32 {
    let first = futures::select! { reply = actor.request(1) => reply.unwrap(), complete => 7 };
    let mut reply = actor.request(2);
    let mut never = futures::future::pending::<u32>().fuse();
    let second = loop {
        futures::select_biased! { value = reply => break value.unwrap(), _ = never => continue }
    };
    first + second
}

#[traced_http]
async fn selected_requests(client: &HyperClient, url: &str) -> u16 {
    let mut first = client.request(request(url)).fuse();
    let second = client.request(request(url));
    pin_mut!(second);
    let first = futures::select_biased! { answer = first => status(answer) };
    first + status(second.await)
}

#[traced_http]
fn fused(actor: &Actor, message: u32) -> impl FusedFuture<Output = u32> + use<> {
    actor.run(message)
}

/// A future with a method of its own, in a trait of the program.
struct Handle(u32);

trait Cancel {
    fn cancel(self) -> u32;
}

impl Cancel for Handle {
    fn cancel(self) -> u32 {
        self.0
    }
}

impl Future for Handle {
    type Output = u32;

    fn poll(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
        Poll::Ready(self.0)
    }
}

#[traced_http]
fn with_another_trait(actor: &Actor, message: u32) -> impl Cancel + use<> {
    actor.call(message)
}

#[traced_http]
fn with_both_traits(actor: &Actor, message: u32) -> impl Future<Output = u32> + Cancel + use<> {
    actor.call(message)
}

/// A worker whose panics its caller catches.
struct Worker;

impl Worker {
    async fn call(&self, job: String) -> usize {
        job.len()
    }
}

#[traced_http]
async fn unwind_safe(worker: &Worker) -> Option<usize> {
    let first = worker.call("job".into()).catch_unwind().await.ok()?;
    fn catch<F: Future + UnwindSafe>(future: F) -> futures::future::CatchUnwind<F> {
        future.catch_unwind()
    }
    Some(first + catch(in_a_caller(worker)).await.ok()?)
}

#[traced_http]
async fn in_a_caller(worker: &Worker) -> usize {
    worker.call("job".into()).await
}

/// A body that ends in a `return` or never ends has no value.
#[traced_http]
fn returned(client: &HyperClient, url: &str) -> impl Future<Output = Answer> + use<> {
    return client.request(request(url));
}

#[traced_http]
async fn returned_in_arms(client: &HyperClient, url: &str) -> impl Iterator<Item = u16> {
    match client.request(request(url)).await {
        Ok(answer) => return std::iter::once(answer.status().as_u16()),
        Err(error) => return std::iter::once(error.to_string().len() as u16),
    }
}

#[traced_http]
async fn returned_in_a_loop(client: &HyperClient, url: &str) -> Result<impl Iterator<Item = u16>, Error> {
    loop {
        let answer = client.request(request(url)).await?;
        if answer.status().is_success() {
            return Ok(std::iter::once(answer.status().as_u16()));
        }
    }
}

#[traced_http]
async fn panics_at_the_end(client: &HyperClient, url: &str) -> impl Iterator<Item = u16> {
    if let Ok(answer) = client.request(request(url)).await {
        return std::iter::once(answer.status().as_u16());
    }
    panic!("refused")
}

#[traced_http]
async fn exits_at_the_end(client: &HyperClient, url: &str) -> impl Iterator<Item = u16> {
    if let Ok(answer) = client.request(request(url)).await {
        return std::iter::once(answer.status().as_u16());
    }
    std::process::exit(1);
}

#[traced_http]
fn returned_in_closures(backends: &[Backend]) -> Vec<BoxFuture<'_, u32>> {
    let call: fn(&Backend) -> BoxFuture<'_, u32> = |backend| {
        let request = "key".to_owned();
        return backend.call(request);
    };
    let mut all: Vec<_> = backends.iter().map(call).collect();
    all.extend(backends.iter().map(|backend| {
        let future = backend.call("other".into());
        return future;
    }));
    all
}

#[traced_http]
fn endless_in_a_thread(backend: &'static Backend) {
    std::thread::spawn(|| {
        loop {
            drop(Backend.call("key".into()));
            std::thread::park();
        }
    });
    drop(backend.call("key".into()));
}

/// Macros of the program that leave the code around them.
macro_rules! done {
    ($value:expr) => {
        break $value
    };
}

macro_rules! give {
    ($value:expr) => {
        return $value
    };
}

#[traced_http]
async fn beside_hidden_jumps(client: &HyperClient, url: &str, flag: bool) -> u16 {
    let first = if flag {
        client.request(request(url))
    } else {
        loop {
            done!(own(client, url))
        }
    };
    let second = if flag {
        client.request(request(url))
    } else {
        loop {
            println!("{url}");
            return 0;
        }
    };
    status(first.await) + status(second.await)
}

#[traced_http]
fn returned_by_a_macro(client: &HyperClient, url: &str, flag: bool) -> impl Future<Output = Answer> + use<> {
    if flag {
        give!(HyperClient::request(client, request(url)))
    }
    client.request(request(url))
}

/// Results whose bounds and boxes name a type.
#[traced_http]
fn named_by_a_bound(
    client: &HyperClient,
    url: &str,
) -> impl std::future::IntoFuture<Output = Answer, IntoFuture = ResponseFuture> + use<> {
    client.request(request(url))
}

#[traced_http]
fn in_a_box_of_a_named_type(
    client: &HyperClient,
    url: &str,
) -> std::pin::Pin<Box<futures::future::Map<ResponseFuture, Box<dyn FnOnce(Answer) -> u16>>>> {
    Box::pin(client.request(request(url)).map(Box::new(status) as _))
}

#[traced_http]
#[tracing::instrument(skip_all)]
fn returned_in_a_box(client: HyperClient, url: String) -> BoxFuture<'static, Result<u16, Error>> {
    Box::pin(async move {
        let answer = client.request(request(&url)).await?;
        return Ok(answer.status().as_u16());
    })
}

#[tokio::test]
async fn branches() {
    let run = Run::start(super::IS_TRACED).await;
    let client: &HyperClient = &Client::builder(TokioExecutor::new()).build_http();
    let url = &run.url("/bytes/1");
    let seen = &[recorded("GET /bytes/1"); 3];
    let own = &[unrecorded("GET /bytes/1"); 2];

    run.check_calls("beside_a_macro", beside_a_macro(client, url, 1), 400, &seen[..2]).await;
    run.check_calls("beside_a_return", beside_a_return(client, url, 1), Some(600), seen).await;
    run.check_calls("in_an_either", in_an_either(client, url, true), 400, &seen[..2]).await;
    for turn in 0..4 {
        run.check_calls("with_own_futures", with_own_futures(client, url, turn), 400, own).await;
    }
    run.check("of_two_kinds", of_two_kinds(&Cache, &Backend, true), 1 + 3 + 4 + 4 + 4 + 3).await;
    for (flag, expected) in [(true, 1), (false, 3)] {
        run.check("returned_of_two_kinds", returned_of_two_kinds(&Cache, &Backend, flag), expected).await;
    }
    run.check("selected", selected(&Actor), 3).await;
    run.check_calls("selected_requests", selected_requests(client, url), 400, &seen[..2]).await;
    run.check("fused", fused(&Actor, 5), 5).await;
    run.check("with_another_trait", async { with_another_trait(&Actor, 5).cancel() }, 5).await;
    run.check("with_both_traits", with_both_traits(&Actor, 5), 5).await;
    run.check("with_both_traits", async { with_both_traits(&Actor, 6).cancel() }, 6).await;
    run.check_calls("returned", async { status(returned(client, url).await) }, 200, &seen[..1]).await;
    let first = async |mut statuses: Box<dyn Iterator<Item = u16>>| statuses.next().unwrap();
    let work = async { first(Box::new(returned_in_arms(client, url).await)).await };
    run.check_calls("returned_in_arms", work, 200, &seen[..1]).await;
    let work = async { first(Box::new(returned_in_a_loop(client, url).await.unwrap())).await };
    run.check_calls("returned_in_a_loop", work, 200, &seen[..1]).await;
    let work = async { first(Box::new(panics_at_the_end(client, url).await)).await };
    run.check_calls("panics_at_the_end", work, 200, &seen[..1]).await;
    let work = async { first(Box::new(exits_at_the_end(client, url).await)).await };
    run.check_calls("exits_at_the_end", work, 200, &seen[..1]).await;
    run.check("returned_in_closures", async { join_all(returned_in_closures(&[Backend])).await }, vec![3, 5]).await;
    run.check("endless_in_a_thread", async { endless_in_a_thread(&Backend) }, ()).await;
    let work = async { returned_in_a_box(client.clone(), url.clone()).await.unwrap() };
    run.check_calls("returned_in_a_box", work, 200, &seen[..1]).await;
    run.check_calls("beside_hidden_jumps", beside_hidden_jumps(client, url, true), 400, &[own[0], seen[0]]).await;
    for flag in [true, false] {
        let work = async { status(returned_by_a_macro(client, url, flag).await) };
        run.check_calls("returned_by_a_macro", work, 200, &own[..1]).await;
    }
    let work = async { status(named_by_a_bound(client, url).await) };
    run.check_calls("named_by_a_bound", work, 200, &own[..1]).await;
    run.check_calls("in_a_box_of_a_named_type", in_a_box_of_a_named_type(client, url), 200, &own[..1]).await;
    run.check("unwind_safe", unwind_safe(&Worker), Some(6)).await;
}
