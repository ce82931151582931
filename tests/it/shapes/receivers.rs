//! Receivers that are blocks, `if` and `match` expressions. They produce a value, even from a variable.

use std::cell::RefCell;

use reqwest::{Client, Method, RequestBuilder};

use super::traced_http;
use crate::shapes::run::{Run, recorded};
use crate::shapes::senders::{Counter, Log, Once, Shared};

#[traced_http]
async fn choices(client: &Client, url: &str, method: Method, token: Option<&str>) -> reqwest::Result<u16> {
    let first = match method {
        Method::POST => client.post(url),
        other => client.request(other, url),
    }
    .send()
    .await?;
    let request = client.delete(url);
    let second = if let Some(token) = token { request.bearer_auth(token) } else { request }.send().await?;
    let third = {
        let request = client.patch(url);
        request.header("x-a", "1")
    }
    .send();
    let fourth = { client.head(url) }.send();
    let (third, fourth) = tokio::join!(third, fourth);
    match if token.is_some() { client.get(url) } else { client.put(url) }.send().await {
        Ok(last) => Ok([first, second, third?, fourth?, last].iter().map(|answer| answer.status().as_u16()).sum()),
        Err(error) => Err(error),
    }
}

#[traced_http]
async fn from_a_list(mut requests: Vec<RequestBuilder>, spare: Option<RequestBuilder>) -> usize {
    let mut count = 0;
    while let Ok(answer) = match requests.pop() {
        Some(request) => request,
        None => return count,
    }
    .send()
    .await
    {
        count += answer.content_length().unwrap() as usize;
    }
    let pair = (spare, 1);
    if let Some(request) = pair.0 {
        count += { request }.send().await.map_or(0, |_| pair.1);
    }
    count
}

/// References pass through, values are moved, and temporaries live as long as without the attribute.
#[traced_http]
fn own_types(shared: &Shared, counter: &mut Counter, flag: bool, log: &Log) -> (u32, String) {
    let other = Counter { count: 10 };
    let once = Once("moved".into());
    let sum = if flag { shared } else { &Shared(9) }.send() + { &mut *counter }.send();
    counter.send();
    let mut chosen = other;
    let more = match flag {
        true => &mut *counter,
        false => &mut chosen,
    }
    .send();
    let cell = RefCell::new(Shared(2));
    let borrowed = { cell.borrow().clone() }.send() + { log.noisy("block") }.send();
    log.note("end");
    (sum + more + chosen.send() + borrowed, if flag { once } else { Once(String::new()) }.send())
}

/// A block around a constant is promoted like the constant.
#[traced_http]
fn promoted(flag: bool) -> &'static u8 {
    struct Word(u8);
    impl Word {
        fn send(&self) -> &u8 {
            &self.0
        }
    }
    if flag {
        return { Word(7) }.send();
    }
    vec![Shared(1)].remove(0).send();
    ({ Word(8) }).send()
}

#[tokio::test]
async fn receivers() {
    let run = Run::start(super::IS_TRACED).await;
    let (client, url) = (&run.client, &run.url("/bytes/1"));
    let calls = ["PUT", "DELETE", "PATCH", "HEAD", "GET"];
    let lines = ["PUT /bytes/1", "DELETE /bytes/1", "PATCH /bytes/1", "HEAD /bytes/1", "GET /bytes/1"];
    let work = async { choices(client, url, Method::PUT, Some("token")).await.unwrap() };
    run.check_calls("choices", work, 200 * calls.len() as u16, &lines.map(recorded)).await;
    let work = async { from_a_list(vec![client.get(url), client.put(url)], Some(client.post(url))).await };
    run.check_calls("from_a_list", work, 2, &["GET /bytes/1", "PUT /bytes/1"].map(recorded)).await;
    let log = &Log::default();
    let work = async { (own_types(&Shared(1), &mut Counter::default(), true, log), log.take()) };
    let expected = ((1 + 1 + 3 + 11 + 2 + 7, "moved".to_owned()), vec!["send", "block", "end"]);
    run.check("own_types", work, expected).await;
    run.check("promoted", async { *promoted(true) + *promoted(false) }, 15).await;
}
