//! Methods of an SDK that take the client's request and return a type that the caller chooses, and other calls whose
//! types are determined by code after the call.

use std::collections::HashMap;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryFutureExt as _};
use reqwest::{Client, Request};

use super::traced_http;
use crate::shapes::run::{Run, recorded, timed, unrecorded};

/// The answer of the service, in a form that the caller chooses.
trait Decode: Sized {
    fn decode(status: u16) -> Self;
}

#[derive(Debug, PartialEq)]
struct Version {
    major: u16,
}

impl Decode for Version {
    fn decode(status: u16) -> Self {
        Self { major: status }
    }
}

impl Decode for u16 {
    fn decode(status: u16) -> Self {
        status
    }
}

impl Decode for String {
    fn decode(status: u16) -> Self {
        status.to_string()
    }
}

impl Decode for () {
    fn decode(_: u16) {}
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(status: u16) -> Self {
        vec![T::decode(status)]
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(status: u16) -> Self {
        Some(T::decode(status))
    }
}

type Result<T> = std::result::Result<T, reqwest::Error>;

/// A client as SDKs have it.
#[derive(Clone)]
struct Api {
    http: Client,
    url: String,
}

impl Api {
    fn get(&self) -> Request {
        self.http.get(&self.url).build().unwrap()
    }

    async fn execute<T: Decode>(&self, request: Request) -> Result<T> {
        let sent = self.http.execute(request);
        Ok(T::decode(sent.await?.status().as_u16()))
    }

    /// The future has the lifetime of an argument.
    async fn execute_with_extensions<T: Decode>(&self, request: Request, label: &str) -> Result<T> {
        assert!(!label.is_empty());
        self.execute(request).await
    }

    /// A blocking method. It sends nothing.
    fn request<T: Decode>(&self, request: Request) -> std::result::Result<T, std::num::ParseIntError> {
        Ok(T::decode(request.url().path().len() as u16))
    }

    /// A method whose whole result is the type parameter.
    fn oneshot<T: Decode>(&self, request: Request) -> T {
        T::decode(request.url().path().len() as u16)
    }

    async fn run<T: Clone>(&self, value: T) -> (T, u16) {
        (value.clone(), self.url.len() as u16)
    }
}

impl Api {
    #[traced_http]
    async fn at_the_end(&self) -> Result<Version> {
        self.execute(self.get()).await
    }

    #[traced_http]
    async fn in_a_let(&self) -> Result<u16> {
        let request = self.get();
        let version: Version = self.execute(request).await?;
        Ok(version.major)
    }

    #[traced_http]
    async fn in_a_field(&self) -> Result<Version> {
        Ok(Version { major: self.execute(self.get()).await? })
    }

    #[traced_http]
    async fn by_a_later_use(&self) -> Result<usize> {
        fn length(list: &[String]) -> usize {
            list.len()
        }
        let list: Vec<_> = self.execute(self.get()).await?;
        Ok(length(&list))
    }

    #[traced_http]
    async fn as_an_argument(&self) -> Result<HashMap<u16, Option<String>>> {
        let mut all = HashMap::new();
        all.insert(self.execute(self.get()).await?, self.execute(self.get()).await?);
        Ok(all)
    }

    #[traced_http]
    async fn in_a_branch(&self, flag: bool) -> Result<String> {
        let text = if flag { self.execute(self.get()).await? } else { String::new() };
        match flag {
            true if text.is_empty() => Ok(text),
            true => self.execute(self.get()).await,
            false => return self.execute(self.get()).await,
        }
    }

    #[traced_http]
    async fn in_a_loop(&self) -> Result<u16> {
        let mut sum = 0;
        for count in 0..2 {
            let label = format!("label {count}");
            let version: Version = self.execute_with_extensions(self.get(), &label).await?;
            sum += version.major;
            let borrowed: Version = self.execute(self.get()).await.map_err(|error| error.without_url())?;
            sum += borrowed.major;
        }
        Ok(sum)
    }

    #[traced_http]
    async fn in_closures(&self) -> Result<u16> {
        let again = || self.execute(self.get());
        let version: Version = again().await?;
        let and = async |request| self.execute(request).await;
        let number: u16 = and(self.get()).await?;
        let requests = futures::stream::iter([self.get(), self.get()]);
        let texts: Vec<Result<String>> = requests.map(|request| self.execute(request)).buffered(2).collect().await;
        Ok(version.major + number + texts.len() as u16)
    }

