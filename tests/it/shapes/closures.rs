//! Closures and async blocks: they capture the same variables in the same way, for the same time.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::LazyLock;
use std::thread;

use reqwest::{Client, RequestBuilder, Response};

use super::traced_http;
use crate::shapes::run::{Run, recorded};
use crate::shapes::senders::{Counter, Once, Send0, Shared};

#[traced_http]
fn called_twice() -> u32 {
    let (shared, mut counter) = (Shared(1), Counter::default());
    let look = || shared.send();
    let mut count = || counter.send();
    count();
    look() + look() + count() + shared.send()
}

/// An `FnOnce` closure stays `FnOnce`, and the variables that it does not capture stay usable.
#[traced_http]
fn moves_one_field() -> (String, String) {
    struct Two {
        first: Once,
        second: Once,
    }
    let two = Two { first: Once("first".into()), second: Once("second".into()) };
    let take = || two.first.send();
    (two.second.send(), take())
}

/// The closure captures one field while the other field is used.
#[traced_http]
fn disjoint_fields() -> (u32, u32, u32) {
    struct Hub {
        out: Counter,
        log: Counter,
        rest: (Counter, u32),
    }
    let mut hub = Hub { out: Counter::default(), log: Counter::default(), rest: (Counter::default(), 7) };
    let mut out = || hub.out.send() + hub.rest.0.send();
    hub.log.send();
    out();
    let logged = hub.log.send();
    hub.rest.1 += 1;
    (out(), logged, hub.rest.1)
}

#[traced_http]
fn disjoint_fields_of_self(hub: &mut (Counter, Counter)) -> u32 {
    let mut first = || hub.0.send();
    hub.1.send() + first() + first()
}

/// The closure outlives the variable, but not the value that the variable refers to.
#[traced_http]
fn escapes<'a>(shared: &'a Shared) -> impl Fn() -> u32 + 'a {
    || shared.send()
}

#[traced_http]
fn escapes_exclusively<'a>(counter: &'a mut Counter) -> impl FnMut() -> u32 + 'a {
    || counter.send()
}

#[traced_http]
fn escapes_with_a_field<'a>(pair: &'a (Shared, u32)) -> Box<dyn Fn() -> u32 + 'a> {
    Box::new(|| pair.0.send() + pair.1)
}

/// The declaration of the variable does not show that it is a reference.
#[traced_http]
fn escapes_by_inference(map: &BTreeMap<u8, Shared>) -> Option<impl Fn() -> u32 + '_> {
    let found = map.get(&1)?;
    Some(|| found.send())
}

#[traced_http]
fn escapes_from_a_pattern<'a>(option: &'a Option<Shared>, text: &'a (&'a str, u8)) -> Box<dyn Fn() -> u32 + 'a> {
    let (first, _) = text;
    if let Some(shared) = option { Box::new(|| shared.send()) } else { Box::new(|| first.send()) }
}

#[traced_http]
fn escapes_from_an_exclusive_pattern(option: &mut Option<Counter>) -> Option<impl FnMut() -> u32 + '_> {
    if let Some(counter) = &mut *option {
        return Some(|| counter.send());
    }
    None
}

#[traced_http]
fn escapes_from_a_match(option: &mut Option<Counter>) -> Box<dyn FnMut() -> u32 + '_> {
    match &mut *option {
        Some(counter) => Box::new(|| counter.send()),
        None => Box::new(|| 0),
    }
}

#[traced_http]
fn escapes_from_a_lookup(map: &mut BTreeMap<u8, Counter>) -> impl FnMut() -> u32 + '_ {
    let counter = map.get_mut(&1).unwrap();
    || counter.send()
}

#[traced_http]
fn escapes_from_an_entry(map: &mut BTreeMap<u8, Counter>) -> impl FnMut() -> u32 + '_ {
    let counter = map.entry(1).or_default();
    || counter.send()
}

/// The items are references to references, of which the inner one lives longer.
#[traced_http]
fn escapes_from_a_list_of_references<'a>(list: &[&'a Shared]) -> Vec<Box<dyn Fn() -> u32 + 'a>> {
    let mut closures: Vec<Box<dyn Fn() -> u32 + 'a>> = Vec::new();
    for shared in list.iter() {
        closures.push(Box::new(|| shared.send()));
    }
    closures
}

