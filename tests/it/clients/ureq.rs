//! ureq 3.

use std::collections::BTreeMap;

use support::documents::capture;
use ureq::typestate::{WithBody, WithoutBody};
use ureq::{Agent, Body, Error, RequestBuilder, http};
use xray::Instrument as _;

use super::checks::{self, Ask, Client, Told, only_request, told};
use support::Server;
use support::subsegments::only_call;

const WITH_BODY: Client = Client { method: "POST", bad_url: Some("no url"), exceptions: 1, replaces: true };

fn outcome(answer: Result<http::Response<Body>, Error>) -> Told {
    answer.map(|response| response.status().as_u16()).map_err(told)
}

fn with_own<B>(builder: RequestBuilder<B>, ask: &Ask) -> RequestBuilder<B> {
    match ask.own_header {
        Some(value) => builder
            .header("X-Amzn-Trace-Id", value)
            .header("x-amzn-trace-id", "b")
            .header("traceparent", value)
            .header("Traceparent", "b"),
        None => builder,
    }
}

fn get(ask: &Ask) -> RequestBuilder<WithoutBody> {
    with_own(ureq::get(&ask.url), ask)
}

fn post(ask: &Ask) -> RequestBuilder<WithBody> {
    with_own(ureq::post(&ask.url), ask)
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
                Way::Call => get(&ask).call(),
                Way::Place => {
                    let request = get(&ask);
                    request.call()
                }
                Way::Query => get(&ask).query("a", "b").call(),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(blocking Client::default(), call, Way::Call, Way::Place);
        // ureq panics if `query` is called on some texts that are not URLs.
        check!(blocking Client { bad_url: Some("/path"), ..Client::default() }, call, Way::Call, Way::Query);
    }
}

#[derive(Debug, Clone, Copy)]
enum BodyWay {
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

    twice! {
        fn send(ask: Ask, way: BodyWay) -> Told {
            outcome(match way {
                BodyWay::Send => post(&ask).send("text"),
                BodyWay::Empty => post(&ask).send_empty(),
                BodyWay::Form => post(&ask).send_form([("a", "b c")]),
                BodyWay::Json => post(&ask).send_json([Some(1), None]),
                BodyWay::JsonOfItsOwnType => post(&ask).content_type("application/vnd").send_json([1]),
                BodyWay::JsonPlace => {
                    let (request, value) = (post(&ask), [1]);
                    request.send_json(value)
                }
                BodyWay::Forced => with_own(ureq::delete(&ask.url), &ask).force_send_body().send("text"),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(
            blocking WITH_BODY, send, BodyWay::Send, BodyWay::Empty, BodyWay::Form, BodyWay::Json,
            BodyWay::JsonOfItsOwnType, BodyWay::JsonPlace,
        );
        check!(blocking Client { method: "DELETE", ..WITH_BODY }, send, BodyWay::Forced);
    }

    #[test]
    fn what_is_no_json_is_the_same_error_and_no_call() {
        fn no_json() -> BTreeMap<(u8, u8), u8> {
            BTreeMap::from([((1, 2), 3)])
        }
        #[xray::traced_http]
        fn traced(url: &str) -> String {
            told(ureq::post(url).send_json(no_json()).unwrap_err())
        }
        let plain = told(ureq::post("http://localhost/").send_json(no_json()).unwrap_err());
        let (told, documents) = support::documents::capture_blocking(|| {
            xray::Segment::builder("t").begin().in_scope(|| traced("http://localhost/"))
        });
        assert_eq!(told, plain);
        assert!(documents[0].subsegments.is_empty());
    }
}

#[derive(Debug, Clone, Copy)]
enum RunWay {
    Agent,
    Function,
}

mod run {
    use super::*;

    twice! {
        fn run(ask: Ask, way: RunWay) -> Told {
            let mut request = http::Request::put(ask.url);
            if let Some(value) = ask.own_header {
                request = request.header("x-amzn-trace-id", value).header("X-Amzn-Trace-Id", "b").header("traceparent", value).header("Traceparent", "b");
            }
            let request = request.body("text").map_err(told)?;
            outcome(match way {
                RunWay::Agent => {
                    let agent = Agent::new_with_defaults();
                    agent.run(request)
                }
                RunWay::Function => ureq::run(request),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(blocking Client { method: "PUT", ..Client::default() }, run, RunWay::Agent, RunWay::Function);
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
