//! hyper 0.14: its client and its connections.

use hyper_0_14::client::conn::handshake;
use hyper_0_14::service::Service as _;
use hyper_0_14::{Body, Request, Uri};
use support::documents::capture;
use tokio::net::TcpStream;
use xray::Instrument as _;

use super::checks::{self, CallInput, CallResult, Client, error_text, only_request};
use support::Server;
use support::subsegments::only_call;

const GET: Client = Client { method: "GET", bad_url: Some("/path"), exceptions: 2, replaces: true };

fn request(input: &CallInput) -> Request<Body> {
    let mut request = Request::get(&input.url);
    if let Some(value) = input.own_header {
        request = request
            .header("x-amzn-trace-id", value)
            .header("X-Amzn-Trace-Id", "b")
            .header("traceparent", value)
            .header("Traceparent", "b");
    }
    request.body(Body::empty()).unwrap()
}

#[derive(Debug, Clone, Copy)]
enum Variant {
    Request,
    Service,
    Get,
}

with_and_without_attribute! {
    async fn send(input: CallInput, variant: Variant) -> CallResult {
        let mut client = hyper_0_14::Client::new();
        let answer = match variant {
            Variant::Request => client.request(request(&input)).await,
            Variant::Service => client.call(request(&input)).await,
            Variant::Get if input.own_header.is_some() => client.request(request(&input)).await,
            Variant::Get => {
                let uri: Uri = input.url.parse().unwrap();
                client.get(uri).await
            }
        };
        answer.map(|response| response.status().as_u16()).map_err(error_text)
    }
}

#[tokio::test]
async fn the_client_is_traced() {
    check!(async GET, send, Variant::Request, Variant::Service, Variant::Get);
}

#[tokio::test]
async fn a_connection_is_traced() {
    #[xray::traced_http]
    async fn connection(server: &Server, path: &str) -> u16 {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let (mut sender, connection) = handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get(path).header("host", server.address.to_string()).body(Body::empty()).unwrap();
        sender.send_request(request).await.unwrap().status().as_u16()
    }
    let server = Server::start().await;
    let (status, documents) = capture(connection(&server, "/status/404?secret").in_segment("t")).await;
    assert_eq!(status, 404);
    let call = only_call(&documents);
    assert!(call.error && call.name == "127.0.0.1", "{call:#?}");
    let request = call.http.as_ref().unwrap().request.as_ref().unwrap();
    assert_eq!(request.url, Some(format!("//{}/status/404", server.address)));
    assert_eq!(only_request(&server).trace_header().parent, Some(call.id));
}
