//! ureq 2.

use support::documents::capture;
use ureq_2::{Error, Request, Response};
use xray::emitter::MemoryEmitter;
use xray::{Instrument as _, Propagation, Recorder, Segment};

use super::checks::{self, CallInput, CallResult, Client, error_text, only_request};
use support::subsegments::only_call;
use support::{Always, Server};

/// ureq 2 has no variant to remove a header from a request.
const CLIENT: Client = Client { method: "GET", bad_url: Some("no url"), exceptions: 2, replaces: false };

fn outcome(answer: Result<Response, Error>) -> CallResult {
    answer.map(|response| response.status()).map_err(error_text)
}

fn with_own(request: Request, input: &CallInput) -> Request {
    match input.own_header {
        Some(value) => request.set("X-Amzn-Trace-Id", value).set("traceparent", value),
        None => request,
    }
}

#[derive(Debug, Clone, Copy)]
enum Variant {
    Call,
    Place,
    Query,
}

mod call {
    use super::*;

    with_and_without_attribute! {
        fn call(input: CallInput, variant: Variant) -> CallResult {
            outcome(match variant {
                Variant::Call => with_own(ureq_2::get(&input.url), &input).call(),
                Variant::Place => {
                    let request = with_own(ureq_2::get(&input.url), &input);
                    request.call()
                }
                Variant::Query => with_own(ureq_2::get(&input.url), &input).query("a", "b").call(),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(blocking CLIENT, call, Variant::Call, Variant::Place, Variant::Query);
        check!(blocking Client { bad_url: Some("/path"), ..CLIENT }, call, Variant::Call);
    }
}

#[derive(Debug, Clone, Copy)]
enum BodyVariant {
    Reader,
    Bytes,
    Text,
    Form,
    Json,
    JsonOfItsOwnType,
    Place,
}

mod with_body {
    use super::*;

    with_and_without_attribute! {
        fn send(input: CallInput, variant: BodyVariant) -> CallResult {
            let request = with_own(ureq_2::post(&input.url), &input);
            outcome(match variant {
                BodyVariant::Reader => request.set("a", "b").send(&b"text"[..]),
                BodyVariant::Bytes => request.set("a", "b").send_bytes(b"text"),
                BodyVariant::Text => request.set("a", "b").send_string("text"),
                BodyVariant::Form => request.set("a", "b").send_form(&[("a", "b c")]),
                BodyVariant::Json => request.set("a", "b").send_json([Some(1), None]),
                BodyVariant::JsonOfItsOwnType => request.set("content-type", "application/vnd").send_json([1]),
                BodyVariant::Place => request.send_string("text"),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(
            blocking Client { method: "POST", ..CLIENT }, send, BodyVariant::Reader, BodyVariant::Bytes, BodyVariant::Text,
            BodyVariant::Form, BodyVariant::Json, BodyVariant::JsonOfItsOwnType, BodyVariant::Place,
        );
    }
}

/// `set` compares names of headers case-sensitively.
#[tokio::test]
async fn a_header_in_other_letters_stays() {
    #[xray::traced_http]
    fn get(url: &str) -> CallResult {
        outcome(ureq_2::get(url).set("Traceparent", "mine").call())
    }
    let server = Server::start().await;
    let url = server.url("/bytes/1");
    let recorder =
        Recorder::builder().sampler(Always).propagate(Propagation::Both).emitter(MemoryEmitter::new()).build();
    let segment = Segment::builder("t").recorder(&recorder);
    assert_eq!(checks::blocking(move || get(&url)).in_segment(segment).await, Ok(200));
    let seen = only_request(&server);
    assert_eq!((seen.trace_headers().len(), seen.traceparents()), (1, vec!["mine".to_owned()]));
}

#[tokio::test]
async fn a_status_that_is_an_error_has_its_length_and_keeps_its_response() {
    #[xray::traced_http]
    fn post(url: &str) -> Option<Response> {
        ureq_2::post(url).set("traceparent", "mine").call().err().and_then(Error::into_response)
    }
    let server = Server::start().await;
    let url = server.url("/status/503");
    let (response, documents) = capture(checks::blocking(move || post(&url)).in_segment("t")).await;
    assert_eq!(response.unwrap().header("content-length"), Some("0"));
    let call = only_call(&documents);
    assert_eq!(call.http.as_ref().unwrap().response.unwrap().content_length, Some(0));
    assert_eq!(only_request(&server).trace_header().parent, Some(call.id));
}
