//! Functions as people write them around a client: wrappers, retries, streams, pages, and state in structs and traits.

use std::collections::HashMap;
use std::future::Future;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{self, Stream, StreamExt as _, TryStreamExt as _};
use futures::{FutureExt as _, pin_mut, select};
use reqwest::{Client, Error, Method, Request, RequestBuilder, Response, StatusCode};
use tokio::sync::{Mutex, RwLock, Semaphore, mpsc, watch};

use super::traced_http;
use crate::shapes::run::{Call, Run, recorded};

#[derive(Debug)]
#[expect(dead_code, reason = "what is in them is shown by a failing test")]
enum ApiError {
    Http(Error),
    Status(StatusCode, String),
    Empty,
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::Http(error)
    }
}

/// An SDK that is generic over its client.
#[derive(Clone)]
struct Sdk<C = Client> {
    client: C,
    base: Arc<str>,
    token: Option<String>,
}

trait Transport: Send + Sync + 'static {
    type Failure: Into<ApiError>;

    fn execute(&self, request: Request) -> impl Future<Output = Result<Response, Self::Failure>> + Send;
}

impl Transport for Client {
    type Failure = Error;

    async fn execute(&self, request: Request) -> Result<Response, Error> {
        Client::execute(self, request).await
    }
}

impl<C: Transport> Sdk<C> {
    #[traced_http]
    async fn request<B>(&self, method: Method, path: impl AsRef<str>, body: Option<B>) -> Result<Vec<u8>, ApiError>
    where
        B: Into<reqwest::Body>,
    {
        let url = format!("{}{}", self.base, path.as_ref()).parse().map_err(|_| ApiError::Empty)?;
        let mut request = Request::new(method, url);
        if let Some(body) = body {
            *request.body_mut() = Some(body.into());
        }
        if let Some(token) = self.token.as_deref() {
            request.headers_mut().insert("authorization", token.parse().map_err(|_| ApiError::Empty)?);
        }
        let response = self.client.execute(request).await.map_err(Into::into)?;
        match response.status() {
            status if status.is_success() => Ok(response.bytes().await?.to_vec()),
            status => Err(ApiError::Status(status, response.text().await.unwrap_or_default())),
        }
    }
}

impl Sdk {
    fn builder(&self, method: Method, path: &str) -> RequestBuilder {
        let builder = self.client.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => builder.bearer_auth(token),
            None => builder,
        }
    }

    #[traced_http]
    async fn retried(self: Arc<Self>, path: &str, tries: u32) -> Result<u16, ApiError> {
        let mut last = None;
        for attempt in 0..tries {
            let path = if attempt + 1 == tries { "/bytes/1" } else { path };
            match self.builder(Method::GET, path).send().await.and_then(Response::error_for_status) {
                Ok(response) => return Ok(response.status().as_u16()),
                Err(error) if error.is_status() => last = Some(error),
                Err(error) => return Err(error.into()),
            }
            tokio::task::yield_now().await;
        }
        Err(last.map_or(ApiError::Empty, ApiError::Http))
    }

    #[traced_http]
    fn pages<'a>(&'a self, count: usize) -> impl Stream<Item = Result<usize, ApiError>> + Send + 'a {
        stream::try_unfold(1, move |page| async move {
            if page > count {
                return Ok(None);
            }
            let response = self.builder(Method::GET, &format!("/bytes/{page}")).send().await?;
            let length = response.error_for_status()?.bytes().await?.len();
            Ok(Some((length, page + 1)))
        })
    }

    #[traced_http]
    fn walk(&self, depth: usize) -> Pin<Box<dyn Future<Output = Result<usize, ApiError>> + Send + '_>> {
        Box::pin(async move {
            let Ok(response) = self.builder(Method::GET, &format!("/bytes/{depth}")).send().await else {
                return Err(ApiError::Empty);
            };
            let length = response.bytes().await?.len();
            if depth == 0 { Ok(length) } else { Ok(length + self.walk(depth - 1).await?) }
        })
    }
}

/// Retries by another crate's functions, which take closures of several kinds.
async fn retry<T, E, F: Future<Output = Result<T, E>>>(mut operation: impl FnMut(u32) -> F) -> Result<T, E> {
    let _ = operation(0).await;
    operation(1).await
}

async fn with_client<T>(
    client: &Client,
    run: impl for<'a> Fn(&'a Client) -> BoxFuture<'a, Result<T, Error>>,
) -> Result<T, Error> {
    run(client).await
}