#[traced_http]
fn escapes_from_a_loop(counters: &mut [Counter]) -> Vec<Box<dyn FnMut() -> u32 + '_>> {
    let mut closures: Vec<Box<dyn FnMut() -> u32 + '_>> = Vec::new();
    for counter in counters.iter_mut().rev() {
        closures.push(Box::new(|| counter.send()));
    }
    closures
}

/// The binding of an `if let` does not hold in its `else`.
#[traced_http]
fn escapes_from_an_else<'a>(counter: &'a mut Counter, other: Option<Counter>) -> Box<dyn FnMut() -> u32 + 'a> {
    if let Some(mut counter) = other { Box::new(move || counter.send()) } else { Box::new(|| counter.send()) }
}

#[traced_http]
fn references_that_are_not_exclusive(counter: &mut (Shared, u32)) -> u32 {
    let pair = &mut *counter;
    let look = || pair.0.send();
    let also = &pair.0;
    fn calls(look: impl Fn() -> u32) -> u32 {
        look() + look()
    }
    calls(look) + also.send()
}

/// The closure copies a reference out of a struct and does not borrow the struct.
#[traced_http]
fn copies_a_reference<'a>(shared: &'a Shared) -> impl Fn() -> u32 + 'a {
    struct Holder<'a> {
        shared: &'a Shared,
    }
    let holder = Holder { shared };
    || holder.shared.send()
}

#[traced_http]
fn in_threads() -> u32 {
    let (shared, counter) = (Shared(2), Cell::new(Counter::default()));
    let other = thread::spawn(move || counter.take().send()).join().unwrap();
    let scoped = thread::scope(|scope| scope.spawn(|| shared.send()).join().unwrap());
    other + scoped + shared.send()
}

#[traced_http]
async fn async_blocks(shared: Shared) -> (u32, u32) {
    let mut counter = Counter::default();
    let looks = async { shared.send() };
    let counts = async { counter.send() };
    let (looked, _) = tokio::join!(looks, counts);
    (looked + shared.send(), counter.send())
}

/// The block borrows the variable that it calls a method on, and moves the variable that it consumes.
#[traced_http]
async fn async_blocks_with_requests(client: &Client, url: &str) -> Vec<u16> {
    let (first, second) = (client.get(url), client.post(url));
    let name = String::from("x-name");
    let first = async { first.header(&name, "1").send().await.map(|response| response.status().as_u16()) };
    let second = async {
        let response = second.send().await?;
        Ok(response.status().as_u16())
    };
    let both: Result<_, reqwest::Error> = futures::future::try_join(first, second).await;
    drop(name);
    both.map(|(first, second)| vec![first, second]).unwrap()
}

#[traced_http]
async fn closures_that_make_requests(client: &Client, urls: &[String]) -> u64 {
    let fetch = |url: &String| client.get(url).send();
    let count = |response: Response| response.content_length().unwrap();
    let first = fetch(&urls[0]).await.unwrap();
    let second = fetch(&urls[1]).await.unwrap();
    count(first) + count(second)
}

/// A closure that moves the builder out of a captured variable.
#[traced_http]
async fn closure_that_takes_a_request(request: RequestBuilder) -> u16 {
    async fn run<F: Future<Output = reqwest::Result<Response>>>(start: impl FnOnce() -> F) -> u16 {
        start().await.unwrap().status().as_u16()
    }
    run(|| request.send()).await
}

/// The closure moves a builder out of a field. The other fields stay usable.
#[traced_http]
async fn closure_that_takes_a_field(client: &Client, url: &str) -> (u16, u32) {
    struct Prepared {
        request: RequestBuilder,
        rest: Shared,
    }
    let prepared = Prepared { request: client.get(url), rest: Shared(5) };
    let start = || prepared.request.send();
    let rest = prepared.rest.send();
    (start().await.unwrap().status().as_u16(), rest)
}

#[traced_http]
async fn async_closures(client: &Client, url: &str) -> (u16, u32) {
    let mut counter = Counter::default();
    let fetch = async |suffix: &str| client.get(format!("{url}{suffix}")).send().await.unwrap().status().as_u16();
    let mut count = async || counter.send();
    count().await;
    (fetch("1").await + fetch("2").await, count().await)
}

