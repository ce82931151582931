//! Calls that take the request as an argument: reqwest's `execute`, hyper, hyper-util, tower. The last tests are about
//! calls in macros and tasks, and about functions that name the type of a future.
//!
//! Cases that the X-Ray SDK for Python 2.15.0 does not handle, each with the test of this crate that covers it:
//!
//! * A prepared request of `requests` is not traced: `reqwest_execute`.
//! * A request of `httplib` at a lower level is not traced: `requests_on_a_hyper_connection_are_traced`.

use std::convert::Infallible;
use std::error::Error;

use crate::hyper_client::{Body, Client, client, request};
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use support::documents::capture;
use support::{Server, refused_url};
use tower::{Service, ServiceExt as _};
use xray::document::Cause;
use xray::{Document, Instrument as _};

/// Returns the calls and their statuses. Panics unless there is exactly one document and each request carried the id of
/// its call.
fn calls(server: &Server, documents: &[Document]) -> Vec<(String, Option<u16>)> {
    assert_eq!(documents.len(), 1, "{documents:#?}");
    let seen = server.take_seen();
    assert_eq!(seen.len(), documents[0].subsegments.len(), "{documents:#?}");
    let calls = documents[0].subsegments.iter().map(|call| {
        let header = seen.iter().map(support::Seen::trace_header).find(|header| header.parent == Some(call.id));
        assert_eq!(header.unwrap().root, documents[0].trace_id);
        let http = call.http.as_ref().unwrap();
        let request = http.request.as_ref().unwrap();
        let text = format!("{} {}", request.method.as_ref().unwrap(), request.url.as_ref().unwrap());
        (text, http.response.and_then(|response| response.status))
    });
    calls.collect()
}

#[tokio::test]
async fn reqwest_execute() {
    #[xray::traced_http]
    async fn execute(client: &reqwest::Client, url: &str) -> reqwest::Result<u16> {
        let request = client.put(url).build()?;
        let response = client.execute(request).await?;
        client.execute(client.get(url).build()?).await?;
        Ok(response.status().as_u16())
    }
    let server = Server::start().await;
    let (status, documents) =
        capture(execute(&reqwest::Client::new(), &server.url("/status/404")).in_segment("t")).await;
    assert_eq!(status.unwrap(), 404);
    let url = server.url("/status/404");
    assert_eq!(calls(&server, &documents), [(format!("PUT {url}"), Some(404)), (format!("GET {url}"), Some(404))],);
}

#[tokio::test]
async fn hyper_util_client() {
    #[xray::traced_http]
    async fn call(client: &Client, url: &str) -> Result<u16, Box<dyn Error>> {
        let mut both = Vec::new();
        for _ in 0..2 {
            both.push(client.request(request(url)));
        }
        for response in both {
            response.await?;
        }
        Ok(client.request(request(url)).await?.status().as_u16())
    }
    let server = Server::start().await;
    let (status, documents) = capture(call(&client(), &server.url("/status/503?secret=1")).in_segment("t")).await;
    assert_eq!(status.unwrap(), 503);
    let expected = (format!("GET {}", server.url("/status/503")), Some(503));
    assert_eq!(calls(&server, &documents), [expected.clone(), expected.clone(), expected]);
}

#[tokio::test]
async fn a_transport_error_is_the_cause() {
    #[xray::traced_http]
    async fn call(client: &Client, url: &str) -> bool {
        client.request(request(url)).await.is_ok()
    }
    let (is_ok, documents) = capture(call(&client(), &refused_url()).in_segment("t")).await;
    assert!(!is_ok);
    let call = &documents[0].subsegments[0];
    let Some(Cause::Exceptions(cause)) = &call.cause else { panic!("{call:#?}") };
    assert!(cause.exceptions.len() > 1 && call.fault, "{call:#?}");
}

#[tokio::test]
async fn tower_services_of_every_kind() {
    #[xray::traced_http]
    async fn concrete(mut service: Client, url: &str) -> bool {
        let called = service.call(request(url)).await.is_ok();
        called && service.oneshot(request(url)).await.is_ok()
    }

    #[xray::traced_http]
    async fn generic<S, B>(mut service: S, request: Request<B>) -> Result<S::Response, S::Error>
    where
        S: Service<Request<B>>,
    {
        std::future::poll_fn(|task| service.poll_ready(task)).await?;
        service.call(request).await
    }

    #[xray::traced_http]
    async fn boxed(service: tower::util::BoxCloneService<Request<Body>, Response<()>, tower::BoxError>, url: &str) {
        service.oneshot(request(url)).await.unwrap();
    }

    let server = Server::start().await;
    let url = server.url("/bytes/2");
    let work = async {
        assert!(concrete(client(), &url).await);
        generic(client(), request(&url)).await.unwrap();
        let service = client().map_response(|response| response.map(drop)).map_err(tower::BoxError::from);
        boxed(tower::util::BoxCloneService::new(service), &url).await;
    };
    let ((), documents) = capture(work.in_segment("t")).await;
    let calls = calls(&server, &documents);
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|(call, _)| *call == format!("GET {url}")), "{calls:?}");
    let statuses: Vec<_> = calls.iter().map(|(_, status)| *status).collect();
    assert_eq!(statuses, [Some(200), Some(200), None, Some(200)], "a response of a generic type has no status");
}

