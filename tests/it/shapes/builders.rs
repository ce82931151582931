//! Request builders: reqwest's builder in variables, fields, methods and traits, and other builders with the same
//! methods.

use std::fmt;
use std::future::Future;

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder, Response};

use super::traced_http;
use crate::shapes::run::{Run, recorded, unrecorded};

/// An extension trait with a terminal method of its own, and with one that calls the client's method on `self`.
trait RequestBuilderExt: Sized {
    async fn send_json(self, body: &str) -> reqwest::Result<Response>;
    async fn status(self) -> u16;
}

impl RequestBuilderExt for RequestBuilder {
    #[traced_http]
    async fn send_json(self, body: &str) -> reqwest::Result<Response> {
        self.header("content-type", "application/json").body(body.to_owned()).send().await
    }

    #[traced_http]
    async fn status(self) -> u16 {
        if let Some(copy) = self.try_clone() {
            copy.header("x-copy", "1").send().await.unwrap();
        }
        self.send().await.unwrap().status().as_u16()
    }
}

/// The user's own terminal method is not traced itself. The client's method that it calls is.
#[traced_http]
async fn extension_trait(client: &Client, url: &str) -> u16 {
    let json = client.put(url).send_json("{}").await.unwrap().status().as_u16();
    json + client.get(url).status().await + client.post(url).send().await.unwrap().status().as_u16()
}

struct Api {
    client: Client,
    base: String,
    prepared: Option<RequestBuilder>,
}

impl Api {
    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base))
    }

    #[traced_http]
    async fn status(&self, path: &str) -> reqwest::Result<u16> {
        self.get(path).send().await.map(|response| response.status().as_u16())
    }

    #[traced_http]
    pub(crate) async fn send(&mut self) -> reqwest::Result<u16> {
        let Some(request) = self.prepared.take() else { return Ok(0) };
        let response = request.send().await?;
        Ok(response.status().as_u16())
    }

    /// Destructuring moves the builder out of its field.
    #[traced_http]
    async fn last(self) -> (u16, Client) {
        let Self { client, prepared, .. } = self;
        let holder = (prepared, 0_u8);
        let mut status = u16::from(holder.1);
        if let Some(request) = holder.0 {
            status += request.send().await.unwrap().status().as_u16();
        }
        (status, client)
    }
}

/// A call to the user's own `send`, which is annotated itself.
#[traced_http]
async fn nested(api: &mut Api) -> u16 {
    api.send().await.unwrap() + api.send().await.unwrap()
}

trait Fetch {
    fn fetch(&self, path: &str) -> impl Future<Output = u16> + Send;
}

impl Fetch for Api {
    #[traced_http]
    async fn fetch(&self, path: &str) -> u16 {
        self.get(path).send().await.unwrap().status().as_u16()
    }
}

#[async_trait]
trait Store: Send + Sync {
    async fn load(&self, id: u32) -> Result<String, reqwest::Error>;

    async fn store(&mut self, request: RequestBuilder) -> Result<u16, reqwest::Error>;

    #[traced_http]
    async fn ping(&self, request: RequestBuilder) -> bool {
        request.send().await.is_ok()
    }
}

#[async_trait]
impl Store for Api {
    #[traced_http]
    async fn load(&self, id: u32) -> Result<String, reqwest::Error> {
        let response = self.client.get(format!("{}/bytes/{id}", self.base)).send().await?;
        response.text().await
    }

    #[traced_http]
    async fn store(&mut self, request: RequestBuilder) -> Result<u16, reqwest::Error> {
        self.prepared = request.try_clone();
        let first = request.send().await?.status().as_u16();
        Ok(first + self.send().await?)
    }
}

/// Two calls on a traceable type. The attribute leaves one of them unchanged, because its receiver is a dereference.
#[traced_http]
async fn left_alone(client: &Client, url: &str) -> Vec<u16> {
    let boxed = Box::new(client.get(url));
    let requests = [client.post(url)];
    let api = || Api { client: client.clone(), base: String::new(), prepared: Some(client.put(url)) };
    let seen = client.head(url).send().await;
    let mut all = vec![seen, (*boxed).send().await, { client.delete(url) }.send().await];
    let [request] = requests.map(Some).map(|request| (request, 1));
    all.push(request.0.unwrap().send().await);
    all.push(reqwest::RequestBuilder::send(api().prepared.unwrap()).await);
    all.into_iter().map(|result| result.unwrap().status().as_u16()).collect()
}

/// Like the fluent builders of the AWS SDK: an async `send` by value, with an error type of its own.
mod aws {
    use std::fmt::Debug;

    #[derive(Debug)]
    pub(super) struct SdkError<E, R = Vec<u8>> {
        pub(super) source: E,
        #[expect(dead_code, reason = "it is part of the signature")]
        pub(super) raw: R,
    }

    #[derive(Debug, PartialEq)]
    pub(super) struct PutItemOutput {
        pub(super) items: usize,
    }

