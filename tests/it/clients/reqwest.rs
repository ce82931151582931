//! reqwest: versions 0.11, 0.12 and 0.13, asynchronous and blocking.

use super::checks::{self, Ask, Client, Told, told};

/// How a call is made. `Get` takes a URL alone, so it is used only if the user sets no header.
#[derive(Debug, Clone, Copy)]
enum Way {
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

            fn with_own(client: &reqwest::Client, ask: &Ask) -> reqwest::RequestBuilder {
                let builder = client.get(&ask.url);
                match ask.own_header {
                    Some(value) => builder.header("x-amzn-trace-id", value).header("X-Amzn-Trace-Id", "b").header("traceparent", value).header("Traceparent", "b"),
                    None => builder,
                }
            }

            twice! {
                async fn send(ask: Ask, way: Way) -> Told {
                    let client = reqwest::Client::new();
                    let builder = with_own(&client, &ask);
                    let answer = match way {
                        Way::Get if ask.own_header.is_none() => reqwest::get(&ask.url).await,
                        Way::Place | Way::Get => builder.send().await,
                        Way::Send => with_own(&client, &ask).send().await,
                        Way::Execute => {
                            let request = builder.build().map_err(told)?;
                            client.execute(request).await
                        }
                    };
                    answer.map(|response| response.status().as_u16()).map_err(told)
                }
            }

            #[tokio::test]
            async fn every_way_is_traced() {
                check!(async GET, send, Way::Send, Way::Place, Way::Execute, Way::Get);
            }

            #[test]
            fn the_future_is_as_the_clients_own() {
                fn as_the_clients_own<F: Future + Send + Sync + Unpin + 'static>(_: &F) {}

                #[xray::traced_http]
                fn traced(client: &reqwest::Client) {
                    as_the_clients_own(&client.get("http://localhost/").send());
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

            fn with_own(client: &reqwest::blocking::Client, ask: &Ask) -> reqwest::blocking::RequestBuilder {
                let builder = client.get(&ask.url);
                match ask.own_header {
                    Some(value) => builder.header("x-amzn-trace-id", value).header("X-Amzn-Trace-Id", "b").header("traceparent", value).header("Traceparent", "b"),
                    None => builder,
                }
            }

            twice! {
                fn send(ask: Ask, way: Way) -> Told {
                    let client = reqwest::blocking::Client::new();
                    let builder = with_own(&client, &ask);
                    let answer = match way {
                        Way::Get if ask.own_header.is_none() => reqwest::blocking::get(&ask.url),
                        Way::Place | Way::Get => builder.send(),
                        Way::Send => with_own(&client, &ask).send(),
                        Way::Execute => builder.build().and_then(|request| client.execute(request)),
                    };
                    answer.map(|response| response.status().as_u16()).map_err(told)
                }
            }

            #[tokio::test]
            async fn every_way_is_traced() {
                check!(blocking GET, send, Way::Send, Way::Place, Way::Execute, Way::Get);
            }
        }
    };
}

blocking!(v0_13_blocking, reqwest, 3);
blocking!(v0_12_blocking, reqwest_0_12, 3);
