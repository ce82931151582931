//! Traces a gRPC service and its client, both with tonic. A failed call is recorded as failed on both sides, although
//! its HTTP status is 200, because the outcome of a gRPC call is the `grpc-status`.
//!
//! ```text
//! cargo run -p example-grpc
//! ```
//!
//! `xray::tower::SegmentLayer` records each incoming call as a segment, and `xray::tower::SubsegmentLayer` each
//! outgoing call as a subsegment. The program prints both, and ends. It needs no network and no daemon: the service
//! listens on a free port of the loopback interface, and a `MemoryEmitter` keeps the documents.

use std::net::Ipv4Addr;
use std::pin::Pin;
use std::time::Duration;

use tonic::codegen::tokio_stream::{Stream, iter};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Response, Status, Streaming};
use tower::ServiceBuilder;
use xray::emitter::MemoryEmitter;
use xray::tower::{SegmentLayer, SubsegmentLayer, SubsegmentService};
use xray::{Document, Instrument as _, Recorder};

use self::greeter::greeter_client::GreeterClient;
use self::greeter::greeter_server::{Greeter, GreeterServer};
use self::greeter::{Reply, Request};

/// The code that `tonic-prost-build` generated from `greeter.proto`. Your own program generates such code in its build
/// script.
#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub, reason = "generated code")]
mod greeter;

/// A service that greets, or fails with the status in the request.
struct Greetings;

type Replies = Pin<Box<dyn Stream<Item = Result<Reply, Status>> + Send>>;

fn outcome(request: &Request) -> Result<Reply, Status> {
    xray::current().annotate("name", request.name.as_str());
    match request.code {
        0 => Ok(Reply { text: format!("Hello, {}!", request.name) }),
        code => Err(Status::new(Code::from(code), format!("nobody greets {}", request.name))),
    }
}

#[tonic::async_trait]
impl Greeter for Greetings {
    async fn greet(&self, request: tonic::Request<Request>) -> Result<Response<Reply>, Status> {
        outcome(request.get_ref()).map(Response::new)
    }

    type GreetManyStream = Replies;

    async fn greet_many(&self, request: tonic::Request<Request>) -> Result<Response<Replies>, Status> {
        let request = request.into_inner();
        let greeting = Ok(Reply { text: format!("Hello, {}!", request.name) });
        let greetings = (0..request.count).map(|_| greeting.clone()).collect::<Vec<_>>();
        Ok(Response::new(Box::pin(iter(greetings.into_iter().chain([outcome(&request)])))))
    }

    async fn greet_all(&self, mut requests: tonic::Request<Streaming<Request>>) -> Result<Response<Reply>, Status> {
        let first = requests.get_mut().message().await?;
        first.as_ref().map_or_else(|| Err(Status::invalid_argument("nobody to greet")), outcome).map(Response::new)
    }

    type ChatStream = Replies;

    async fn chat(&self, _: tonic::Request<Streaming<Request>>) -> Result<Response<Replies>, Status> {
        Err(Status::unimplemented("this service does not chat"))
    }
}

type Client = GreeterClient<SubsegmentService<Channel>>;

async fn greet(client: &mut Client) {
    for (name, code) in [("Ada", 0), ("Bob", 5), ("Eve", 13)] {
        match client.greet(Request { name: name.to_owned(), code, count: 0 }).await {
            Ok(reply) => println!("{}", reply.into_inner().text),
            Err(status) => println!("{:?}: {}", status.code(), status.message()),
        }
    }
    // The call lasts until the stream has ended. The status is in the trailers.
    let request = Request { name: "Zoe".to_owned(), code: 8, count: 2 };
    if let Ok(replies) = client.greet_many(request).await {
        let mut replies = replies.into_inner();
        loop {
            match replies.message().await {
                Ok(Some(reply)) => println!("{}", reply.text),
                Ok(None) => break,
                Err(status) => break println!("{:?}: {}", status.code(), status.message()),
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A program with a daemon needs no recorder of its own: the first segment installs one.
    let emitter = MemoryEmitter::new();
    Recorder::builder().sampler(xray::sampling::Always).emitter(emitter.clone()).install()?;

    let incoming = TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = incoming.local_addr()?;
    let layer: SegmentLayer = SegmentLayer::new("greeter");
    let server = Server::builder().layer(layer).add_service(GreeterServer::new(Greetings));
    tokio::spawn(server.serve_with_incoming(incoming));

    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    let channel = ServiceBuilder::new().layer(SubsegmentLayer::new()).service(endpoint.connect().await?);
    // The channel adds its host below the layer. Without an origin, the calls would be named after the gRPC service.
    let mut client = GreeterClient::with_origin(channel, endpoint.uri().clone());
    println!("=== What the client gets");
    greet(&mut client).in_segment("reception").await;

    println!("\n=== What X-Ray receives");
    let mut documents = Vec::new();
    // A segment of the service ends when its response has been sent, which may be after the client has received it.
    for _ in 0..1_000 {
        documents.extend(emitter.take());
        if documents.len() == 5 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for segment in &documents {
        println!("segment {}", line(segment));
        segment.subsegments.iter().for_each(|call| println!("  -> {}", line(call)));
    }
    Ok(())
}

fn line(document: &Document) -> String {
    let request = document.http.as_ref().and_then(|http| http.request.as_ref());
    let url = request.and_then(|request| request.url.as_deref()).unwrap_or_default();
    let status = document.metadata.get("grpc").map(|grpc| format!(": {} {}", grpc["status"], grpc["message"]));
    let flags = [(document.error, " (error)"), (document.throttle, " (throttle)"), (document.fault, " (fault)")];
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, text)| text).collect::<String>();
    format!("{} {url}{}{flags}", document.name, status.unwrap_or_default())
}
