//! Traced futures that are stored, combined, spawned or returned before they are awaited, and their trait bounds.

use std::cell::Cell;
use std::future::{Future, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{BoxFuture, Either, join_all, select};
use futures::stream::{FuturesUnordered, StreamExt as _};
use futures::{FutureExt as _, TryFutureExt as _};
use reqwest::{Client, Response, Result};

use super::traced_http;
use crate::shapes::run::{Run, cancelled, recorded};
use crate::shapes::senders::Shared;

fn status(result: Result<Response>) -> u16 {
    result.unwrap().status().as_u16()
}

fn requires_send<T: Send>(value: T) -> T {
    value
}

#[traced_http]
async fn awaited_directly(client: &Client, url: &str) -> Result<u64> {
    Ok(client.get(url).send().await?.error_for_status()?.text().await?.len() as u64)
}

#[traced_http]
async fn methods_on_the_future(client: &Client, url: &str) -> Result<Vec<usize>> {
    let request = client.post(url);
    let boxed: BoxFuture<'_, Result<Response>> = client.get(url).send().boxed();
    let then = request.send().then(|result| async { result?.text().await });
    let chained = client.put(url).send().and_then(Response::bytes).map_ok(|bytes| bytes.len());
    Ok(vec![boxed.await?.text().await?.len(), then.await?.len(), chained.await?])
}

#[traced_http]
async fn by_reference(client: &Client, url: &str) -> u16 {
    let mut future = client.get(url).send();
    let early = (&mut future).now_or_never();
    assert!(early.is_none());
    status((&mut future).await)
}

#[traced_http]
async fn reassigned(client: &Client, urls: &[String]) -> usize {
    let mut future = client.get(&urls[0]).send();
    let mut rounds = 0;
    loop {
        status(future.await);
        rounds += 1;
        let Some(url) = urls.get(rounds) else { return rounds };
        let request = client.get(url);
        future = if rounds == 1 { request.send() } else { client.get(url).send() };
    }
}

struct InFlight<F> {
    future: F,
    name: &'static str,
}

#[traced_http]
async fn in_a_struct(client: &Client, url: &str) -> (&'static str, u16) {
    let mut flights = Vec::new();
    flights.push(InFlight { future: client.get(url).send(), name: "first" });
    let request = client.post(url);
    flights.push(InFlight { future: request.send(), name: "second" });
    let second = flights.pop().unwrap();
    let first = flights.pop().map(|flight| flight.future).unwrap();
    (second.name, status(first.await) + status(second.future.await))
}

enum State {
    Idle,
    Busy(Pin<Box<dyn Future<Output = Result<Response>> + Send + Sync>>),
}

#[traced_http]
async fn in_an_enum(client: &Client, url: &str) -> u16 {
    let mut state = State::Idle;
    loop {
        state = match state {
            State::Idle => State::Busy(Box::pin(client.get(url).send())),
            State::Busy(future) => return status(future.await),
        };
    }
}

#[traced_http]
async fn iterators(client: &Client, urls: &[String]) -> usize {
    let all = join_all(urls.iter().map(|url| client.get(url).send())).await;
    let builders = urls.iter().map(|url| client.post(url));
    let unordered: FuturesUnordered<_> = builders.map(|request| request.send()).collect();
    all.into_iter().map(status).count() + unordered.map(status).count().await
}

#[traced_http]
async fn buffered(client: Client, urls: Vec<String>) -> usize {
    let stream = futures::stream::iter(urls).map(|url| client.get(url).send()).buffer_unordered(2);
    stream.filter(|result| ready(result.is_ok())).count().await
}

/// Like `tokio::time::timeout`, but the limit is a future: a duration might be too short on a busy machine.
async fn timeout<T>(limit: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        output = work => Some(output),
        () = limit => None,
    }
}

#[traced_http]
async fn in_a_timeout(client: &Client, url: &str, limit: impl Future<Output = ()>) -> (bool, u16) {
    let late = timeout(limit, client.get(format!("{url}slow/9999")).send());
    let request = client.get(format!("{url}bytes/1"));
    let soon = tokio::time::timeout(Duration::from_secs(10), request.send());
    (late.await.is_none(), status(soon.await.unwrap()))
}

#[traced_http]
async fn selected(client: &Client, url: &str) -> u16 {
    let slow = client.get(format!("{url}slow/9999")).send();
    let mut fast = client.get(format!("{url}bytes/1")).send();
    tokio::pin!(slow);
    let first = tokio::select! {
        biased;
        result = &mut slow => result,
        result = &mut fast => result,
    };
    match select(slow, client.get(format!("{url}bytes/2")).send()).await {
        Either::Left(_) => 0,
        Either::Right((result, _)) => status(first) + status(result),
    }
}

#[traced_http]
async fn spawned(client: Client, url: String) -> u16 {
    let direct = tokio::spawn(client.get(&url).send());
    let request = client.post(&url);
    let mut set = tokio::task::JoinSet::new();
    set.spawn(request.send());
    status(direct.await.unwrap()) + status(set.join_next().await.unwrap().unwrap())
}

#[traced_http]
fn returned(client: &Client, url: &str) -> impl Future<Output = Result<Response>> + Send + Unpin + 'static + use<> {
    client.get(url).send()
}

