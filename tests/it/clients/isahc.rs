//! isahc 2.

use http::Request;
use isahc::{AsyncBody, Body, Error, HttpClient, RequestExt as _, ResponseFuture};
use support::documents::capture;
use xray::Instrument as _;

use super::checks::{self, Ask, Client, Told, only_request, told};
use support::Server;
use support::subsegments::only_call;

const PUT: Client = Client { method: "PUT", bad_url: Some("/path"), exceptions: 2, replaces: true };

fn request(ask: &Ask) -> Request<&'static str> {
    let mut request = Request::put(&ask.url);
    if let Some(value) = ask.own_header {
        request = request
            .header("x-amzn-trace-id", value)
            .header("X-Amzn-Trace-Id", "b")
            .header("traceparent", value)
            .header("Traceparent", "b");
    }
    request.body("text").unwrap()
}

fn outcome(answer: Result<http::Response<Body>, Error>) -> Told {
    answer.map(|response| response.status().as_u16()).map_err(told)
}

fn outcome_later(answer: Result<http::Response<AsyncBody>, Error>) -> Told {
    answer.map(|response| response.status().as_u16()).map_err(told)
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Method,
    Place,
    Function,
}

mod now {
    use super::*;

    twice! {
        fn send(ask: Ask, way: Way) -> Told {
            outcome(match way {
                Way::Method => request(&ask).send(),
                Way::Place => {
                    let request = request(&ask);
                    request.send()
                }
                Way::Function => isahc::send(request(&ask)),
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(blocking PUT, send, Way::Method, Way::Place, Way::Function);
    }
}

#[derive(Debug, Clone, Copy)]
enum LaterWay {
    Function,
    Client,
}

mod later {
    use super::*;

    twice! {
        async fn send(ask: Ask, way: LaterWay) -> Told {
            outcome_later(match way {
                LaterWay::Function => isahc::send_async(request(&ask)).await,
                LaterWay::Client => {
                    let client = HttpClient::new().unwrap();
                    client.send_async(request(&ask)).await
                }
            })
        }
    }

    #[tokio::test]
    async fn is_traced() {
        check!(async PUT, send, LaterWay::Function, LaterWay::Client);
    }
}

/// Ways to call that take a URL alone.
mod get {
    use super::*;

    twice! {
        fn now(url: &str) -> Told {
            outcome(isahc::get(url))
        }
    }

    mod async_ {
        use super::*;

        twice! {
            async fn later(url: &str) -> Told {
                outcome_later(isahc::get_async(url).await)
            }
        }

        #[tokio::test]
        async fn is_traced() {
            let server = Server::start().await;
            let url = server.url("/bytes/5");
            let (told, documents) = capture(traced::later(&url).in_segment("t")).await;
            is_recorded(&server, &told, &documents);

            let (told, documents) = capture(traced::later("no url").in_segment("t")).await;
            assert_eq!(told, plain::later("no url").await);
            assert!(told.is_err() && documents[0].subsegments.is_empty());

            assert_eq!(traced::later(&url).await, Ok(200));
            assert!(only_request(&server).trace_headers().is_empty());
        }
    }

    #[tokio::test]
    async fn is_traced() {
        let server = Server::start().await;
        let url = server.url("/bytes/5");
        let (told, documents) = capture(checks::blocking(move || traced::now(&url)).in_segment("t")).await;
        is_recorded(&server, &told, &documents);

        let (told, documents) = capture(checks::blocking(|| traced::now("no url")).in_segment("t")).await;
        assert_eq!(told, plain::now("no url"));
        assert!(told.is_err() && documents[0].subsegments.is_empty());

        let url = server.url("/bytes/5");
        assert_eq!(checks::blocking(move || traced::now(&url)).await, Ok(200));
        assert!(only_request(&server).trace_headers().is_empty());
    }

    fn is_recorded(server: &Server, told: &Told, documents: &[xray::Document]) {
        assert_eq!(*told, Ok(200));
        let call = only_call(documents);
        assert_eq!(call.http.as_ref().unwrap().response.unwrap().content_length, Some(5));
        assert_eq!(only_request(server).trace_header().parent, Some(call.id));
    }
}

#[test]
fn the_future_is_as_the_clients_own() {
    fn as_the_clients_own<F: Future + Send + Unpin + 'static>(_: &F) {}

    #[xray::traced_http]
    fn futures(request: impl Fn() -> Request<()>) {
        as_the_clients_own(&isahc::send_async(request()));
    }
    let _ = as_the_clients_own::<ResponseFuture<'static>>;
    futures(|| Request::new(()));
}
