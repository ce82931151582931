//! The middleware for reqwest-middleware alone, without any other way of tracing.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::Extensions;
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use xray::reqwest_middleware::SubsegmentMiddleware;
use xray::{Instrument as _, Namespace};

use super::segments::{exceptions, sampled};
use support::documents::capture;
use support::subsegments::{only_call, status, url};
use support::{Server, refused_url};

#[tokio::test]
async fn a_request_of_the_middleware_is_a_subsegment_and_carries_its_id() {
    let server = Server::start().await;
    let client = ClientBuilder::new(reqwest::Client::new()).with(SubsegmentMiddleware::new()).build();
    let work = client.get(server.url("/bytes/5?token=secret")).header("x-amzn-trace-id", "Root=mine").send();
    let (response, documents) = capture(work.in_segment(sampled())).await;
    let call = only_call(&documents);
    assert_eq!((call.name.as_str(), call.namespace), ("127.0.0.1", Some(Namespace::Remote)));
    assert_eq!((url(call), status(call)), (server.url("/bytes/5").as_str(), Some(200)));
    assert_eq!(call.http.as_ref().unwrap().response.unwrap().content_length, Some(5));
    let expected = format!("Root=1-5759e988-bd862e3fe1be46a994272793;Parent={};Sampled=1", call.id);
    assert_eq!(server.take_seen()[0].trace_headers(), [expected]);
    assert_eq!(response.unwrap().text().await.unwrap(), "xxxxx");
}

/// A middleware that refuses every request.
struct Refusing;

#[async_trait::async_trait]
impl Middleware for Refusing {
    async fn handle(
        &self,
        _: reqwest::Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let source = io::Error::from(io::ErrorKind::NotFound);
        Err(reqwest_middleware::Error::middleware(io::Error::other(Sourced(source))))
    }
}

/// An error that has a source.
#[derive(Debug)]
struct Sourced(io::Error);

impl std::fmt::Display for Sourced {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("refused here")
    }
}

impl Error for Sourced {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn an_error_of_the_middlewares_client_or_of_another_middleware_is_the_cause() {
    let refused = format!("{}p?token=secret", refused_url());
    let client = ClientBuilder::new(reqwest::Client::new()).with(SubsegmentMiddleware::new()).build();
    let (result, documents) = capture(client.get(&refused).send().in_segment("t")).await;
    assert!(result.unwrap_err().is_connect());
    let causes = exceptions(only_call(&documents));
    assert_eq!(causes[0].kind.as_deref(), Some("reqwest_middleware::error::Error"));
    assert_eq!(causes.last().unwrap().kind.as_deref(), Some("std::io::error::Error"), "{causes:#?}");
    assert!(!serde_json::to_string(&documents).unwrap().contains("secret"));

    let client = ClientBuilder::new(reqwest::Client::new()).with(SubsegmentMiddleware::new()).with(Refusing).build();
    let (result, documents) = capture(client.get(&refused).send().in_segment("t")).await;
    assert!(result.unwrap_err().is_middleware());
    let causes = exceptions(only_call(&documents));
    let messages: Vec<_> = causes.iter().map(|cause| cause.message.as_deref().unwrap()).collect();
    assert_eq!(messages, ["refused here", "entity not found"]);
}

#[tokio::test]
async fn a_cancelled_request_of_the_middleware_is_marked() {
    let server = Server::start().await;
    let client = ClientBuilder::new(reqwest::Client::new()).with(SubsegmentMiddleware::new()).build();
    let url = server.url("/slow/10000");
    let work = async { tokio::time::timeout(Duration::from_millis(50), client.get(&url).send()).await.is_err() };
    let (is_late, documents) = capture(work.in_segment("t")).await;
    assert!(is_late);
    assert_eq!(only_call(&documents).metadata["xray"]["cancelled"], true);
}