    #[traced_http]
    async fn in_async_blocks(&self) -> Result<u16> {
        let block = async { self.execute(self.get()).await };
        let moved = async move { self.execute(self.get()).await };
        let local = async {
            let label = String::from("label");
            self.execute_with_extensions(self.get(), &label).await
        };
        let (first, second, third): (Result<Version>, Result<u16>, Result<Option<u16>>) =
            tokio::join!(block, moved, local);
        Ok(first?.major + second? + third?.unwrap())
    }

    #[traced_http]
    fn in_a_box(&self) -> BoxFuture<'_, Result<Version>> {
        Box::pin(async move { self.execute(self.get()).await })
    }

    #[traced_http]
    fn in_a_box_by_a_method(&self) -> Pin<Box<dyn Future<Output = Result<Vec<Version>>> + Send + '_>> {
        async { self.execute(self.get()).await }.boxed()
    }

    #[traced_http]
    fn as_a_future(&self) -> impl Future<Output = Result<Version>> + Send + use<'_> {
        self.execute(self.get())
    }

    #[traced_http]
    fn kept_for_ever(self) -> impl Future<Output = Result<Version>> + Send + 'static {
        async move { self.execute(self.get()).await }
    }

    #[traced_http]
    async fn methods_of_futures(&self) -> Result<u16> {
        let version = self.execute(self.get()).map_ok(|version: Version| version.major).await?;
        let text: Result<String> = self.execute(self.get()).boxed().await;
        let both: u16 = self
            .execute(self.get())
            .and_then(|number: u16| self.execute(self.get()).map_ok(move |more: u16| number + more))
            .await?;
        Ok(version + both + text?.len() as u16)
    }

    #[traced_http]
    async fn spawned(&self) -> Result<u16> {
        let api = self.clone();
        let task = tokio::spawn(async move { api.execute(api.get()).await });
        let version: Version = task.await.unwrap()?;
        Ok(version.major)
    }

    #[traced_http]
    async fn in_a_timeout(&self) -> Result<Version> {
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, self.execute(self.get())).await.unwrap()
    }

    #[traced_http]
    async fn with_a_turbofish(&self) -> Result<u16> {
        Ok(self.execute::<Version>(self.get()).await?.major)
    }

    #[traced_http]
    fn blocking(&self) -> std::result::Result<u16, Box<dyn std::error::Error>> {
        let version: Version = self.request(self.get())?;
        let list: Vec<_> = self.request(self.get())?;
        let first: &String = &list[0];
        Ok(version.major + first.len() as u16)
    }

    #[traced_http]
    fn blocking_at_the_end(&self) -> std::result::Result<Version, std::num::ParseIntError> {
        self.request(self.get())
    }

    #[traced_http]
    fn the_whole_result(&self) -> Vec<Version> {
        let number: u16 = self.oneshot(self.get());
        let version = self.oneshot(self.get());
        let mut all: Vec<Version> = self.oneshot(self.get());
        all.push(version);
        all.push(Version { major: number });
        all
    }

    #[traced_http]
    async fn the_client_of_the_sdk(&self) -> Result<u16> {
        Ok(self.http.execute(self.get()).await?.status().as_u16())
    }

    /// The type of the argument is that of the parameter.
    #[traced_http]
    async fn converted(&self) -> std::result::Result<Version, Box<dyn std::error::Error>> {
        let head = http::Request::head(&self.url).body("")?;
        let first: u16 = self.execute(head.try_into()?).await?;
        let head = http::Request::head(&self.url).body(String::new())?;
        let request = head.try_into()?;
        let second: Version = self.execute(request).await?;
        Ok(Version { major: first + second.major })
    }

    /// The type of the argument is that of a variable, which a later line determines.
    #[traced_http]
    async fn generic_arguments(&self) -> std::result::Result<(String, i64), std::num::ParseIntError> {
        let (number, _) = self.run(parsed("7")?).await;
        let (word, _) = self.run(Default::default()).await;
        let (parsed, _) = self.run("8".parse()?).await;
        let (number, parsed): (i64, i64) = (number, parsed);
        Ok((word, number + parsed))
    }
}

