//! The client of hyper-util. Its methods that take an `http::Request` are in `it/requests.rs`.

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

use super::checks::{self, Ask, Client, Told, told};
use support::Server;
use support::subsegments::only_call;

type Pool = legacy::Client<HttpConnector, Full<Bytes>>;

const GET: Client = Client { method: "GET", bad_url: None, exceptions: 2, replaces: true };

fn pool() -> Pool {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

#[derive(Debug, Clone, Copy)]
enum Way {
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

twice! {
    async fn get(ask: Ask, way: Way) -> Told {
        if let Some(value) = ask.own_header {
            // `get` takes a URL alone, so the user cannot set headers.
            let request = http::Request::get(&ask.url).header("x-amzn-trace-id", value).header("traceparent", value);
            let answer = pool().request(request.body(Full::default()).unwrap()).await;
            return answer.map(|response| response.status().as_u16()).map_err(told);
        }
        let uri: Uri = ask.url.parse().unwrap();
        let answer = match way {
            Way::Value => {
                let client = pool();
                client.get(uri).await
            }
            Way::Reference => {
                let client = &pool();
                client.get(uri).await
            }
            Way::ReferenceToReference => {
                let client = &&pool();
                client.get(uri).await
            }
            Way::Exclusive => {
                let client = &mut pool();
                client.get(uri).await
            }
            Way::Arc => {
                let client = Arc::new(pool());
                client.get(uri).await
            }
            Way::Rc => {
                let client = Rc::new(pool());
                client.get(uri).await
            }
            Way::Box => {
                let client = Box::new(pool());
                client.get(uri).await
            }
            Way::Field => {
                let fields = Fields { http_client: pool() };
                fields.http_client.get(uri).await
            }
        };
        answer.map(|response| response.status().as_u16()).map_err(told)
    }
}

#[tokio::test]
async fn get_is_traced() {
    check!(
        async GET, get, Way::Value, Way::Reference, Way::ReferenceToReference, Way::Exclusive, Way::Arc, Way::Rc,
        Way::Box, Way::Field,
    );
}

#[tokio::test]
async fn the_future_is_as_the_clients_own() {
    fn as_the_clients_own<F: Future + Send + Sync + Unpin + 'static>(_: &F) {}

    #[xray::traced_http]
    async fn either(uri: Uri, by_request: bool) -> u16 {
        let client = pool();
        let future = if by_request {
            client.request(http::Request::get(uri).body(Full::default()).unwrap())
        } else {
            client.get(uri)
        };
        drop(client);
        as_the_clients_own(&future);
        future.await.unwrap().status().as_u16()
    }
    let _ = as_the_clients_own::<ResponseFuture>;
    let server = Server::start().await;
    let uri: Uri = server.url("/bytes/1").parse().unwrap();
    for by_request in [true, false] {
        let (status, documents) = capture(either(uri.clone(), by_request).in_segment("t")).await;
        assert_eq!(status, 200);
        only_call(&documents);
    }
}

#[tokio::test]
async fn other_clients_of_that_name_are_left_alone() {
    #[xray::traced_http]
    fn map(client: &std::collections::BTreeMap<String, u8>, key: &str) -> Option<u8> {
        let value = client.get(key);
        value.copied()
    }
    assert_eq!(map(&[("a".to_owned(), 1)].into(), "a"), Some(1));
}
