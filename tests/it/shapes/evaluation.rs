//! What the rewrite puts into the scrutinee or the arms of a `match`: receivers that must be evaluated once, struct
//! literals, integers, and clients that are taken out of a place; and functions whose types name a future.

use std::sync::Arc;

use http::{Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::{Mutex, mpsc};

use super::traced_http;
use crate::shapes::run::{Run, recorded, unrecorded};

type Body = Empty<Bytes>;
type HyperClient = Client<HttpConnector, Body>;

struct State {
    client: HyperClient,
}

#[traced_http]
async fn behind_a_lock(state: Arc<Mutex<State>>, uri: Uri) -> u16 {
    state.lock().await.client.get(uri).await.unwrap().status().as_u16()
}

#[traced_http]
async fn of_an_iterator(states: &mut (dyn Iterator<Item = State> + Send), uri: Uri) -> (u16, usize) {
    let status = states.next().unwrap().client.get(uri).await.unwrap().status().as_u16();
    (status, states.count())
}

struct Endpoint<'a> {
    url: &'a str,
}

impl Endpoint<'_> {
    fn uri(&self) -> Uri {
        self.url.parse().unwrap()
    }
}

struct Forward {
    client: HyperClient,
}

impl Forward {
    async fn call(self, request: Request<Body>) -> Response<Incoming> {
        self.client.request(request).await.unwrap()
    }
}

#[traced_http]
async fn struct_literals(client: &HyperClient, url: &str) -> u16 {
    let request = Request::get(url).body(Empty::new()).unwrap();
    let first = Forward { client: client.clone() }.call(request).await.status().as_u16();
    first + client.get(Endpoint { url }.uri()).await.unwrap().status().as_u16()
}

#[traced_http]
async fn integers(queue: mpsc::Sender<u64>, bytes: mpsc::Sender<(u8, u64)>) {
    queue.send(5_000_000_000).await.unwrap();
    queue.send(0xFFFF_FFFF_FFFF).await.unwrap();
    bytes.send((200, 5_000_000_000)).await.unwrap();
}

#[traced_http]
fn bodies(agent: &ureq::Agent, url: &str, name: &str) -> u16 {
    let form = agent.post(url);
    let status = form.send_form([("name", name), ("kind", "b")]).unwrap().status().as_u16();
    let bytes = agent.post(url);
    status + bytes.send(&[1, 2]).unwrap().status().as_u16()
}

#[traced_http]
async fn taken(slot: &mut Option<HyperClient>, uri: Uri) -> Option<u16> {
    let client = slot.take()?;
    Some(client.get(uri).await.ok()?.status().as_u16())
}

#[traced_http]
async fn taken_requests(requests: &mut Vec<reqwest::RequestBuilder>) -> u16 {
    let mut requests = requests.drain(..);
    let mut sum = 0;
    while let Some(request) = requests.next() {
        sum += request.send().await.unwrap().status().as_u16();
    }
    sum
}

#[traced_http]
async fn taken_from_a_list(slots: &mut [Option<reqwest::RequestBuilder>]) -> u16 {
    let slot = slots.get_mut(0).unwrap();
    let request = slot.take().unwrap();
    let &count = &[1_u16][0];
    request.send().await.unwrap().status().as_u16() + count
}

#[traced_http]
fn named_by_an_option(client: &HyperClient, uri: Uri) -> Option<hyper_util::client::legacy::ResponseFuture> {
    true.then(|| client.get(uri))
}

#[traced_http]
fn named_by_an_iterator(
    client: HyperClient,
    uris: Vec<Uri>,
) -> impl Iterator<Item = hyper_util::client::legacy::ResponseFuture> {
    let request = |uri| Request::get(uri).body(Empty::new()).unwrap();
    uris.into_iter().map(move |uri| client.request(request(uri)))
}

#[traced_http]
fn named_by_a_closure(client: HyperClient) -> impl Fn(Request<Body>) -> hyper_util::client::legacy::ResponseFuture {
    move |request| client.request(request)
}

