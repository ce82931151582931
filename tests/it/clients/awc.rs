//! awc, whose futures stay on their thread.

use awc::error::SendRequestError;
use awc::{ClientRequest, ClientResponse, SendClientRequest};
use futures::stream;
use support::documents::capture;
use tokio::task::LocalSet;
use xray::Instrument as _;

use super::checks::{self, Ask, Client, Told, told};
use support::Server;
use support::subsegments::only_call;

const GET: Client = Client { method: "GET", bad_url: Some("no url"), exceptions: 1, replaces: true };

fn with_own(request: ClientRequest, ask: &Ask) -> ClientRequest {
    match ask.own_header {
        Some(value) => request
            .append_header(("X-Amzn-Trace-Id", value))
            .append_header(("x-amzn-trace-id", "b"))
            .append_header(("Traceparent", value))
            .append_header(("traceparent", "b")),
        None => request,
    }
}

fn outcome<S>(answer: Result<ClientResponse<S>, SendRequestError>) -> Told {
    answer.map(|response| response.status().as_u16()).map_err(told)
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Send,
    Place,
    Body,
    Json,
    Form,
    Stream,
}

twice! {
    async fn send(ask: Ask, way: Way) -> Told {
        let client = awc::Client::default();
        let method = if matches!(way, Way::Send | Way::Place) { awc::http::Method::GET } else { awc::http::Method::POST };
        let request = with_own(client.request(method, &ask.url), &ask);
        let value = std::collections::BTreeMap::from([("a", "b c")]);
        outcome(match way {
            Way::Send => request.content_type("a/b").send().await,
            Way::Place => request.send().await,
            Way::Body => request.content_type("a/b").send_body("text").await,
            Way::Json => request.camel_case().send_json(&value).await,
            Way::Form => request.send_form(&value).await,
            Way::Stream => {
                request.camel_case().send_stream(stream::iter([Ok::<_, std::io::Error>("text".into())])).await
            }
        })
    }
}

#[tokio::test]
async fn every_way_is_traced() {
    LocalSet::new()
        .run_until(async {
            check!(async GET, send, Way::Send, Way::Place);
            check!(async Client { method: "POST", ..GET }, send, Way::Body, Way::Json, Way::Form, Way::Stream);
            // The URL is right, and the builder holds an error of its own.
            let bad_header = |request: ClientRequest| request.insert_header(("a", "\n"));
            refused(bad_header).await;
        })
        .await;
}

async fn refused(spoil: impl Fn(ClientRequest) -> ClientRequest) {
    #[xray::traced_http]
    async fn traced(spoil: impl Fn(ClientRequest) -> ClientRequest) -> Told {
        outcome(spoil(awc::Client::default().get("http://127.0.0.1:1/")).send().await)
    }
    let plain = outcome(spoil(awc::Client::default().get("http://127.0.0.1:1/")).send().await);
    let (told, documents) = capture(traced(spoil).in_segment("t")).await;
    assert!(told.is_err() && documents[0].subsegments.is_empty(), "{documents:#?}");
    assert_eq!(told, plain);
}

#[tokio::test]
async fn futures_of_all_methods_have_one_type_and_borrow_nothing() {
    fn is_unpin<F: Future + Unpin + 'static>(_: &F) {}

    #[xray::traced_http]
    async fn either(url: &str, with_body: bool) -> Told {
        let client = awc::Client::default();
        let sent = if with_body {
            let value = [String::from("text")];
            client.post(url).send_json(&value)
        } else {
            client.get(url).send()
        };
        is_unpin(&sent);
        outcome(sent.await)
    }
    let _ = is_unpin::<SendClientRequest>;
    let server = Server::start().await;
    let url = server.url("/bytes/1");
    LocalSet::new()
        .run_until(async {
            for with_body in [true, false] {
                let (told, documents) = capture(either(&url, with_body).in_segment("t")).await;
                assert_eq!(told, Ok(200));
                only_call(&documents);
            }
        })
        .await;
}
