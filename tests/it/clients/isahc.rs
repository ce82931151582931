//! isahc 2.

use http::Request;
use isahc::{AsyncBody, Body, Error, HttpClient, RequestExt as _, ResponseFuture};
use support::documents::capture;
use xray::Instrument as _;

use super::checks::{self, CallInput, CallResult, Client, error_text, only_request};
use support::Server;
use support::subsegments::only_call;

const PUT: Client = Client { method: "PUT", bad_url: Some("/path"), exceptions: 2, replaces: true };

fn request(input: &CallInput) -> Request<&'static str> {
    let mut request = Request::put(&input.url);
    if let Some(value) = input.own_header {
        request = request
            .header("x-amzn-trace-id", value)
            .header("X-Amzn-Trace-Id", "b")
            .header("traceparent", value)
            .header("Traceparent", "b");
    }
    request.body("text").unwrap()
}

fn outcome(answer: Result<http::Response<Body>, Error>) -> CallResult {
    answer.map(|response| response.status().as_u16()).map_err(error_text)
}

fn outcome_later(answer: Result<http::Response<AsyncBody>, Error>) -> CallResult {
    answer.map(|response| response.status().as_u16()).map_err(error_text)
}

#[derive(Debug, Clone, Copy)]
enum Variant {
    Method,
    Place,
    Function,
}

mod now {
    use super::*;

    with_and_without_attribute! {
        fn send(input: CallInput, variant: Variant) -> CallResult {
            outcome(match variant {
                Variant::Method => request(&input).send(),
                Variant::Place => {
                    let request = request(&input);
                    request.send()
                }
                Variant::Function => isahc::send(request(&input)),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(blocking PUT, send, Variant::Method, Variant::Place, Variant::Function);
    }
}

#[derive(Debug, Clone, Copy)]
enum LaterVariant {
    Function,
    Client,
}

mod later {
    use super::*;

    with_and_without_attribute! {
        async fn send(input: CallInput, variant: LaterVariant) -> CallResult {
            outcome_later(match variant {
                LaterVariant::Function => isahc::send_async(request(&input)).await,
                LaterVariant::Client => {
                    let client = HttpClient::new().unwrap();
                    client.send_async(request(&input)).await
                }
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(async PUT, send, LaterVariant::Function, LaterVariant::Client);
    }
}

/// Ways to call that take a URL alone.
mod get {
    use super::*;

    with_and_without_attribute! {
        fn now(url: &str) -> CallResult {
            outcome(isahc::get(url))
        }
    }

    mod async_ {
        use super::*;

        with_and_without_attribute! {
            async fn later(url: &str) -> CallResult {
                outcome_later(isahc::get_async(url).await)
            }
        }

        #[tokio::test]
        async fn is_traced() {
            let server = Server::start().await;
            let url = server.url("/bytes/5");
            let (result, documents) = capture(traced::later(&url).in_segment("t")).await;
            is_recorded(&server, &result, &documents);

            let (result, documents) = capture(traced::later("no url").in_segment("t")).await;
            assert_eq!(result, plain::later("no url").await);
            assert!(result.is_err() && documents[0].subsegments.is_empty());

            assert_eq!(traced::later(&url).await, Ok(200));
            assert!(only_request(&server).trace_headers().is_empty());
        }
    }

    #[tokio::test]
    async fn is_traced() {
        let server = Server::start().await;
        let url = server.url("/bytes/5");
        let (result, documents) = capture(checks::blocking(move || traced::now(&url)).in_segment("t")).await;
        is_recorded(&server, &result, &documents);

        let (result, documents) = capture(checks::blocking(|| traced::now("no url")).in_segment("t")).await;
        assert_eq!(result, plain::now("no url"));
        assert!(result.is_err() && documents[0].subsegments.is_empty());

        let url = server.url("/bytes/5");
        assert_eq!(checks::blocking(move || traced::now(&url)).await, Ok(200));
        assert!(only_request(&server).trace_headers().is_empty());
    }

    fn is_recorded(server: &Server, result: &CallResult, documents: &[xray::Document]) {
        assert_eq!(*result, Ok(200));
        let call = only_call(documents);
        assert_eq!(call.http.as_ref().unwrap().response.unwrap().content_length, Some(5));
        assert_eq!(only_request(server).trace_header().parent, Some(call.id));
    }
}

#[test]
fn the_traced_future_has_the_same_auto_traits_as_the_clients() {
    fn requires_auto_traits<F: Future + Send + Unpin + 'static>(_: &F) {}

    #[xray::traced_http]
    fn futures(request: impl Fn() -> Request<()>) {
        requires_auto_traits(&isahc::send_async(request()));
    }
    let _ = requires_auto_traits::<ResponseFuture<'static>>;
    futures(|| Request::new(()));
}