#[derive(Clone, Copy)]
struct Count(u32);

impl Count {
    fn send(self, number: u32) -> u32 {
        self.0 * 10 + number
    }

    fn bump(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }
}

/// A receiver that is copied before its argument changes it.
#[traced_http]
fn changed_receivers(mut counts: (Count, Count)) -> [u32; 3] {
    let mut count = Count(1);
    let first = count.send(count.bump());
    [first, counts.0.send(counts.0.bump()), counts.0.send(counts.1.bump())]
}

const CONFIG: ([u32; 2], u32) = ([7, 8], 9);

struct Word(u32);

impl Word {
    fn send(&self) -> &u32 {
        &self.0
    }
}

/// A borrow of a part of a constant is `'static`.
#[traced_http]
fn parts_of_constants() -> [&'static u32; 2] {
    [Word(CONFIG.1).send(), Word(CONFIG.0[1]).send()]
}

// Several threads, because the calls of ureq block theirs.
#[tokio::test(flavor = "multi_thread")]
async fn evaluation() {
    let run = Run::start(super::IS_TRACED).await;
    let client: HyperClient = Client::builder(TokioExecutor::new()).build_http();
    let url = run.url("/bytes/1");
    let uri = || url.parse::<Uri>().unwrap();
    let (seen, unseen) = (recorded("GET /bytes/1"), unrecorded("GET /bytes/1"));

    let state = Arc::new(Mutex::new(State { client: client.clone() }));
    run.check_calls("behind_a_lock", behind_a_lock(state, uri()), 200, &[unseen]).await;
    let mut states = [1, 2, 3].map(|_| State { client: client.clone() }).into_iter();
    run.check_calls("of_an_iterator", of_an_iterator(&mut states, uri()), (200, 2), &[unseen]).await;
    run.check_calls("struct_literals", struct_literals(&client, &url), 400, &[seen, seen]).await;

    let (queue, mut queued) = mpsc::channel(4);
    let (bytes, mut queued_bytes) = mpsc::channel(4);
    run.check("integers", integers(queue, bytes), ()).await;
    assert_eq!((queued.recv().await, queued.recv().await), (Some(5_000_000_000), Some(0xFFFF_FFFF_FFFF)));
    assert_eq!(queued_bytes.recv().await, Some((200, 5_000_000_000)));

    run.check("changed_receivers", async { changed_receivers((Count(1), Count(4))) }, [12, 12, 25]).await;
    run.check("parts_of_constants", async { parts_of_constants().map(|word| *word) }, [9, 8]).await;

    let posted = recorded("POST /bytes/1");
    run.check_calls("bodies", async { bodies(&ureq::agent(), &url, "a") }, 400, &[posted, posted]).await;
    run.check_calls("taken", taken(&mut Some(client.clone()), uri()), Some(200), &[seen]).await;
    let requests = &mut vec![run.client.get(&url), run.client.get(&url)];
    run.check_calls("taken_requests", taken_requests(requests), 400, &[seen, seen]).await;
    let slots = &mut [Some(run.client.get(&url))];
    run.check_calls("taken_from_a_list", taken_from_a_list(slots), 201, &[seen]).await;

    let work = async { named_by_an_option(&client, uri()).unwrap().await.unwrap().status().as_u16() };
    run.check_calls("named_by_an_option", work, 200, &[unseen]).await;
    let work =
        async { named_by_an_iterator(client.clone(), vec![uri()]).next().unwrap().await.unwrap().status().as_u16() };
    run.check_calls("named_by_an_iterator", work, 200, &[unseen]).await;
    let request = Request::get(&url).body(Empty::new()).unwrap();
    let work = async { named_by_a_closure(client.clone())(request).await.unwrap().status().as_u16() };
    run.check_calls("named_by_a_closure", work, 200, &[unseen]).await;
}