#[traced_http]
fn returned_block<'a, U>(client: &'a Client, url: U) -> impl Future<Output = u16> + Send + use<'a, U>
where
    U: AsRef<str> + Send + 'a,
{
    async move { status(client.get(url.as_ref()).send().await) }
}

#[traced_http]
fn returned_box<'a>(client: &'a Client, url: &'a str, depth: u8) -> BoxFuture<'a, usize> {
    Box::pin(async move {
        let inner = if depth == 0 { 0 } else { returned_box(client, url, depth - 1).await };
        client.get(url).send().await.is_ok().then_some(inner + 1).unwrap_or_default()
    })
}

/// Local variables that are not `Sync` are held across an `.await`, and one that is not `Send` is consumed before it.
/// The function's future must be `Send`.
#[traced_http]
async fn held_values(client: &Client, url: &str) -> (u32, u32, u16) {
    struct Unsynced(Cell<u32>);
    impl Unsynced {
        fn send(&self) -> u32 {
            self.0.replace(self.0.get() + 1)
        }
    }
    struct Local(Rc<u32>);
    impl Local {
        fn send(self) -> std::future::Ready<u32> {
            ready(*self.0)
        }
    }
    struct Worker(Cell<u32>);
    impl Worker {
        fn send(self) -> impl Future<Output = u32> + Send {
            async move { self.0.get() }
        }
    }
    let make = || Local(Rc::new(5));
    let unsynced = Unsynced(Cell::new(1));
    unsynced.send();
    let local = make().send().await;
    let workers = (Worker(Cell::new(3)), Worker(Cell::new(4)));
    let first = workers.0.send().await + Worker(Cell::new(2)).send().await;
    let status = status(client.get(url).send().await);
    unsynced.send();
    (unsynced.send() + workers.1.send().await, local + first, status)
}

/// Futures that are not `Send`, on a single thread.
#[traced_http]
async fn on_one_thread(client: Rc<Client>, url: &str) -> u16 {
    let local = Rc::new(Shared(1));
    let tasks = tokio::task::LocalSet::new();
    let (kept, owned) = (Rc::clone(&local), url.to_owned());
    let task =
        tasks.spawn_local(async move { status(client.get(owned).send().await) + u16::try_from(kept.send()).unwrap() });
    tasks.await;
    task.await.unwrap() + u16::try_from(local.send()).unwrap()
}

#[tokio::test]
async fn futures() {
    let run = Run::start(super::IS_TRACED).await;
    let (client, base, url) = (&run.client, &run.url("/"), &run.url("/bytes/3"));
    let urls = [1, 2, 3].map(|length| run.url(&format!("/bytes/{length}")));
    let (get, post) = (recorded("GET /bytes/3"), recorded("POST /bytes/3"));
    let gets = ["GET /bytes/1", "GET /bytes/2", "GET /bytes/3"].map(recorded);

    let work = requires_send(awaited_directly(client, url).map(std::result::Result::unwrap));
    run.check_calls("awaited_directly", work, 3, &[get]).await;
    let work = requires_send(methods_on_the_future(client, url)).map(std::result::Result::unwrap);
    let calls = [get, post, recorded("PUT /bytes/3")];
    run.check_calls("methods_on_the_future", work, vec![3, 3, 3], &calls).await;
    run.check_calls("by_reference", by_reference(client, url), 200, &[get]).await;
    run.check_calls("reassigned", requires_send(reassigned(client, &urls)), 3, &gets).await;
    run.check_calls("in_a_struct", in_a_struct(client, url), ("second", 200 + 200), &[get, post]).await;
    run.check_calls("in_an_enum", requires_send(in_an_enum(client, url)), 200, &[get]).await;
    let posts = ["POST /bytes/1", "POST /bytes/2", "POST /bytes/3"].map(recorded);
    run.check_calls("iterators", iterators(client, &urls), 6, &[gets, posts].concat()).await;
    run.check_calls("buffered", buffered(client.clone(), urls.to_vec()), 3, &gets).await;
    let calls = [cancelled("GET /slow/9999"), recorded("GET /bytes/1")];
    run.check_calls(
        "in_a_timeout",
        requires_send(in_a_timeout(client, base, run.arrival("/slow/9999"))),
        (true, 200),
        &calls,
    )
    .await;
    let calls = [cancelled("GET /slow/9999"), recorded("GET /bytes/1"), recorded("GET /bytes/2")];
    run.check_calls("selected", selected(client, base), 200 + 200, &calls).await;
    run.check_calls("spawned", spawned(client.clone(), url.clone()), 200 + 200, &[get, post]).await;
    run.check_calls("returned", returned(client, url).map(status), 200, &[get]).await;
    run.check_calls("returned_block", returned_block(client, url), 200, &[get]).await;
    run.check_calls("returned_box", returned_box(client, url, 2), 3, &[get; 3]).await;
    run.check_calls("held_values", requires_send(held_values(client, url)), (3 + 4, 5 + 3 + 2, 200), &[get]).await;
    run.check_calls("on_one_thread", on_one_thread(Rc::new(client.clone()), url), 200 + 1 + 1, &[get]).await;
}