#[tokio::test]
async fn requests_on_a_hyper_connection_are_traced() {
    #[xray::traced_http]
    async fn connection(server: &Server) -> Result<u16, Box<dyn Error>> {
        let stream = TokioIo::new(tokio::net::TcpStream::connect(server.address).await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        let request = Request::builder().uri("/bytes/3?x=1").header("host", server.address.to_string());
        let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
        Ok(response.status().as_u16())
    }
    let server = Server::start().await;
    let (status, documents) = capture(connection(&server).in_segment("t")).await;
    assert_eq!(status.unwrap(), 200);
    assert_eq!(documents[0].subsegments[0].name, "127.0.0.1");
    assert_eq!(calls(&server, &documents), [(format!("GET //{}/bytes/3", server.address), Some(200))]);
}

#[tokio::test]
async fn forwarding_to_an_inner_service_is_not_recorded() {
    #[xray::traced_http]
    async fn middleware<S>(mut inner: S, request: Request<Body>) -> Result<S::Response, S::Error>
    where
        S: Service<Request<Body>, Error = Infallible>,
    {
        inner.call(request).await
    }
    let service = tower::service_fn(|request: Request<Body>| async move {
        assert!(!request.headers().contains_key("x-amzn-trace-id"));
        Ok::<_, Infallible>(Response::new(()))
    });
    let (_, documents) = capture(middleware(service, request("/path")).in_segment("t")).await;
    assert!(documents[0].subsegments.is_empty());
}

#[tokio::test]
async fn calls_inside_macros_and_spawned_tasks_are_traced() {
    #[xray::traced_http]
    async fn everywhere(client: &reqwest::Client, server: &Server) -> reqwest::Result<()> {
        let url = server.url("/bytes/1");
        let requests = vec![client.get(&url).send(), client.get(&url).send()];
        futures::future::try_join_all(requests).await?;
        tokio::select! {
            biased;
            () = std::future::pending(), if client.get(&url).send().await.is_err() => unreachable!(),
            response = client.get(&url).send() => drop(response?),
            else => {}
        }
        let is_ok = matches!(client.get(&url).send().await, Ok(response) if response.status() == 200);
        let text = format!("{is_ok} {}", client.get(&url).send().await?.status());
        assert_eq!(text, "true 200 OK");
        let task = tokio::spawn({
            let (client, url) = (client.clone(), url.clone());
            async move { client.get(url).send().await }
        });
        task.await.unwrap()?;
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move { client.get(url).send().await }).await.unwrap()?;
        Ok(())
    }
    let server = Server::start().await;
    let (result, documents) = capture(everywhere(&reqwest::Client::new(), &server).in_segment("t")).await;
    result.unwrap();
    assert_eq!((server.take_seen().len(), documents[0].subsegments.len()), (8, 8));
}

/// If a signature or a struct names the client's future type, the call cannot return a traced future. The attribute
/// detects this in the signature. For a field, the user writes `#[xray(skip)]`.
#[tokio::test]
async fn a_named_future_in_a_signature() {
    use futures::stream::{FuturesUnordered, StreamExt as _};
    use hyper_util::client::legacy::ResponseFuture;

    #[xray::traced_http]
    fn both(client: &Client, url: &str) -> FuturesUnordered<ResponseFuture> {
        [request(url), request(url)].into_iter().map(|request| client.request(request)).collect()
    }

    struct InFlight {
        future: ResponseFuture,
    }

    #[xray::traced_http]
    async fn in_a_field(client: &Client, url: &str) -> u16 {
        let (first, second) = (request(url), request(url));
        client.request(first).await.unwrap();
        #[xray(skip)]
        let in_flight = InFlight { future: client.request(second) };
        in_flight.future.await.unwrap().status().as_u16()
    }
    let (server, client) = (Server::start().await, client());
    let url = server.url("/bytes/1");
    let work = async { (both(&client, &url).collect::<Vec<_>>().await.len(), in_a_field(&client, &url).await) };
    let (result, documents) = capture(work.in_segment("t")).await;
    assert_eq!((result, documents[0].subsegments.len(), server.take_seen().len()), ((2, 200), 1, 4));
}