    #[derive(Debug)]
    pub(super) struct PutItemError(pub(super) &'static str);

    #[derive(Debug, Clone, Default)]
    pub(super) struct PutItemFluentBuilder {
        table: Option<String>,
        items: Vec<(String, String)>,
    }

    impl PutItemFluentBuilder {
        pub(super) fn table_name(mut self, input: impl Into<String>) -> Self {
            self.table = Some(input.into());
            self
        }

        pub(super) fn item(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
            self.items.push((key.into(), value.into()));
            self
        }

        pub(super) async fn send(self) -> Result<PutItemOutput, SdkError<PutItemError, Vec<u8>>> {
            tokio::task::yield_now().await;
            match self.table {
                Some(_) => Ok(PutItemOutput { items: self.items.len() }),
                None => Err(SdkError { source: PutItemError("no table"), raw: Vec::new() }),
            }
        }
    }

    #[derive(Debug, Default)]
    pub(super) struct Client;

    impl Client {
        pub(super) fn put_item(&self) -> PutItemFluentBuilder {
            PutItemFluentBuilder::default()
        }
    }
}

#[derive(Debug, PartialEq)]
enum Error {
    Put(&'static str),
    Http,
}

impl<R> From<aws::SdkError<aws::PutItemError, R>> for Error {
    fn from(error: aws::SdkError<aws::PutItemError, R>) -> Self {
        Self::Put(error.source.0)
    }
}

impl From<reqwest::Error> for Error {
    fn from(_: reqwest::Error) -> Self {
        Self::Http
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

#[traced_http]
async fn aws_and_http(items: &aws::Client, client: &Client, url: &str, table: Option<&str>) -> Result<usize, Error> {
    let text = client.get(url).send().await?.text().await?;
    let mut put = items.put_item().item("text", &text);
    if let Some(table) = table {
        put = put.table_name(table);
    }
    let again = put.clone();
    let output = put.send().await?;
    let more = again.item("more", text).send().await.map_err(Error::from)?;
    let third = tokio::spawn(items.put_item().table_name("third").send());
    Ok(output.items + more.items + third.await.unwrap()?.items)
}

/// Methods that are named by their path, in boxes, or as raw identifiers.
#[traced_http]
async fn methods_by_path(client: &Client, url: &str, boxed: Box<RequestBuilder>) -> u16 {
    let first = RequestBuilder::send(client.get(url)).await;
    let second = reqwest::RequestBuilder::send(client.put(url));
    let third = Some(client.post(url)).map(RequestBuilder::send).unwrap().await;
    let fourth = client.head(url).r#send().await;
    let request = client.delete(url);
    let fifth = request.r#send().await;
    let all = [client.get(url), client.get(url)].into_iter().map(RequestBuilder::send);
    let all = futures::future::try_join_all(all).await.unwrap().len() as u16;
    let sixth = boxed.send().await;
    let seventh = Box::new(client.patch(url)).send().await;
    let all_own = [crate::shapes::senders::Shared(1)].iter().map(crate::shapes::senders::Shared::send).sum::<u32>();
    let answers = [first, second.await, third, fourth, fifth, sixth, seventh];
    all + all_own as u16 + answers.into_iter().map(|answer| answer.unwrap().status().as_u16()).sum::<u16>()
}

/// Types that have the names of reqwest's types.
mod own {
    #[derive(Debug, Clone)]
    pub(super) struct RequestBuilder(pub(super) u32);

    impl RequestBuilder {
        pub(super) fn send(self) -> u32 {
            self.0
        }
    }

    pub(super) trait Request {
        fn call(self) -> u32;
    }

    impl Request for u32 {
        fn call(self) -> u32 {
            self
        }
    }
}

#[traced_http]
fn own_methods_by_path(number: u32) -> u32 {
    use own::Request as _;
    let list = vec![own::RequestBuilder(number), own::RequestBuilder(1)];
    let first: u32 = list.into_iter().map(own::RequestBuilder::send).sum();
    let second = own::RequestBuilder::send(own::RequestBuilder(2)).min(9);
    first + second + <u32 as own::Request>::call(3) + number.call()
}

#[tokio::test]
async fn builders() {
    let run = Run::start(super::IS_TRACED).await;
    let (client, url) = (&run.client, &run.url("/bytes/3"));
    let (get, post, put) = (recorded("GET /bytes/3"), recorded("POST /bytes/3"), recorded("PUT /bytes/3"));
    let api = |prepared| Api { client: client.clone(), base: run.url(""), prepared };

    run.check_calls("extension_trait", extension_trait(client, url), 600, &[put, get, get, post]).await;
    let work = async { api(None).status("/bytes/3").await.unwrap() };
    run.check_calls("status", work, 200, &[get]).await;
    let work = async { api(Some(client.put(url))).last().await.0 };
    run.check_calls("last", work, 200, &[put]).await;
    run.check_calls("nested", async { nested(&mut api(Some(client.get(url)))).await }, 200, &[get]).await;
    run.check_calls("fetch", async { api(None).fetch("/bytes/3").await }, 200, &[get]).await;
    let work = async {
        let store: &mut dyn Store = &mut api(None);
        let pinged = store.ping(client.put(url)).await;
        (store.load(3).await.unwrap(), store.store(client.post(url)).await.unwrap(), pinged)
    };
    run.check_calls("async_trait", work, ("xxx".to_owned(), 400, true), &[put, get, post, post]).await;

    let calls = [recorded("HEAD /bytes/3"), unrecorded("GET /bytes/3"), recorded("DELETE /bytes/3"), post, put];
    // `all` holds the results of the futures. They have one type, whether the call is traced or not.
    run.check_calls("left_alone", left_alone(client, url), vec![200; 5], &calls).await;

    let items = aws::Client;
    let work = aws_and_http(&items, client, url, Some("table"));
    run.check_calls("aws_and_http", work, Ok(3), &[get]).await;
    let work = aws_and_http(&items, client, url, None);
    run.check_calls("aws_and_http", work, Err(Error::Put("no table")), &[get]).await;
    let delete = recorded("DELETE /bytes/3");
    let calls = [get, put, post, recorded("HEAD /bytes/3"), delete, get, get, put, recorded("PATCH /bytes/3")];
    let work = methods_by_path(client, url, Box::new(client.put(url)));
    run.check_calls("methods_by_path", work, 2 + 1 + 7 * 200, &calls).await;
    run.check("own_methods_by_path", async { own_methods_by_path(5) }, 5 + 1 + 2 + 3 + 5).await;
}
