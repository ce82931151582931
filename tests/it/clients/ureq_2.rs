//! ureq 2.

use support::documents::capture;
use ureq_2::{Error, Request, Response};
use xray::emitter::MemoryEmitter;
use xray::{Instrument as _, Propagation, Recorder, Segment};

use super::checks::{self, Ask, Client, Told, only_request, told};
use support::Server;
use support::subsegments::only_call;

/// ureq 2 has no way to remove a header from a request.
const CLIENT: Client = Client { method: "GET", bad_url: Some("no url"), exceptions: 2, replaces: false };

fn outcome(answer: Result<Response, Error>) -> Told {
    answer.map(|response| response.status()).map_err(told)
}

fn with_own(request: Request, ask: &Ask) -> Request {
    match ask.own_header {
        Some(value) => request.set("X-Amzn-Trace-Id", value).set("traceparent", value),
        None => request,
    }
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Call,
    Place,
    Query,
}

mod call {
    use super::*;

    twice! {
        fn call(ask: Ask, way: Way) -> Told {
            outcome(match way {
                Way::Call => with_own(ureq_2::get(&ask.url), &ask).call(),
                Way::Place => {
                    let request = with_own(ureq_2::get(&ask.url), &ask);
                    request.call()
                }
                Way::Query => with_own(ureq_2::get(&ask.url), &ask).query("a", "b").call(),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(blocking CLIENT, call, Way::Call, Way::Place, Way::Query);
        check!(blocking Client { bad_url: Some("/path"), ..CLIENT }, call, Way::Call);
    }
}

#[derive(Debug, Clone, Copy)]
enum BodyWay {
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

    twice! {
        fn send(ask: Ask, way: BodyWay) -> Told {
            let request = with_own(ureq_2::post(&ask.url), &ask);
            outcome(match way {
                BodyWay::Reader => request.set("a", "b").send(&b"text"[..]),
                BodyWay::Bytes => request.set("a", "b").send_bytes(b"text"),
                BodyWay::Text => request.set("a", "b").send_string("text"),
                BodyWay::Form => request.set("a", "b").send_form(&[("a", "b c")]),
                BodyWay::Json => request.set("a", "b").send_json([Some(1), None]),
                BodyWay::JsonOfItsOwnType => request.set("content-type", "application/vnd").send_json([1]),
                BodyWay::Place => request.send_string("text"),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(
            blocking Client { method: "POST", ..CLIENT }, send, BodyWay::Reader, BodyWay::Bytes, BodyWay::Text,
            BodyWay::Form, BodyWay::Json, BodyWay::JsonOfItsOwnType, BodyWay::Place,
        );
    }
}

/// `set` compares names of headers case-sensitively.
#[tokio::test]
async fn a_header_in_other_letters_stays() {
    #[xray::traced_http]
    fn get(url: &str) -> Told {
        outcome(ureq_2::get(url).set("Traceparent", "mine").call())
    }
    let server = Server::start().await;
    let url = server.url("/bytes/1");
    let recorder = Recorder::builder().propagate(Propagation::Both).emitter(MemoryEmitter::new()).build();
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
