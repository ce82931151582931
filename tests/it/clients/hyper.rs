//! The `get` method of hyper-util's client, and the futures that its methods return. Other tests of methods that take
//! an `http::Request` are in `tests/it/requests.rs`.

use std::rc::Rc;
use std::sync::Arc;

use http::Uri;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, ResponseFuture};
use hyper_util::rt::TokioExecutor;
use support::documents::capture;
use xray::Instrument as _;

use super::checks::{self, CallInput, CallResult, Client, error_text};
use support::Server;
use support::subsegments::only_call;

type Pool = legacy::Client<HttpConnector, Full<Bytes>>;

const GET: Client = Client { method: "GET", bad_url: None, exceptions: 2, replaces: true };

fn pool() -> Pool {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

#[derive(Debug, Clone, Copy)]
enum Variant {
    Value,
    Reference,
    ReferenceToReference,
    Exclusive,
    Arc,
    Rc,
    Box,
    Field,
}

struct Fields {
    http_client: Pool,
}

with_and_without_attribute! {
    async fn get(input: CallInput, variant: Variant) -> CallResult {
        if let Some(value) = input.own_header {
            // `get` takes only a URL, so headers are set with `request` instead.
            let request = http::Request::get(&input.url).header("x-amzn-trace-id", value).header("traceparent", value);
            let answer = pool().request(request.body(Full::default()).unwrap()).await;
            return answer.map(|response| response.status().as_u16()).map_err(error_text);
        }
        let uri: Uri = input.url.parse().unwrap();
        let answer = match variant {
            Variant::Value => {
                let client = pool();
                client.get(uri).await
            }
            Variant::Reference => {
                let client = &pool();
                client.get(uri).await
            }
            Variant::ReferenceToReference => {
                let client = &&pool();
                client.get(uri).await
            }
            Variant::Exclusive => {
                let client = &mut pool();
                client.get(uri).await
            }
            Variant::Arc => {
                let client = Arc::new(pool());
                client.get(uri).await
            }
            Variant::Rc => {
                let client = Rc::new(pool());
                client.get(uri).await
            }
            Variant::Box => {
                let client = Box::new(pool());
                client.get(uri).await
            }
            Variant::Field => {
                let fields = Fields { http_client: pool() };
                fields.http_client.get(uri).await
            }
        };
        answer.map(|response| response.status().as_u16()).map_err(error_text)
    }
}

#[tokio::test]
async fn get_is_traced() {
    check!(
        async GET, get, Variant::Value, Variant::Reference, Variant::ReferenceToReference, Variant::Exclusive, Variant::Arc, Variant::Rc,
        Variant::Box, Variant::Field,
    );
}

#[tokio::test]
async fn the_traced_future_has_the_same_auto_traits_as_the_clients() {
    // The attribute knows by this name that the function takes any future.
    fn timeout<F: Future + Send + Sync + Unpin + 'static>(future: F) -> F {
        future
    }

    #[xray::traced_http]
    async fn either(uri: Uri, by_request: bool) -> u16 {
        let client = pool();
        let future = if by_request {
            client.request(http::Request::get(uri).body(Full::default()).unwrap())
        } else {
            client.get(uri)
        };
        drop(client);
        timeout(future).await.unwrap().status().as_u16()
    }
    // The client's own future has these bounds too.
    let _ = timeout::<ResponseFuture>;
    let server = Server::start().await;
    let uri: Uri = server.url("/bytes/1").parse().unwrap();
    for by_request in [true, false] {
        let (status, documents) = capture(either(uri.clone(), by_request).in_segment("t")).await;
        assert_eq!(status, 200);
        only_call(&documents);
    }
}

#[tokio::test]
async fn get_on_a_map_named_client_is_not_traced() {
    #[xray::traced_http]
    fn map(client: &std::collections::BTreeMap<String, u8>, key: &str) -> Option<u8> {
        let value = client.get(key);
        value.copied()
    }
    assert_eq!(map(&[("a".to_owned(), 1)].into(), "a"), Some(1));
}
