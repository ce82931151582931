//! reqwest: versions 0.11, 0.12 and 0.13, asynchronous and blocking.

use super::checks::{self, CallInput, CallResult, Client, error_text};

/// How a call is made. `Get` takes a URL alone, so it is used only if the user sets no header.
#[derive(Debug, Clone, Copy)]
enum Variant {
    Send,
    Place,
    Execute,
    Get,
}

macro_rules! asynchronous {
    ($name:ident, $reqwest:ident, $exceptions:literal) => {
        mod $name {
            use $reqwest as reqwest;

            use super::*;

            const GET: Client = Client { method: "GET", bad_url: Some("no url"), exceptions: $exceptions, replaces: true };

            fn with_own(client: &reqwest::Client, input: &CallInput) -> reqwest::RequestBuilder {
                let builder = client.get(&input.url);
                match input.own_header {
                    Some(value) => builder.header("x-amzn-trace-id", value).header("X-Amzn-Trace-Id", "b").header("traceparent", value).header("Traceparent", "b"),
                    None => builder,
                }
            }

            with_and_without_attribute! {
                async fn send(input: CallInput, variant: Variant) -> CallResult {
                    let client = reqwest::Client::new();
                    let builder = with_own(&client, &input);
                    let answer = match variant {
                        Variant::Get if input.own_header.is_none() => reqwest::get(&input.url).await,
                        Variant::Place | Variant::Get => builder.send().await,
                        Variant::Send => with_own(&client, &input).send().await,
                        Variant::Execute => {
                            let request = builder.build().map_err(error_text)?;
                            client.execute(request).await
                        }
                    };
                    answer.map(|response| response.status().as_u16()).map_err(error_text)
                }
            }

            #[tokio::test]
            async fn every_way_is_traced() {
                check!(async GET, send, Variant::Send, Variant::Place, Variant::Execute, Variant::Get);
            }

            #[test]
            fn the_traced_future_has_the_same_auto_traits_as_the_clients() {
                fn requires_auto_traits<F: Future + Send + Sync + Unpin + 'static>(_: &F) {}

                #[xray::traced_http]
                fn traced(client: &reqwest::Client) {
                    requires_auto_traits(&client.get("http://localhost/").send());
                }
                traced(&reqwest::Client::new());
            }
        }
    };
}

asynchronous!(v0_13, reqwest, 3);
asynchronous!(v0_12, reqwest_0_12, 3);
asynchronous!(v0_11, reqwest_0_11, 3);

macro_rules! blocking {
    ($name:ident, $reqwest:ident, $exceptions:literal) => {
        mod $name {
            use $reqwest as reqwest;

            use super::*;

            const GET: Client = Client { method: "GET", bad_url: Some("no url"), exceptions: $exceptions, replaces: true };

            fn with_own(client: &reqwest::blocking::Client, input: &CallInput) -> reqwest::blocking::RequestBuilder {
                let builder = client.get(&input.url);
                match input.own_header {
                    Some(value) => builder.header("x-amzn-trace-id", value).header("X-Amzn-Trace-Id", "b").header("traceparent", value).header("Traceparent", "b"),
                    None => builder,
                }
            }

            with_and_without_attribute! {
                fn send(input: CallInput, variant: Variant) -> CallResult {
                    let client = reqwest::blocking::Client::new();
                    let builder = with_own(&client, &input);
                    let answer = match variant {
                        Variant::Get if input.own_header.is_none() => reqwest::blocking::get(&input.url),
                        Variant::Place | Variant::Get => builder.send(),
                        Variant::Send => with_own(&client, &input).send(),
                        Variant::Execute => builder.build().and_then(|request| client.execute(request)),
                    };
                    answer.map(|response| response.status().as_u16()).map_err(error_text)
                }
            }

            #[tokio::test]
            async fn every_way_is_traced() {
                check!(blocking GET, send, Variant::Send, Variant::Place, Variant::Execute, Variant::Get);
            }
        }
    };
}

blocking!(v0_13_blocking, reqwest, 3);
blocking!(v0_12_blocking, reqwest_0_12, 3);