/// A closure that names no variable of the function may be a function pointer, and a closure that is not `move` may be
/// `Copy`.
#[traced_http(annotate(number = number))]
fn annotated(number: u32) -> (u32, u32, u32) {
    fn twice<F: Fn(u32) -> u32 + Copy>(closure: F) -> u32 {
        let copy = closure;
        closure(1) + copy(2)
    }
    let pointer: fn(u32) -> u32 = |other| vec![Shared(other)].remove(0).send();
    let moved: fn(&Shared) -> u32 = move |shared| shared.clone().send();
    let lazy: LazyLock<u32> = LazyLock::new(|| vec![Shared(4)].remove(0).send());
    let borrowed = twice(|other| vec![Shared(number + other)].remove(0).send());
    (pointer(1) + moved(&Shared(2)), *lazy, borrowed)
}

#[tokio::test]
async fn closures() {
    let run = Run::start(super::IS_TRACED).await;
    run.check("called_twice", async { called_twice() }, 1 + 1 + 2 + 1).await;
    run.check("moves_one_field", async { moves_one_field() }, ("second".into(), "first".into())).await;
    run.check("annotated", async { annotated(5) }, (1 + 2, 4, 6 + 7)).await;
    run.check("disjoint_fields", async { disjoint_fields() }, (4, 2, 8)).await;
    let work = async { disjoint_fields_of_self(&mut (Counter::default(), Counter::default())) };
    run.check("disjoint_fields_of_self", work, 4).await;
    run.check("escapes", async { escapes(&Shared(2))() }, 2).await;
    run.check("escapes_exclusively", async { escapes_exclusively(&mut Counter::default())() }, 1).await;
    run.check("escapes_with_a_field", async { escapes_with_a_field(&(Shared(2), 1))() }, 3).await;
    let map = BTreeMap::from([(1, Shared(4))]);
    run.check("escapes_by_inference", async { escapes_by_inference(&map).unwrap()() }, 4).await;
    let work =
        async { escapes_from_a_pattern(&None, &("abc", 1))() + escapes_from_a_pattern(&Some(Shared(1)), &("", 1))() };
    run.check("escapes_from_a_pattern", work, 4).await;
    let work = async { escapes_from_an_exclusive_pattern(&mut Some(Counter::default())).unwrap()() };
    run.check("escapes_from_an_exclusive_pattern", work, 1).await;
    run.check("escapes_from_a_match", async { escapes_from_a_match(&mut Some(Counter::default()))() }, 1).await;
    let mut map = BTreeMap::from([(1, Counter::default())]);
    run.check("escapes_from_a_lookup", async { escapes_from_a_lookup(&mut map)() }, 1).await;
    run.check("escapes_from_an_entry", async { escapes_from_an_entry(&mut map)() }, 2).await;
    let shared = Shared(3);
    let work = async { escapes_from_a_list_of_references(&[&shared, &shared]).iter().map(|look| look()).sum::<u32>() };
    run.check("escapes_from_a_list_of_references", work, 6).await;
    let mut counters = [Counter::default(), Counter { count: 5 }];
    let work = async { escapes_from_a_loop(&mut counters).into_iter().map(|mut count| count()).collect::<Vec<_>>() };
    run.check("escapes_from_a_loop", work, vec![6, 1]).await;
    let work = async { escapes_from_an_else(&mut Counter::default(), None)() };
    run.check("escapes_from_an_else", work, 1).await;
    let work = async { references_that_are_not_exclusive(&mut (Shared(2), 0)) };
    run.check("references_that_are_not_exclusive", work, 6).await;
    run.check("copies_a_reference", async { copies_a_reference(&Shared(2))() }, 2).await;
    run.check("in_threads", async { in_threads() }, 5).await;
    run.check("async_blocks", async_blocks(Shared(2)), (4, 2)).await;

    let (client, url) = (&run.client, &run.url("/bytes/3"));
    let get = &[recorded("GET /bytes/3")];
    let both = [recorded("GET /bytes/3"), recorded("POST /bytes/3")];
    let work = async_blocks_with_requests(client, url);
    run.check_calls("async_blocks_with_requests", work, vec![200, 200], &both).await;
    let urls = [url.clone(), run.url("/bytes/4")];
    let calls = [recorded("GET /bytes/3"), recorded("GET /bytes/4")];
    run.check_calls("closures_that_make_requests", closures_that_make_requests(client, &urls), 7, &calls).await;
    run.check_calls("closure_that_takes_a_request", closure_that_takes_a_request(client.get(url)), 200, get).await;
    run.check_calls("closure_that_takes_a_field", closure_that_takes_a_field(client, url), (200, 5), get).await;
    let calls = [recorded("GET /bytes/1"), recorded("GET /bytes/2")];
    run.check_calls("async_closures", async_closures(client, &run.url("/bytes/")), (400, 2), &calls).await;
}
