//! One HTTP request from the background, to the daemon or a metadata service: what it may take is bounded.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use std::{fmt, io};

use http::header::HOST;
use http::{HeaderValue, Request, StatusCode};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What a request may take, with all that belongs to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) time: Duration,
    /// Of the body of the answer.
    pub(crate) bytes: usize,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    Connect(io::Error),
    Timeout(Duration),
    Http(hyper::Error),
    Status(StatusCode),
    TooLong(usize),
}

/// The body of the answer of the server at `address`, which is `host:port`; the request's URI is a path, and without a
/// `Host` it names the address. Any other status than 200 is a failure.
pub(crate) async fn fetch(address: &str, request: Request<String>, limits: Limits) -> Result<Vec<u8>, Failure> {
    let exchange = exchange(address, request, limits.bytes);
    timeout(limits.time, exchange).await.unwrap_or(Err(Failure::Timeout(limits.time)))
}

/// On a connection of its own, since the next one is seconds away.
async fn exchange(address: &str, mut request: Request<String>, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    if let Ok(host) = HeaderValue::try_from(address) {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    let stream = TcpStream::connect(address).await.map_err(Failure::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Dropped at the end, whatever the end is, and the connection with it.
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let response = sender.send_request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(Failure::Status(response.status()));
    }
    read(response.into_body(), max_bytes).await
}

async fn read(mut body: Incoming, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut answer = Vec::new();
    while let Some(frame) = poll_fn(|task| Pin::new(&mut body).poll_frame(task)).await {
        let data = frame?.into_data().unwrap_or_default();
        if answer.len() + data.len() > max_bytes {
            return Err(Failure::TooLong(max_bytes));
        }
        answer.extend_from_slice(&data);
    }
    Ok(answer)
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(formatter, "no connection: {error}"),
            Self::Timeout(limit) => write!(formatter, "no answer within {limit:?}"),
            Self::Http(error) => write!(formatter, "no HTTP: {error}"),
            Self::Status(status) => write!(formatter, "status {}", status.as_u16()),
            Self::TooLong(limit) => write!(formatter, "an answer of more than {limit} bytes"),
        }
    }
}
