//! reqwest-middleware.

use std::sync::{Arc, Mutex};

use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error, Middleware, Next, RequestBuilder};
use support::documents::capture;
use xray::Instrument as _;

use super::checks::{self, CallInput, CallResult, Client, error_text};
use support::subsegments::only_call;
use support::{Server, refused_url};

const GET: Client = Client { method: "GET", bad_url: Some("no url"), exceptions: 3, replaces: true };

fn with_own(client: &ClientWithMiddleware, input: &CallInput) -> RequestBuilder {
    let builder = client.get(&input.url);
    match input.own_header {
        Some(value) => builder
            .header("x-amzn-trace-id", value)
            .header("X-Amzn-Trace-Id", "b")
            .header("traceparent", value)
            .header("Traceparent", "b"),
        None => builder,
    }
}

#[derive(Debug, Clone, Copy)]
enum Variant {
    Send,
    Place,
    Execute,
    ExecuteWithExtensions,
}

with_and_without_attribute! {
    async fn send(input: CallInput, variant: Variant) -> CallResult {
        let client = ClientBuilder::new(reqwest::Client::new()).build();
        let builder = with_own(&client, &input);
        let answer = match variant {
            Variant::Send => builder.with_extension(1_u8).send().await,
            Variant::Place => builder.send().await,
            Variant::Execute => {
                let request = builder.build().map_err(Error::from).map_err(error_text)?;
                client.execute(request).await
            }
            Variant::ExecuteWithExtensions => {
                let request = builder.build().map_err(Error::from).map_err(error_text)?;
                client.execute_with_extensions(request, &mut Extensions::new()).await
            }
        };
        answer.map(|response| response.status().as_u16()).map_err(error_text)
    }
}

#[tokio::test]
async fn every_way_is_traced() {
    check!(async GET, send, Variant::Send, Variant::Place, Variant::Execute, Variant::ExecuteWithExtensions);
}

/// Keeps the extension of each request, and turns some statuses into errors.
struct Strict(Arc<Mutex<Vec<Option<u8>>>>);

#[async_trait::async_trait]
impl Middleware for Strict {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        assert!(request.headers().contains_key(xray::TRACE_HEADER_NAME));
        self.0.lock().unwrap().push(extensions.get().copied());
        let response = next.run(request, extensions).await?;
        if response.status() == 418 {
            return Err(Error::middleware(std::io::Error::other("http://user:secret@teapot/?secret")));
        }
        Ok(response.error_for_status()?)
    }
}

#[tokio::test]
async fn middleware_gets_its_extensions_and_its_error_is_recorded() {
    #[xray::traced_http]
    async fn get(client: &ClientWithMiddleware, url: &str) -> Result<Response, Error> {
        client.get(url).with_extension(7_u8).send().await
    }
    let extensions = Arc::<Mutex<_>>::default();
    let client = ClientBuilder::new(reqwest::Client::new()).with(Strict(Arc::clone(&extensions))).build();
    let server = Server::start().await;

    let (result, documents) = capture(get(&client, &server.url("/status/404")).in_segment("t")).await;
    assert_eq!(result.unwrap_err().status().unwrap(), 404);
    let call = only_call(&documents);
    assert!(call.error && !call.fault && call.cause.is_none(), "{call:#?}");
    assert_eq!(call.http.as_ref().unwrap().response.unwrap().status, Some(404));

    let (result, documents) = capture(get(&client, &server.url("/status/418")).in_segment("t")).await;
    assert!(result.unwrap_err().is_middleware());
    let call = only_call(&documents);
    assert!(call.fault && call.cause.is_some(), "{call:#?}");
    assert!(!serde_json::to_string(&documents).unwrap().contains("secret"));

    let (result, _) = capture(get(&client, &refused_url()).in_segment("t")).await;
    assert!(result.unwrap_err().is_connect());
    assert_eq!(*extensions.lock().unwrap(), [Some(7); 3]);
}

#[test]
fn the_traced_future_has_the_same_auto_traits_as_the_clients() {
    fn requires_auto_traits<F: Future + Send + 'static>(_: &F) {}

    #[xray::traced_http]
    fn traced(client: &ClientWithMiddleware) {
        requires_auto_traits(&client.get("http://localhost/").send());
    }
    let client = ClientWithMiddleware::from(reqwest::Client::new());
    requires_auto_traits(&client.get("http://localhost/").send());
    traced(&client);
}