fn parsed<T: FromStr>(text: &str) -> std::result::Result<T, T::Err> {
    text.parse()
}

/// A closure that names no variable may become a function pointer.
#[traced_http]
async fn function_pointers(api: Api) -> Result<u16> {
    let send: fn(Api, Request) -> BoxFuture<'static, Result<u16>> = |api, request| {
        Box::pin(async move { api.http.execute(request).await.map(|response| response.status().as_u16()) })
    };
    let count: [fn(&Api, Request) -> u16; 1] = [|api, request| api.oneshot(request)];
    let request = api.get();
    Ok(send(api.clone(), request).await? + count[0](&api, api.get()))
}

/// Closures whose own variables, fields and modules have the names of variables of the function.
#[traced_http]
async fn function_pointers_with_own_names(api: Api, path: &str, url: &str) -> Result<u16> {
    let by_let: fn(&Api, &str) -> u16 = |api, to| {
        let path = format!("{to}/path");
        api.oneshot(api.http.get(path).build().unwrap())
    };
    let by_match: fn(&Api, Option<&str>) -> u16 = |api, to| match to {
        Some(path) if !path.is_empty() => api.oneshot(api.http.get(path).build().unwrap()),
        _ => 0,
    };
    let by_condition: fn(&Api, Option<&str>) -> u16 =
        |api, to| if let Some(url) = to { api.oneshot(api.http.get(url).build().unwrap()) } else { 0 };
    let by_loop: fn(&Api, [&str; 2]) -> u16 = |api, all| {
        let mut sum = 0;
        for url in all {
            sum += api.oneshot::<u16>(api.http.get(url).build().unwrap());
        }
        sum
    };
    let by_parameter: fn(&Api, Option<&str>) -> u16 =
        |api, to| to.map_or(0, |path| api.oneshot(api.http.get(path).build().unwrap()));
    let by_field: fn(&Api) -> u16 = |api| {
        let to = format!("{}/field", api.url);
        api.oneshot(api.http.get(to).build().unwrap())
    };
    let answer: u16 = api.execute(api.get()).await?;
    let lengths = [by_let(&api, url), by_match(&api, Some(path)), by_condition(&api, Some(path)), by_field(&api)];
    Ok(answer + lengths.iter().sum::<u16>() + by_loop(&api, [url, path]) + by_parameter(&api, Some(url)))
}

/// The type parameter of the function is the argument or the result.
#[traced_http]
async fn of_a_type_parameter<T: Decode + Display, A: Clone>(api: &Api, value: A) -> (String, Option<A>) {
    let text: Result<T> = api.execute(api.get()).await;
    let (value, _) = api.run(value).await;
    (text.unwrap().to_string(), Some(value))
}

/// Two calls have a future of one type, and only one of them has a request.
#[derive(Clone)]
struct Either(Client);

trait IntoRequest {
    fn into_request(self, client: &Client) -> Request;
}

impl IntoRequest for Request {
    fn into_request(self, _: &Client) -> Request {
        self
    }
}

impl IntoRequest for String {
    fn into_request(self, client: &Client) -> Request {
        client.put(self).build().unwrap()
    }
}

impl Either {
    fn call(&self, request: impl IntoRequest) -> BoxFuture<'static, Result<reqwest::Response>> {
        let (client, request) = (self.0.clone(), request.into_request(&self.0));
        Box::pin(async move {
            let sent = client.execute(request);
            sent.await
        })
    }
}

#[traced_http]
async fn one_reader_for_two(either: &Either, request: Request, url: String, flag: bool) -> u16 {
    let first = if flag { either.call(request) } else { either.call(url) }.await;
    first.unwrap().status().as_u16()
}

#[traced_http]
async fn one_reader_in_the_other_order(either: &Either, request: Request, url: String, flag: bool) -> u16 {
    let first = if flag { either.call(url) } else { either.call(request) }.await;
    first.unwrap().status().as_u16()
}