#[traced_http]
async fn closures_for_others(client: &Client, url: &str) -> Result<[u16; 3], Error> {
    let first = retry(|attempt| client.get(url).header("x-attempt", attempt).send()).await?;
    let second = with_client(client, |client| client.put(url).send().boxed()).await?;
    let third = with_client(client, |client| Box::pin(client.post(url).send())).await?;
    Ok([first, second, third].map(|response| response.status().as_u16()))
}

/// Requests in collections, options and tuples.
#[traced_http]
async fn collections(client: &Client, url: &str) -> usize {
    let mut by_name = HashMap::from([("a", client.get(url)), ("b", client.put(url))]);
    let mut count = by_name.remove("a").map(|request| request.send()).unwrap().await.into_iter().count();
    for (_, request) in by_name.drain() {
        count += usize::from(request.send().await.is_ok());
    }
    let requests: Vec<RequestBuilder> = vec![client.post(url), client.head(url)];
    for request in requests {
        count += usize::from(request.send().await.is_ok());
    }
    let (request, more): (RequestBuilder, Option<RequestBuilder>) = (client.delete(url), Some(client.patch(url)));
    if let (Ok(_), Some(request)) = (request.send().await, more) {
        count += request.send().await.map_or(0, |_| 1);
    }
    let all = stream::iter([url, url]).map(|url| async move { client.get(url).send().await?.bytes().await });
    all.buffer_unordered(2).try_fold(count, |sum, bytes| async move { Ok(sum + bytes.len()) }).await.unwrap()
}

/// Clients behind locks, pointers and guards.
#[traced_http]
async fn guards(shared: &Arc<Mutex<Client>>, read: &RwLock<Sdk>, limit: Arc<Semaphore>, url: &str) -> [u16; 3] {
    let _permit = limit.acquire().await.unwrap();
    let first = shared.lock().await.get(url).send().await.unwrap().status();
    let second = { read.read().await.builder(Method::PUT, "/bytes/1") }.send().await.unwrap().status();
    let guard = shared.lock().await;
    let third = guard.execute(guard.post(url).build().unwrap()).await.unwrap().status();
    [first, second, third].map(|status| status.as_u16())
}

/// Every kind of arm in `select!` of tokio and of futures.
#[traced_http]
async fn selects(client: &Client, url: &str, mut stop: watch::Receiver<bool>, mut jobs: mpsc::Receiver<u8>) -> u32 {
    let (mut sum, mut is_open) = (0, true);
    let outcome = 'outer: loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|is_stopped| *is_stopped), if sum > 10_000 => break 'outer 0,
            Some(job) = jobs.recv(), if is_open => {
                sum += u32::from(job);
                is_open = job < 2;
            }
            Ok(response) = client.get(url).send() => break u32::from(response.status().as_u16()),
            else => unreachable!("an arm is open"),
        }
    };
    let request = client.put(url).send().fuse();
    let mut other = Box::pin(client.post(url).send()).fuse();
    pin_mut!(request);
    loop {
        select! {
            response = request => sum += u32::from(response.unwrap().status().as_u16()),
            response = other => sum += u32::from(response.unwrap().status().as_u16()),
            complete => break,
        }
    }
    sum + outcome
}

/// Control flow through closures, blocks and operators.
#[traced_http]
async fn control_flow(client: &Client, url: &str) -> Result<u32, ApiError> {
    let build = || -> Result<Request, Error> { Ok(client.get(url).build()?) };
    let response = client.execute(build()?).await?;
    let check = |response: &Response| {
        if response.status().is_success() { ControlFlow::Continue(1) } else { ControlFlow::Break(2) }
    };
    let ControlFlow::Continue(first) = check(&response) else { return Err(ApiError::Empty) };
    let block: Result<u32, Error> = async {
        let length = client.put(url).send().await?.error_for_status()?.content_length();
        Ok(length.map_or(0, |length| u32::try_from(length).unwrap()))
    }
    .await;
    let answers = [client.post(url).send().await, client.head(url).send().await];
    let [Ok(_), Ok(second)] = &answers else { return Err(ApiError::Empty) };
    Ok(first + block? + if second.status() == 200 && client.delete(url).send().await.is_ok() { 3 } else { 4 })
}

#[traced_http]
fn all_auto_traits(client: &Client, url: &str) -> impl Future<Output = u16> + Send + Sync + use<> {
    let (client, url) = (client.clone(), url.to_owned());
    async move {
        let first = client.get(&url).send().await.unwrap().status().as_u16();
        first + client.execute(client.put(&url).build().unwrap()).await.unwrap().status().as_u16()
    }
}

