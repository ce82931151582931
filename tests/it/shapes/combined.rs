//! Futures of a client beside futures of the same type that other functions make: in merged lists, in selections, and
//! behind functions that take the type. A call is replaced only if all futures of its place are.

use std::future::Future;
use std::pin::Pin;

use futures::FutureExt as _;
use futures::future::{Either, join, join_all, select, try_select};
use futures::stream::{self, FuturesUnordered, StreamExt as _};
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

fn other(client: &HyperClient, url: &str) -> ResponseFuture {
    client.request(request(url))
}

fn take(future: ResponseFuture) -> impl Future<Output = u16> {
    future.map(status)
}

fn keep(_: &ResponseFuture) -> bool {
    true
}

/// Lists that are merged: where the syntax shows both lists, both are replaced.
#[traced_http]
async fn in_merged_lists(client: &HyperClient, url: &str) -> usize {
    let urls = [url];
    let start = || urls.iter().map(|url| client.request(request(url)));
    let first = urls.iter().map(|url| client.request(request(url)));
    let first = join_all(first.chain(start())).await;
    let second = urls.iter().map(|url| client.request(request(url)));
    let second = join_all(second.chain(urls.iter().map(|url| client.request(request(url))))).await;
    let third = urls.iter().map(|url| client.request(request(url))).chain([client.request(request(url))]);
    let third = join_all(third).await;
    let fourth = stream::iter(urls).map(|url| client.request(request(url)));
    let fourth = fourth.chain(stream::iter(urls).map(|url| client.request(request(url)))).buffered(2).count().await;
    let fifth = stream::iter(urls).map(|url| client.request(request(url)));
    first.len() + second.len() + third.len() + fourth + fifth.buffered(2).count().await
}

#[traced_http]
async fn in_one_expression(client: &HyperClient, url: &str) -> usize {
    let urls = [url];
    let first = join_all(
        urls.iter().map(|url| client.request(request(url))).chain(urls.iter().map(|url| client.request(request(url)))),
    )
    .await;
    let second =
        join_all(urls.iter().map(|url| client.request(request(url))).rev().chain(vec![client.request(request(url))]))
            .await;
    let third = stream::iter(urls)
        .map(|url| client.request(request(url)))
        .chain(stream::iter(urls).map(|url| client.request(request(url))))
        .buffered(2)
        .count();
    first.len() + second.len() + third.await
}

/// Lists that are merged with lists of other futures.
#[traced_http]
async fn beside_other_lists(client: &HyperClient, url: &str) -> usize {
    let urls = [url];
    let first = join_all(urls.iter().map(|url| client.request(request(url))).chain([other(client, url)])).await;
    let second = join_all(urls.iter().map(|url| client.request(request(url))).chain(Some(other(client, url)))).await;
    let third = stream::iter(urls).map(|url| client.request(request(url)));
    let third = third.chain(stream::iter([other(client, url)])).buffered(2).count().await;
    let fourth: Vec<_> = urls.iter().map(|url| client.request(request(url))).collect();
    let mut count = first.len() + second.len() + third;
    for future in fourth.into_iter().chain([other(client, url)]) {
        count += usize::from(future.await.is_ok());
    }
    count
}

#[traced_http]
fn returned_beside_another(
    client: &HyperClient,
    urls: [String; 1],
) -> impl Iterator<Item = impl Future<Output = Answer>> + use<'_> {
    let last = other(client, &urls[0]);
    urls.into_iter().map(|url| client.request(request(&url))).chain([last])
}

/// Methods of lists that pass the futures themselves to a function, or return them.
#[traced_http]
async fn passed_by_a_list(client: &HyperClient, url: &str) -> u16 {
    let urls = [url];
    let mut futures = urls.iter().map(|url| client.request(request(url)));
    let mut sum = take(futures.next().unwrap()).await;
    let mut futures = urls.iter().map(|url| client.request(request(url)));
    while let Some(future) = futures.next() {
        sum += take(future).await;
    }
    let futures = stream::iter(urls).map(|url| client.request(request(url)));
    let mut futures = std::pin::pin!(futures);
    while let Some(future) = futures.next().await {
        sum += take(future).await;
    }
    let futures = [client.request(request(url)), client.request(request(url))];
    sum += join_all(futures.map(take)).await.iter().sum::<u16>();
    sum += join_all(urls.iter().map(|url| client.request(request(url))).map(take)).await[0];
    sum += status(join_all(urls.iter().map(|url| client.request(request(url))).filter(keep)).await.remove(0));
    let futures: Vec<_> = stream::iter(urls).map(|url| client.request(request(url))).collect().await;
    sum += join_all(futures.into_iter().map(take)).await[0];
    sum + take(std::future::ready(url).map(|url| client.request(request(url))).await).await
}

/// Lists whose `next` polls the futures.
#[traced_http]
async fn polled_by_a_list(client: &HyperClient, url: &str) -> u16 {
    let urls = [url];
    let mut first = urls.iter().map(|url| client.request(request(url))).collect::<FuturesUnordered<_>>();
    let second = urls.iter().map(|url| client.request(request(url)));
    let mut second = second.collect::<FuturesUnordered<_>>();
    let third = urls.iter().map(|url| client.request(request(url)));
    let count = third.len() as u16;
    status(first.next().await.unwrap()) + status(second.next().await.unwrap()) + join_all(third).await.len() as u16
        - count
}

