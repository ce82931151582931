//! Arguments whose type is inferred from the call that they stand in, or from later code.

use std::error::Error;
use std::fmt::Display;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use reqwest::{Client, Request};
use tower::Service as _;

use super::traced_http;
use crate::shapes::run::{Run, recorded, unrecorded};
use crate::shapes::senders::Shared;

type Hyper = hyper_util::client::legacy::Client<HttpConnector, Empty<Bytes>>;

/// Takes any argument that implements `Display`.
#[derive(Default)]
struct Database(Vec<String>);

impl Database {
    fn execute<T: Display>(&mut self, value: T) -> usize {
        self.0.push(value.to_string());
        self.0.len()
    }

    fn run<T: Clone>(&self, value: T) -> (T, usize) {
        (value, self.0.len())
    }

    fn request(&self, choose: impl for<'a> Fn(&'a String) -> &'a str) -> u64 {
        self.0.iter().map(|text| choose(text).len() as u64).sum()
    }

    fn oneshot(&self, numbers: &[u64]) -> u64 {
        numbers.iter().sum()
    }

    fn call(&mut self, number: u64) -> u64 {
        self.0.push(number.to_string());
        number
    }
}

fn small(number: i8) -> i8 {
    number
}

/// The first call of a closure decides the type of its parameter.
#[traced_http]
fn closures_in_variables(mut database: Database) -> Vec<String> {
    let mut show = |value| database.execute(value);
    show("text");
    show("more");
    let mut number = async |value| database.execute(value);
    drop(number(1.5));
    let twice = |(first, second)| [Shared(1).clone().send(), second, first].len();
    assert_eq!(twice((1, 2)), 3);
    database.0
}

#[traced_http]
fn declared_first(mut database: Database, text: &str, flag: bool) -> Result<usize, std::num::ParseIntError> {
    let value;
    if flag {
        value = text.parse()?;
    } else {
        value = Default::default();
    }
    database.execute(value);
    let (first, second);
    (first, second) = (text.parse()?, Shared(2).clone().send());
    database.run(first);
    Ok(usize::from(small(value) as u8) + usize::from(small(first) as u8) + second as usize)
}

fn wide(number: i64) -> i64 {
    number
}

fn from_nothing<T: Default>() -> T {
    T::default()
}

fn decode_text<T: std::str::FromStr>(text: &str) -> Result<T, T::Err> {
    text.parse()
}

struct Body(&'static str);

impl Body {
    fn json<T: std::str::FromStr>(&self) -> Result<T, T::Err> {
        self.0.parse()
    }
}

/// A use after the call says what the variables are, whatever method or function gave their values.
#[traced_http]
fn conversions_behind_a_variable(mut database: Database, text: &str) -> Option<i64> {
    let unwrapped = text.parse().unwrap();
    let expected = text.parse().expect("a number");
    let defaulted = text.parse().unwrap_or_default();
    let chosen = text.parse().unwrap_or_else(|_| Default::default());
    let mapped = text.parse().map_err(drop).ok()?;
    let sum = [1, 2].into_iter().map(wide).sum();
    let product = [2, 3].into_iter().map(wide).product();
    let made = from_nothing();
    let decoded = decode_text(text).unwrap();
    let read = Body("7").json().unwrap();
    let converted = 3_i8.try_into().unwrap();
    let word = text.chars().collect();
    database.execute(unwrapped);
    database.execute(expected);
    database.execute(defaulted);
    database.execute(chosen);
    database.execute(mapped);
    database.execute(sum);
    database.execute(product);
    database.execute(made);
    database.execute(decoded);
    database.execute(read);
    database.execute(converted);
    let (word, _) = database.run(word);
    let _: String = word;
    let first = wide(unwrapped) + wide(expected) + wide(defaulted) + wide(chosen) + wide(mapped);
    Some(first + wide(sum) + wide(product) + wide(made) + wide(decoded) + wide(read) + wide(converted))
}

/// The method of a client decides that its argument is a request.
#[traced_http]
async fn conversions(client: &Client, url: &str) -> Result<u16, Box<dyn Error>> {
    let head = http::Request::head(url).body("")?;
    let first = client.execute(head.try_into()?).await?;
    let request;
    if url.is_empty() {
        return Ok(0);
    } else {
        request = client.put(url).build()?;
    }
    let second = client.execute(request).await?;
    let send = |request| client.execute(request);
    let third = send(client.post(url).build()?).await?;
    let last = Client::execute(client, Request::new(http::Method::GET, url.parse()?)).await?;
    Ok([first, second, third, last].iter().map(|answer| answer.status().as_u16()).sum())
}

/// An associated function of a type returns that type. One of a trait returns the type that the context asks for.
#[traced_http]
async fn functions_of_types(mut service: Hyper, mut database: Database, url: &str) -> Result<u16, Box<dyn Error>> {
    let (mut parts, body) = http::Request::get(url).body(Empty::<Bytes>::new())?.into_parts();
    parts.headers.insert("x-a", "b".parse()?);
    let request = http::Request::from_parts(parts.clone(), body);
    let first = service.call(request).await?;
    let second = service.call(http::Request::from_parts(parts, Empty::default())).await?;
    let (number, text) = (From::from(1_u8), Default::default());
    database.execute(number);
    database.execute(Clone::clone(&text));
    let (_, _): (i64, String) = (number, text);
    Ok(first.status().as_u16() + second.status().as_u16() + database.0.len() as u16)
}

#[traced_http]
fn a_client_of_another_kind(mut client: Database, text: &str) -> Result<u64, std::num::ParseIntError> {
    let id = text.parse()?;
    let sum = client.call(id) + client.call(text.parse()?) + client.call(3_u8.into());
    client.execute(format!("{sum}"));
    client.execute("text");
    let length = client.request(|text| text.trim()) + client.oneshot(&[1, 2]);
    Ok(sum + client.run(sum).0 + client.call(Default::default()) + length)
}

#[tokio::test]
async fn inference() {
    let run = Run::start(super::IS_TRACED).await;
    let work = async { closures_in_variables(Database::default()) };
    run.check("closures_in_variables", work, vec!["text".to_owned(), "more".to_owned()]).await;
    run.check("declared_first", async { declared_first(Database::default(), "5", true) }, Ok(5 + 5 + 2)).await;
    let work = async { conversions_behind_a_variable(Database::default(), "5") };
    run.check("conversions_behind_a_variable", work, Some(5 * 5 + 3 + 6 + 5 + 7 + 3)).await;
    let (client, url) = (&run.client, &run.url("/bytes/1"));
    let calls = ["HEAD /bytes/1", "PUT /bytes/1", "POST /bytes/1"].map(recorded);
    let work = async { conversions(client, url).await.unwrap() };
    run.check_calls("conversions", work, 800, &[&calls[..], &[unrecorded("GET /bytes/1")]].concat()).await;
    let service = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
    let work = async { functions_of_types(service, Database::default(), url).await.unwrap() };
    run.check_calls("functions_of_types", work, 402, &[recorded("GET /bytes/1"); 2]).await;
    let work = async { a_client_of_another_kind(Database::default(), "5") };
    run.check("a_client_of_another_kind", work, Ok(13 + 13 + 12)).await;
}