#[traced_http]
async fn caught(client: &Client, url: &str) -> bool {
    let panics = async {
        client.get(url).send().await.unwrap();
        panic!("after it")
    };
    let caught = AssertUnwindSafe(panics).catch_unwind().await;
    let closure = std::panic::catch_unwind(|| Some(url.len()).filter(|_| url.is_empty()).unwrap().to_string());
    caught.map(|never: ()| never).is_err() && closure.is_err() && client.put(url).send().await.is_ok()
}

/// A trait with a provided method, an associated type and a constant.
trait Resource: Sized {
    const PATH: &'static str;
    type Key<'a>: std::fmt::Display
    where
        Self: 'a;

    fn parse(text: String) -> Option<Self>;

    #[traced_http]
    async fn fetch<'a>(sdk: &Sdk, key: Self::Key<'a>) -> Result<Self, ApiError>
    where
        Self: 'a,
    {
        let text = sdk.builder(Method::GET, &format!("{}/{key}", Self::PATH)).send().await?.text().await?;
        Self::parse(text).ok_or(ApiError::Empty)
    }
}

struct Letters(usize);

impl Resource for Letters {
    const PATH: &'static str = "/bytes";
    type Key<'a> = &'a u8;

    fn parse(text: String) -> Option<Self> {
        Some(Self(text.len()))
    }
}

#[tokio::test]
async fn styles() {
    let run = Run::start(super::IS_TRACED).await;
    let (client, url) = (&run.client, &run.url("/bytes/1"));
    let sdk = Sdk { client: client.clone(), base: run.url("").into(), token: Some("token".to_owned()) };
    let get = recorded("GET /bytes/1");
    let all = |methods: &[&'static str]| -> Vec<Call> { methods.iter().map(|line| recorded(line)).collect() };

    let work = async { sdk.request(Method::PUT, "/bytes/3", Some("body")).await.unwrap() };
    run.check_calls("request", work, b"xxx".to_vec(), &[recorded("PUT /bytes/3")]).await;
    let work = async { Arc::new(sdk.clone()).retried("/bytes/1", 3).await.unwrap() };
    run.check_calls("retried", work, 200, &[get]).await;
    let work = async { sdk.pages(3).try_collect::<Vec<_>>().await.unwrap() };
    let pages = all(&["GET /bytes/1", "GET /bytes/2", "GET /bytes/3"]);
    run.check_calls("pages", work, vec![1, 2, 3], &pages).await;
    let walked = all(&["GET /bytes/0", "GET /bytes/1", "GET /bytes/2"]);
    run.check_calls("walk", async { sdk.walk(2).await.unwrap() }, 3, &walked).await;

    let work = async { closures_for_others(client, url).await.unwrap() };
    let calls = all(&["GET /bytes/1", "GET /bytes/1", "PUT /bytes/1", "POST /bytes/1"]);
    run.check_calls("closures_for_others", work, [200; 3], &calls).await;
    let mut calls = all(&["GET /bytes/1", "PUT /bytes/1", "POST /bytes/1", "HEAD /bytes/1", "DELETE /bytes/1"]);
    calls.extend(all(&["PATCH /bytes/1", "GET /bytes/1", "GET /bytes/1"]));
    run.check_calls("collections", collections(client, url), 7, &calls).await;
    let (shared, read) = (Arc::new(Mutex::new(client.clone())), RwLock::new(sdk.clone()));
    let work = guards(&shared, &read, Arc::new(Semaphore::new(1)), url);
    run.check_calls("guards", work, [200; 3], &all(&["GET /bytes/1", "PUT /bytes/1", "POST /bytes/1"])).await;
    let (_stop, stopped) = watch::channel(false);
    let (jobs, queue) = mpsc::channel(2);
    jobs.try_send(1).unwrap();
    jobs.try_send(2).unwrap();
    let work = selects(client, url, stopped, queue);
    run.check_calls("selects", work, 603, &all(&["GET /bytes/1", "PUT /bytes/1", "POST /bytes/1"])).await;
    let calls = all(&["GET /bytes/1", "PUT /bytes/1", "POST /bytes/1", "HEAD /bytes/1", "DELETE /bytes/1"]);
    run.check_calls("control_flow", async { control_flow(client, url).await.unwrap() }, 5, &calls).await;
    let both = all(&["GET /bytes/1", "PUT /bytes/1"]);
    run.check_calls("all_auto_traits", all_auto_traits(client, url), 400, &both).await;
    run.check_calls("caught", caught(client, url), true, &both).await;
    let work = async { Letters::fetch(&sdk, &3).await.unwrap().0 };
    run.check_calls("fetch", work, 3, &[recorded("GET /bytes/3")]).await;
}
