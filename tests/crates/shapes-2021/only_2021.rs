//! Functions that only editions before 2024 accept: a type that nothing determines becomes `()`, and the temporaries of
//! the last expression of a block live to the end of the statement around it.

use std::cell::RefCell;

use reqwest::{Client, Request, Response};

use xray::{traced, traced_http};

use crate::shapes::run::{Run, recorded, timed};

trait Decode: Sized {
    fn decode() -> Self;
}

impl Decode for () {
    fn decode() {}
}

struct Api(Client);

impl Api {
    async fn execute<T: Decode>(&self, request: Request) -> Result<T, reqwest::Error> {
        let sent = self.0.execute(request);
        sent.await.map(|_| T::decode())
    }

    #[traced_http]
    #[allow(dependency_on_unit_never_type_fallback)]
    async fn discarded(&self, url: &str) -> Result<u8, reqwest::Error> {
        self.execute(self.0.get(url).build()?).await?;
        Ok(1)
    }
}

struct Borrowed<'a>(&'a str);

impl Borrowed<'_> {
    fn send(self) -> usize {
        self.0.len()
    }
}

#[traced_http]
fn from_a_block(text: &str) -> usize {
    { Borrowed(text.to_uppercase().as_str()) }.send()
}

#[tokio::test]
async fn only_2021() {
    let run = Run::start(true).await;
    run.check("from_a_block", async { from_a_block("abc") }, 3).await;
    let (api, url) = (Api(run.client.clone()), run.url("/bytes/1"));
    run.check_calls("discarded", async { api.discarded(&url).await.unwrap() }, 1, &[timed("GET /bytes/1")]).await;
}

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPPED.with(|dropped| dropped.borrow_mut().push(self.0));
    }
}

#[traced]
fn drops(parameter: Noisy) -> usize {
    let _local = Noisy("local");
    Noisy("temporary").0.len() + parameter.0.len()
}

#[traced]
async fn drops_later(parameter: Noisy) -> usize {
    let _local = Noisy("local");
    Noisy("temporary").0.len() + parameter.0.len()
}

#[tokio::test]
async fn traced_functions_drop_temporaries_as_before() {
    for is_async in [false, true] {
        let parameter = Noisy("parameter");
        assert_eq!(if is_async { drops_later(parameter).await } else { drops(parameter) }, 18);
        assert_eq!(DROPPED.with(RefCell::take), ["local", "temporary", "parameter"], "{is_async}");
    }
}

/// The value of a function and that of an async block have temporaries. The variables of the expansion are not dropped
/// before them, so edition 2024 does not change the order.
#[traced_http]
#[deny(tail_expr_drop_order)]
async fn at_the_end(client: &Client, request: Request) -> Result<Response, reqwest::Error> {
    client.execute(request).await
}

#[traced_http]
#[deny(tail_expr_drop_order)]
async fn at_the_end_of_a_block(client: &Client, request: Request) -> Result<Response, reqwest::Error> {
    let call = async { client.execute(request).await };
    call.await
}

#[tokio::test]
async fn the_order_of_drops_stays() {
    let run = Run::start(true).await;
    let request = || run.client.get(run.url("/bytes/1")).build().unwrap();
    let work = async { at_the_end(&run.client, request()).await.unwrap().status().as_u16() };
    run.check_calls("at_the_end", work, 200, &[recorded("GET /bytes/1")]).await;
    let work = async { at_the_end_of_a_block(&run.client, request()).await.unwrap().status().as_u16() };
    run.check_calls("at_the_end_of_a_block", work, 200, &[recorded("GET /bytes/1")]).await;
}
