//! awc, whose futures are not `Send`.

use awc::error::SendRequestError;
use awc::{ClientRequest, ClientResponse, SendClientRequest};
use futures::stream;
use support::documents::capture;
use tokio::task::LocalSet;
use xray::Instrument as _;

use super::checks::{self, CallInput, CallResult, Client, error_text};
use support::Server;
use support::subsegments::only_call;

const GET: Client = Client { method: "GET", bad_url: Some("no url"), exceptions: 1, replaces: true };

fn with_own(request: ClientRequest, input: &CallInput) -> ClientRequest {
    match input.own_header {
        Some(value) => request
            .append_header(("X-Amzn-Trace-Id", value))
            .append_header(("x-amzn-trace-id", "b"))
            .append_header(("Traceparent", value))
            .append_header(("traceparent", "b")),
        None => request,
    }
}

fn outcome<S>(answer: Result<ClientResponse<S>, SendRequestError>) -> CallResult {
    answer.map(|response| response.status().as_u16()).map_err(error_text)
}

#[derive(Debug, Clone, Copy)]
enum Variant {
    Send,
    Place,
    Body,
    Json,
    Form,
    Stream,
}

with_and_without_attribute! {
    async fn send(input: CallInput, variant: Variant) -> CallResult {
        let client = awc::Client::default();
        let method = if matches!(variant, Variant::Send | Variant::Place) { awc::http::Method::GET } else { awc::http::Method::POST };
        let request = with_own(client.request(method, &input.url), &input);
        let value = std::collections::BTreeMap::from([("a", "b c")]);
        outcome(match variant {
            Variant::Send => request.content_type("a/b").send().await,
            Variant::Place => request.send().await,
            Variant::Body => request.content_type("a/b").send_body("text").await,
            Variant::Json => request.camel_case().send_json(&value).await,
            Variant::Form => request.send_form(&value).await,
            Variant::Stream => {
                request.camel_case().send_stream(stream::iter([Ok::<_, std::io::Error>("text".into())])).await
            }
        })
    }
}

#[tokio::test]
async fn every_way_is_traced() {
    LocalSet::new()
        .run_until(async {
            check!(async GET, send, Variant::Send, Variant::Place);
            check!(async Client { method: "POST", ..GET }, send, Variant::Body, Variant::Json, Variant::Form, Variant::Stream);
            // The URL is valid, but the builder contains an error about a header.
            let bad_header = |request: ClientRequest| request.insert_header(("a", "\n"));
            a_builder_error_is_returned_and_not_recorded(bad_header).await;
        })
        .await;
}

async fn a_builder_error_is_returned_and_not_recorded(invalidate: impl Fn(ClientRequest) -> ClientRequest) {
    #[xray::traced_http]
    async fn traced(invalidate: impl Fn(ClientRequest) -> ClientRequest) -> CallResult {
        outcome(invalidate(awc::Client::default().get("http://127.0.0.1:1/")).send().await)
    }
    let plain = outcome(invalidate(awc::Client::default().get("http://127.0.0.1:1/")).send().await);
    let (result, documents) = capture(traced(invalidate).in_segment("t")).await;
    assert!(result.is_err() && documents[0].subsegments.is_empty(), "{documents:#?}");
    assert_eq!(result, plain);
}

#[tokio::test]
async fn futures_of_all_methods_have_one_type_and_borrow_nothing() {
    fn is_unpin<F: Future + Unpin + 'static>(_: &F) {}

    #[xray::traced_http]
    async fn either(url: &str, with_body: bool) -> CallResult {
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
                let (result, documents) = capture(either(&url, with_body).in_segment("t")).await;
                assert_eq!(result, Ok(200));
                only_call(&documents);
            }
        })
        .await;
}