/// The future that `select` returns unfinished has the type of either.
#[traced_http]
async fn losers(client: &HyperClient, url: &str) -> u16 {
    let mut first = match select(client.request(request(url)), other(client, url)).await {
        Either::Left((answer, rest)) | Either::Right((answer, rest)) => status(answer) + take(rest).await,
    };
    let second = select(client.request(request(url)), other(client, url)).await;
    let (answer, rest) = second.into_inner();
    first += status(answer) + take(rest).await;
    let selections =
        vec![select(client.request(request(url)), other(client, url)), select(other(client, url), other(client, url))];
    for selection in join_all(selections).await {
        let (answer, rest) = selection.into_inner();
        first += status(answer) + take(rest).await;
    }
    first
}

#[traced_http]
async fn losers_apart(client: &HyperClient, url: &str) -> u16 {
    let first = match select(client.request(request(url)), client.request(request(url))).await {
        Either::Left((answer, rest)) | Either::Right((answer, rest)) => status(answer) + status(rest.await),
    };
    let second = match select(client.request(request(url)), other(client, url)).await {
        Either::Left((answer, rest)) => status(answer) + take(rest).await,
        Either::Right((answer, rest)) => status(answer) + status(rest.await),
    };
    let third = client.request(request(url));
    let third = match try_select(third, other(client, url)).await {
        Ok(Either::Left((answer, rest))) => answer.status().as_u16() + take(rest).await,
        Ok(Either::Right((answer, rest))) => answer.status().as_u16() + status(rest.await),
        Err(Either::Left(_)) => 1,
        Err(Either::Right(_)) => 2,
    };
    let (fourth, rest) = select(client.request(request(url)), other(client, url)).await.factor_first();
    first + second + third + status(fourth) + status(rest.await)
}

/// The futures of `join` are compared one by one.
#[traced_http]
async fn joined(client: &HyperClient, url: &str, flag: bool) -> u16 {
    let first = if flag {
        join(client.request(request(url)), client.request(request(url)))
    } else {
        join(client.request(request(url)), other(client, url))
    };
    let second = if flag {
        join(client.request(request(url)), other(client, url))
    } else {
        join(client.request(request(url)), other(client, url))
    };
    let (first, second) = (first.await, second.await);
    status(first.0) + status(first.1) + status(second.0) + status(second.1)
}

/// A closure in a variable, whose method calls it repeatedly.
trait Retries<F: Future>: Fn() -> F + Sized {
    fn retry(self, turns: usize) -> impl Future<Output = F::Output> {
        async move {
            for _ in 1..turns {
                self().await;
            }
            self().await
        }
    }
}

impl<F: Future, C: Fn() -> F> Retries<F> for C {}

/// Named as the type of the crate tokio-retry.
struct Retry;

impl Retry {
    fn spawn<F: Future>(turns: usize, action: impl Fn() -> F) -> impl Future<Output = F::Output> {
        action.retry(turns)
    }
}

#[traced_http]
async fn retried(client: &HyperClient, url: &str) -> u16 {
    let first = || client.request(request(url));
    let first = first.retry(2).await;
    let second = Retry::spawn(1, || client.request(request(url))).await;
    let third = || client.request(request(url));
    status(first) + status(second) + status(Retry::spawn(1, third).await)
}

/// A box of each future, in a list.
#[traced_http]
fn boxed(client: &HyperClient, url: &str) -> Vec<Pin<Box<dyn Future<Output = Answer>>>> {
    vec![Box::pin(client.request(request(url))), Box::pin(client.request(request(url)))]
}

#[tokio::test]
async fn combined_futures() {
    let run = Run::start(super::IS_TRACED).await;
    let client: &HyperClient = &Client::builder(TokioExecutor::new()).build_http();
    let url = &run.url("/bytes/1");
    let (seen, unseen) = (recorded("GET /bytes/1"), unrecorded("GET /bytes/1"));

    let calls = [unseen, unseen, unseen, unseen, unseen, unseen, seen, seen, seen];
    run.check_calls("in_merged_lists", in_merged_lists(client, url), 9, &calls).await;
    run.check_calls("in_one_expression", in_one_expression(client, url), 6, &[seen; 6]).await;
    run.check_calls("beside_other_lists", beside_other_lists(client, url), 8, &[unseen; 8]).await;
    let urls = [url.clone()];
    let work = async { join_all(returned_beside_another(client, urls)).await.len() };
    run.check_calls("returned_beside_another", work, 2, &[unseen; 2]).await;
    run.check_calls("passed_by_a_list", passed_by_a_list(client, url), 1800, &[unseen; 9]).await;
    run.check_calls("polled_by_a_list", polled_by_a_list(client, url), 400, &[seen; 3]).await;
    run.check_calls("losers", losers(client, url), 1600, &[unseen; 8]).await;
    let calls = [seen, seen, seen, unseen, seen, unseen, seen, unseen];
    run.check_calls("losers_apart", losers_apart(client, url), 1600, &calls).await;
    run.check_calls("joined", joined(client, url, true), 800, &[unseen, unseen, seen, unseen]).await;
    run.check_calls("retried", retried(client, url), 600, &[seen; 4]).await;
    run.check_calls("boxed", async { join_all(boxed(client, url)).await.len() }, 2, &[seen; 2]).await;
}
