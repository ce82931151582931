//! A real server with `SegmentLayer`, and its client with `SubsegmentLayer`.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _, stream};
use support::Always;
use support::documents::checked;
use tokio::sync::Notify;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Response, Status, Streaming};
use xray::emitter::MemoryEmitter;
use xray::tower::{SegmentLayer, SubsegmentLayer, SubsegmentService};
use xray::{Document, Recorder};

use super::greeter::greeter_client::GreeterClient;
use super::greeter::greeter_server::{Greeter, GreeterServer};
use super::greeter::{Reply, Request};

/// A server that ends with the tokio runtime of the test.
pub(super) struct Served {
    pub(super) address: SocketAddr,
    /// Notified when a handler that never answers has been called.
    pub(super) held: Arc<Notify>,
    emitter: MemoryEmitter,
}

pub(super) type Client = GreeterClient<SubsegmentService<Channel>>;

impl Served {
    pub(super) fn start() -> Self {
        let emitter = MemoryEmitter::new();
        let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
        Self { emitter, ..Self::recording_to(&recorder) }
    }

    /// Starts a server that records with `recorder`.
    pub(super) fn recording_to(recorder: &Recorder) -> Self {
        let incoming = TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = incoming.local_addr().unwrap();
        let held = Arc::new(Notify::new());
        let service = GreeterServer::new(Answers(Arc::clone(&held)));
        let layer: SegmentLayer = SegmentLayer::new("greeter").recorder(recorder);
        let server = tonic::transport::Server::builder().layer(layer).add_service(service);
        tokio::spawn(server.serve_with_incoming(incoming));
        Self { address, held, emitter: MemoryEmitter::new() }
    }

    pub(super) fn uri(&self) -> http::Uri {
        format!("http://{}", self.address).parse().unwrap()
    }

    /// Connects a client whose requests name the host of the channel.
    pub(super) async fn client(&self) -> Client {
        let channel = Endpoint::from(self.uri()).connect().await.unwrap();
        let layered = tower::ServiceBuilder::new().layer(SubsegmentLayer::new()).service(channel);
        GreeterClient::with_origin(layered, self.uri())
    }

    /// Waits for the document of the only call.
    pub(super) async fn document(&self) -> Document {
        for _ in 0..6_000 {
            if let Some(document) = checked(self.emitter.take()).pop() {
                return document;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no document of the server");
    }

    /// Returns whether the server's segment is still open.
    pub(super) fn is_open(&self) -> bool {
        self.emitter.take().is_empty()
    }
}

/// Returns a request for a call that ends with this code.
pub(super) fn request(code: i32, count: i32) -> Request {
    Request { name: "Ada".to_owned(), code, count }
}

/// The code for a call that is never answered.
pub(super) const NEVER: i32 = -1;

/// The message of a status as the service writes it. It has characters that are escaped on the wire, and a secret.
pub(super) const MESSAGE: &str = "gr\u{fc}\u{df} 100%: see https://user:pw@docs.example.com/x?token=secret";

/// [`MESSAGE`] as the documents record it.
pub(super) const RECORDED: &str = "gr\u{fc}\u{df} 100%: see https://docs.example.com/x";

struct Answers(Arc<Notify>);

impl Answers {
    async fn outcome(&self, request: &Request) -> Result<(), Status> {
        match request.code {
            0 => Ok(()),
            NEVER => {
                self.0.notify_one();
                std::future::pending().await
            }
            code => Err(Status::new(Code::from(code), MESSAGE)),
        }
    }
}

fn reply(request: &Request) -> Reply {
    Reply { text: format!("hello {}", request.name) }
}

type Replies = Pin<Box<dyn Stream<Item = Result<Reply, Status>> + Send>>;

#[tonic::async_trait]
impl Greeter for Answers {
    async fn greet(&self, request: tonic::Request<Request>) -> Result<Response<Reply>, Status> {
        xray::current().annotate("greeted", true);
        let request = request.into_inner();
        self.outcome(&request).await?;
        Ok(Response::new(reply(&request)))
    }

    type GreetManyStream = Replies;

    async fn greet_many(&self, request: tonic::Request<Request>) -> Result<Response<Replies>, Status> {
        let request = request.into_inner();
        let replies = (0..request.count).map(|_| Ok(reply(&request))).collect::<Vec<_>>();
        let held = Self(Arc::clone(&self.0));
        let end = stream::once(async move { held.outcome(&request).await });
        let end = end.filter_map(|outcome| std::future::ready(outcome.err().map(Err)));
        Ok(Response::new(Box::pin(stream::iter(replies).chain(end))))
    }

    async fn greet_all(&self, request: tonic::Request<Streaming<Request>>) -> Result<Response<Reply>, Status> {
        let mut requests = request.into_inner();
        let mut last = None;
        while let Some(request) = requests.message().await? {
            self.outcome(&request).await?;
            last = Some(reply(&request));
        }
        last.map(Response::new).ok_or_else(|| Status::invalid_argument("nobody to greet"))
    }

    type ChatStream = Replies;

    async fn chat(&self, request: tonic::Request<Streaming<Request>>) -> Result<Response<Replies>, Status> {
        let held = Self(Arc::clone(&self.0));
        let replies = request.into_inner().then(move |request| {
            let held = Self(Arc::clone(&held.0));
            async move {
                let request = request?;
                held.outcome(&request).await?;
                Ok(reply(&request))
            }
        });
        Ok(Response::new(Box::pin(replies)))
    }
}
