//! ureq 3.

use std::collections::BTreeMap;

use support::documents::capture;
use ureq::typestate::{WithBody, WithoutBody};
use ureq::{Agent, Body, Error, RequestBuilder, http};
use xray::Instrument as _;

use super::checks::{self, CallInput, CallResult, Client, error_text, only_request};
use support::Server;
use support::subsegments::only_call;

const WITH_BODY: Client = Client { method: "POST", bad_url: Some("no url"), exceptions: 1, replaces: true };

fn outcome(answer: Result<http::Response<Body>, Error>) -> CallResult {
    answer.map(|response| response.status().as_u16()).map_err(error_text)
}

fn with_own<B>(builder: RequestBuilder<B>, input: &CallInput) -> RequestBuilder<B> {
    match input.own_header {
        Some(value) => builder
            .header("X-Amzn-Trace-Id", value)
            .header("x-amzn-trace-id", "b")
            .header("traceparent", value)
            .header("Traceparent", "b"),
        None => builder,
    }
}

fn get(input: &CallInput) -> RequestBuilder<WithoutBody> {
    with_own(ureq::get(&input.url), input)
}

fn post(input: &CallInput) -> RequestBuilder<WithBody> {
    with_own(ureq::post(&input.url), input)
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
                Variant::Call => get(&input).call(),
                Variant::Place => {
                    let request = get(&input);
                    request.call()
                }
                Variant::Query => get(&input).query("a", "b").call(),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(blocking Client::default(), call, Variant::Call, Variant::Place);
        // ureq panics if `query` is called on some texts that are not URLs.
        check!(blocking Client { bad_url: Some("/path"), ..Client::default() }, call, Variant::Call, Variant::Query);
    }
}

#[derive(Debug, Clone, Copy)]
enum BodyVariant {
    Send,
    Empty,
    Form,
    Json,
    JsonOfItsOwnType,
    JsonPlace,
    Forced,
}

mod with_body {
    use super::*;

    with_and_without_attribute! {
        fn send(input: CallInput, variant: BodyVariant) -> CallResult {
            outcome(match variant {
                BodyVariant::Send => post(&input).send("text"),
                BodyVariant::Empty => post(&input).send_empty(),
                BodyVariant::Form => post(&input).send_form([("a", "b c")]),
                BodyVariant::Json => post(&input).send_json([Some(1), None]),
                BodyVariant::JsonOfItsOwnType => post(&input).content_type("application/vnd").send_json([1]),
                BodyVariant::JsonPlace => {
                    let (request, value) = (post(&input), [1]);
                    request.send_json(value)
                }
                BodyVariant::Forced => with_own(ureq::delete(&input.url), &input).force_send_body().send("text"),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(
            blocking WITH_BODY, send, BodyVariant::Send, BodyVariant::Empty, BodyVariant::Form, BodyVariant::Json,
            BodyVariant::JsonOfItsOwnType, BodyVariant::JsonPlace,
        );
        check!(blocking Client { method: "DELETE", ..WITH_BODY }, send, BodyVariant::Forced);
    }

    #[test]
    fn what_is_no_json_is_the_same_error_and_no_call() {
        fn no_json() -> BTreeMap<(u8, u8), u8> {
            BTreeMap::from([((1, 2), 3)])
        }
        #[xray::traced_http]
        fn traced(url: &str) -> String {
            error_text(ureq::post(url).send_json(no_json()).unwrap_err())
        }
        let plain = error_text(ureq::post("http://localhost/").send_json(no_json()).unwrap_err());
        let (result, documents) = support::documents::capture_blocking(|| {
            xray::Segment::builder("t").begin().in_scope(|| traced("http://localhost/"))
        });
        assert_eq!(result, plain);
        assert!(documents[0].subsegments.is_empty());
    }
}

#[derive(Debug, Clone, Copy)]
enum RunVariant {
    Agent,
    Function,
}

mod run {
    use super::*;

    with_and_without_attribute! {
        fn run(input: CallInput, variant: RunVariant) -> CallResult {
            let mut request = http::Request::put(input.url);
            if let Some(value) = input.own_header {
                request = request.header("x-amzn-trace-id", value).header("X-Amzn-Trace-Id", "b").header("traceparent", value).header("Traceparent", "b");
            }
            let request = request.body("text").map_err(error_text)?;
            outcome(match variant {
                RunVariant::Agent => {
                    let agent = Agent::new_with_defaults();
                    agent.run(request)
                }
                RunVariant::Function => ureq::run(request),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(blocking Client { method: "PUT", ..Client::default() }, run, RunVariant::Agent, RunVariant::Function);
    }
}

#[tokio::test]
async fn the_users_configuration_stays() {
    #[xray::traced_http]
    fn as_response(url: &str) -> u16 {
        ureq::get(url).config().http_status_as_error(false).build().call().unwrap().status().as_u16()
    }
    let server = Server::start().await;
    let url = server.url("/status/404");
    let (status, documents) = capture(checks::blocking(move || as_response(&url)).in_segment("t")).await;
    assert_eq!(status, 404);
    let call = only_call(&documents);
    assert!(call.error && call.http.as_ref().unwrap().response.unwrap().content_length == Some(0), "{call:#?}");
    assert_eq!(only_request(&server).trace_header().parent, Some(call.id));
}