fn requires_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn typed() {
    let run = Run::start(super::IS_TRACED).await;
    let api = &Api { http: run.client.clone(), url: run.url("/bytes/1") };
    let (once, seen) = (&[timed("GET /bytes/1")][..], recorded("GET /bytes/1"));
    let times = |count| vec![timed("GET /bytes/1"); count];
    let version = || Version { major: 200 };

    run.check_calls("at_the_end", requires_send(api.at_the_end()).map(std::result::Result::unwrap), version(), once)
        .await;
    run.check_calls("in_a_let", requires_send(api.in_a_let()).unwrap_or_else(|_| 0), 200, once).await;
    run.check_calls("in_a_field", async { api.in_a_field().await.unwrap() }, version(), once).await;
    run.check_calls("by_a_later_use", async { api.by_a_later_use().await.unwrap() }, 1, once).await;
    let expected = HashMap::from([(200, Some("200".to_owned()))]);
    run.check_calls("as_an_argument", async { api.as_an_argument().await.unwrap() }, expected, &times(2)).await;
    run.check_calls("in_a_branch", async { api.in_a_branch(true).await.unwrap() }, "200".to_owned(), &times(2)).await;
    run.check_calls(
        "in_a_loop",
        async { requires_send(api.in_a_loop()).await.unwrap() },
        800,
        &[times(2), times(2)].concat(),
    )
    .await;
    run.check_calls("in_closures", async { api.in_closures().await.unwrap() }, 402, &times(4)).await;
    run.check_calls("in_async_blocks", async { requires_send(api.in_async_blocks()).await.unwrap() }, 600, &times(3))
        .await;
    run.check_calls("in_a_box", async { api.in_a_box().await.unwrap() }, version(), once).await;
    run.check_calls("in_a_box_by_a_method", async { api.in_a_box_by_a_method().await.unwrap() }, vec![version()], once)
        .await;
    run.check_calls("as_a_future", async { api.as_a_future().await.unwrap() }, version(), once).await;
    run.check_calls("kept_for_ever", async { api.clone().kept_for_ever().await.unwrap() }, version(), once).await;
    run.check_calls("methods_of_futures", async { api.methods_of_futures().await.unwrap() }, 603, &times(4)).await;
    run.check_calls("spawned", async { api.spawned().await.unwrap() }, 200, once).await;
    run.check_calls("in_a_timeout", async { api.in_a_timeout().await.unwrap() }, version(), once).await;
    run.check_calls("with_a_turbofish", async { api.with_a_turbofish().await.unwrap() }, 200, once).await;
    run.check("blocking", async { api.blocking().unwrap() }, 8 + 1).await;
    run.check("blocking_at_the_end", async { api.blocking_at_the_end().unwrap() }, Version { major: 8 }).await;
    let all = vec![Version { major: 8 }, Version { major: 8 }, Version { major: 8 }];
    run.check("the_whole_result", async { api.the_whole_result() }, all).await;
    run.check_calls("the_client_of_the_sdk", async { api.the_client_of_the_sdk().await.unwrap() }, 200, &[seen]).await;
    let heads = [timed("HEAD /bytes/1"), timed("HEAD /bytes/1")];
    run.check_calls("converted", async { api.converted().await.unwrap() }, Version { major: 400 }, &heads).await;
    run.check("generic_arguments", async { api.generic_arguments().await }, Ok((String::new(), 15))).await;
    run.check_calls("function_pointers", async { function_pointers(api.clone()).await.unwrap() }, 208, &[seen]).await;
    let work = async { function_pointers_with_own_names(api.clone(), &api.url, &api.url).await.unwrap() };
    run.check_calls("function_pointers_with_own_names", work, 200 + 13 + 8 + 8 + 14 + 16 + 8, once).await;
    let work = of_a_type_parameter::<u16, _>(api, 5);
    run.check_calls("of_a_type_parameter", work, ("200".to_owned(), Some(5)), once).await;
    let either = &Either(run.client.clone());
    let unseen = [unrecorded("PUT /bytes/1")];
    let url = || api.url.clone();
    run.check_calls("one_reader_for_two", one_reader_for_two(either, api.get(), url(), true), 200, &[seen]).await;
    run.check_calls("one_reader_for_two", one_reader_for_two(either, api.get(), url(), false), 200, &unseen).await;
    let work = one_reader_in_the_other_order(either, api.get(), url(), true);
    run.check_calls("one_reader_in_the_other_order", work, 200, &unseen).await;
    // The first call has determined that the result is not read, so only the time is recorded.
    let work = one_reader_in_the_other_order(either, api.get(), url(), false);
    run.check_calls("one_reader_in_the_other_order", work, 200, once).await;
}
