//! One HTTP request from the background thread to the X-Ray daemon or a metadata service, within limits.

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

/// Limits of one exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From the connection attempt to the last byte of the response.
    pub(crate) time: Duration,
    /// Size of the response body.
    pub(crate) bytes: usize,
}

/// The reason why an exchange gave no response body.
#[derive(Debug)]
pub(crate) enum Failure {
    Connect(io::Error),
    Timeout(Duration),
    Http(hyper::Error),
    Status(StatusCode),
    TooLong(usize),
}

/// Sends a request to the server at `address` (`host:port`) and returns the body of its response.
///
/// The URI of the request is a path. A request without a `Host` header gets the address as its host. Every status
/// but 200 is a failure.
//
// The exchange is made with hyper's connection rather than a client crate: the default build must not gain a TLS stack
// or a connection pool for a few requests a minute. Redirects are not followed, as neither the daemon nor a metadata
// service sends any.
pub(crate) async fn fetch(address: &str, request: Request<String>, limits: Limits) -> Result<Vec<u8>, Failure> {
    let exchange = exchange(address, request, limits.bytes);
    // One limit for the whole exchange: a server that sends a byte now and then must not hold the task for ever.
    timeout(limits.time, exchange).await.unwrap_or(Err(Failure::Timeout(limits.time)))
}

/// Makes one exchange on a new connection.
//
// No connection is kept, because the next request is at least seconds away.
async fn exchange(address: &str, mut request: Request<String>, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    if let Ok(host) = HeaderValue::try_from(address) {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    let stream = TcpStream::connect(address).await.map_err(Failure::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Dropping the set aborts the connection's task, so that the connection closes on every way out of this function:
    // a failure, the time limit, or the end of the recorder.
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let response = sender.send_request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(Failure::Status(response.status()));
    }
    read(response.into_body(), max_bytes).await
}

/// Reads a body of at most `max_bytes`.
async fn read(mut body: Incoming, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    while let Some(frame) = poll_fn(|task| Pin::new(&mut body).poll_frame(task)).await {
        let data = frame?.into_data().unwrap_or_default();
        // Checked before the bytes are kept: whatever answers at the address cannot fill the program's memory.
        if content.len() + data.len() > max_bytes {
            return Err(Failure::TooLong(max_bytes));
        }
        content.extend_from_slice(&data);
    }
    Ok(content)
}

impl From<hyper::Error> for Failure {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(formatter, "could not connect: {error}"),
            Self::Timeout(limit) => write!(formatter, "no answer within {limit:?}"),
            Self::Http(error) => write!(formatter, "the HTTP exchange failed: {error}"),
            Self::Status(status) => write!(formatter, "the response has status {}", status.as_u16()),
            Self::TooLong(limit) => write!(formatter, "the response is larger than {limit} bytes"),
        }
    }
}
