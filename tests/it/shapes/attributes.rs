//! Other attributes on the same function, above and below `#[traced_http]`.

use std::future::Future;

use reqwest::{Client, Response};
use tracing::instrument;

use super::traced_http;
use crate::shapes::run::{Run, recorded};

#[instrument(skip_all)]
#[traced_http]
async fn instrument_above(client: &Client, url: &str) -> u16 {
    client.get(url).send().await.unwrap().status().as_u16()
}

#[traced_http]
#[instrument(skip(client), fields(length = url.len()), level = "debug")]
async fn instrument_below(client: &Client, url: &str) -> u16 {
    let request = client.get(url).build().unwrap();
    client.execute(request).await.unwrap().status().as_u16()
}

#[instrument(err(Debug), ret, skip(client))]
#[traced_http]
async fn instrument_err_above(client: &Client, url: &str) -> Result<u16, reqwest::Error> {
    let request = client.get(url);
    let response = request.send().await?;
    Ok(response.status().as_u16())
}

#[traced_http]
#[instrument(err, skip(client))]
async fn instrument_err_below(client: &Client, url: &str) -> Result<u16, Box<dyn std::error::Error + Send + Sync>> {
    if url.is_empty() {
        return Err("empty".into());
    }
    Ok(client.execute(client.get(url).build()?).await?.status().as_u16())
}

#[instrument]
#[traced_http]
#[allow(clippy::needless_pass_by_value)]
fn instrument_of_no_future(client: Client, url: &str) -> impl Future<Output = u16> + use<'_> {
    let request = client.get(url);
    async move { request.send().await.unwrap().status().as_u16() }
}

mod tests_of_a_user {
    use super::super::traced_http;
    use crate::shapes::senders::Shared;
    use support::Server;

    #[tokio::test]
    #[traced_http]
    async fn a_test() {
        let server = Server::start().await;
        assert_eq!(reqwest::get(server.url("/bytes/1")).await.unwrap().status(), 200);
    }

    #[traced_http]
    #[tokio::test(flavor = "multi_thread")]
    async fn a_test_below() -> reqwest::Result<()> {
        let (server, client) = (Server::start().await, reqwest::Client::new());
        let task = tokio::spawn(async move { client.get(server.url("/bytes/1")).send().await });
        assert_eq!(task.await.unwrap()?.status(), 200);
        Ok(())
    }

    #[should_panic(expected = "assertion `left == right` failed: status")]
    #[traced_http]
    #[test]
    fn a_test_that_panics() {
        let own = Shared(1);
        assert_eq!(own.clone().send(), own.send() + 1, "status");
    }
}

struct Service {
    client: Client,
}

#[async_trait::async_trait]
trait Load {
    async fn load(&self, url: &str) -> u16;

    #[traced_http]
    async fn load_twice(&self, url: &str) -> u16
    where
        Self: AsRef<Client> + Sync,
    {
        let first = self.as_ref().get(url).send().await.unwrap().status().as_u16();
        first + self.load(url).await
    }
}

impl AsRef<Client> for Service {
    fn as_ref(&self) -> &Client {
        &self.client
    }
}

#[async_trait::async_trait]
impl Load for Service {
    #[traced_http]
    #[instrument(skip(self))]
    async fn load(&self, url: &str) -> u16 {
        let request = self.client.post(url);
        request.send().await.unwrap().status().as_u16()
    }
}

/// Doc comments, `#[cfg]`, lints and other built-in attributes.
#[doc = "More."]
#[cfg(not(any()))]
#[cfg_attr(all(), inline(never))]
#[must_use = "it is a status"]
#[deprecated(note = "old")]
#[allow(clippy::unused_async, reason = "no reason")]
#[expect(unused_variables, reason = "one is not used")]
#[traced_http]
#[cold]
async fn many(client: &Client, url: &str, #[allow(unused_mut)] mut unused: u8) -> u16 {
    #![allow(unused_labels)]
    //! Inside too.
    #[cfg(not(any()))]
    let request = client.get(url);
    #[cfg(any())]
    let request = client.get(url).nothing();
    #[cfg_attr(any(), cfg(any()))]
    let first = request.send().await.unwrap();
    #[cfg_attr(all(), allow(unused_must_use))]
    client.execute(client.put(url).build().unwrap()).await;
    #[cfg_attr(all(), cfg(any()))]
    client.execute(nothing).await;
    let second = match first.status().as_u16() {
        #[cfg(any())]
        1 => client.execute(nothing).await,
        #[cfg(not(any()))]
        200 => client.execute(client.post(url).build().unwrap()).await,
        #[allow(unreachable_patterns)]
        _ => return 0,
    };
    second.unwrap().status().as_u16()
}

/// Each build has another expression at the end of a block.
#[traced_http]
async fn alternatives_at_the_end(client: &Client, url: &str, flag: bool) -> u16 {
    let request = |method: &str| client.request(method.parse().unwrap(), url).build().unwrap();
    let call = match flag {
        true => client.execute(request("GET")),
        false => {
            let put = request("PUT");
            #[cfg(not(windows))]
            {
                client.execute(put)
            }
            #[cfg(windows)]
            {
                client.execute(request("HEAD"))
            }
        }
    };
    call.await.unwrap().status().as_u16()
}

#[traced_http]
fn alternatives_of_a_function(
    client: &Client,
    url: &str,
    flag: bool,
) -> impl Future<Output = reqwest::Result<Response>> + use<> {
    if flag {
        return client.execute(client.get(url).build().unwrap());
    }
    #[cfg(not(windows))]
    {
        client.execute(client.put(url).build().unwrap())
    }
    #[cfg(windows)]
    {
        client.execute(client.head(url).build().unwrap())
    }
}

#[tokio::test]
async fn attributes() {
    let run = Run::start(super::IS_TRACED).await;
    let (client, url) = (&run.client, &run.url("/bytes/1"));
    let (get, put, post) = (recorded("GET /bytes/1"), recorded("PUT /bytes/1"), recorded("POST /bytes/1"));
    run.check_calls("instrument_above", instrument_above(client, url), 200, &[get]).await;
    run.check_calls("instrument_below", instrument_below(client, url), 200, &[get]).await;
    run.check_calls("alternatives_at_the_end", alternatives_at_the_end(client, url, true), 200, &[get]).await;
    run.check_calls("alternatives_at_the_end", alternatives_at_the_end(client, url, false), 200, &[put]).await;
    for (flag, call) in [(true, get), (false, put)] {
        let work = async { alternatives_of_a_function(client, url, flag).await.unwrap().status().as_u16() };
        run.check_calls("alternatives_of_a_function", work, 200, &[call]).await;
    }
    let work = async { instrument_err_above(client, url).await.unwrap() };
    run.check_calls("instrument_err_above", work, 200, &[get]).await;
    let work = async { instrument_err_below(client, url).await.unwrap() };
    run.check_calls("instrument_err_below", work, 200, &[get]).await;
    let work = instrument_of_no_future(client.clone(), url);
    run.check_calls("instrument_of_no_future", work, 200, &[get]).await;
    let service = Service { client: client.clone() };
    run.check_calls("load_twice", async { service.load_twice(url).await }, 400, &[get, post]).await;
    #[allow(deprecated)]
    run.check_calls("many", many(client, url, 1), 200, &[get, put, post]).await;
}
