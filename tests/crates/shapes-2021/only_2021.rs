//! Functions that only editions before 2024 accept: a type that nothing determines becomes `()`, and the temporaries of the
//! last expression of a block live to the end of the statement around it.

use reqwest::{Client, Request};

use xray::traced_http;

use crate::shapes::run::{Run, timed};

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
