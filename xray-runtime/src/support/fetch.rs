//! One HTTP request from a background thread to the X-Ray daemon, a metadata service or a collector, within limits.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{error, fmt, io};

use http::header::HOST;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::support::resolve::{resolve, without_zone};
use crate::support::text::first_chars;

/// Limits of one exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From the connection attempt to the last byte of the response.
    pub(crate) time: Duration,
    /// Size of the response body.
    pub(crate) bytes: usize,
}

/// The reason why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    Connect(io::Error),
    Timeout(Duration),
    Http(hyper::Error),
    /// A status other than 200, and what the body says.
    Status(StatusCode, String),
    TooLong(usize),
}

/// Limit on the bytes of a failed response that are read.
const MAX_MESSAGE_BYTES: usize = 4096;

/// A response with any status.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The part of the body that arrived within the limits.
    pub(crate) body: Vec<u8>,
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
    let exchange = async {
        let mut opened = open(address, request).await?;
        if opened.response.status() != StatusCode::OK {
            let mut body = Vec::new();
            // The status tells the outcome, even if the body is too long, is too slow or breaks off.
            let _ = timeout(limits.time / 4, read(opened.response.body_mut(), MAX_MESSAGE_BYTES, &mut body)).await;
            return Err(Failure::Status(opened.response.status(), message(&body)));
        }
        let mut content = Vec::new();
        let is_whole = read(opened.response.body_mut(), limits.bytes, &mut content).await?;
        if is_whole { Ok(content) } else { Err(Failure::TooLong(limits.bytes)) }
    };
    // One limit for the whole exchange: a server that sends a byte now and then must not hold the task forever.
    timeout(limits.time, exchange).await.unwrap_or(Err(Failure::Timeout(limits.time)))
}

/// Sends a request like [`fetch`], and returns a response with any status.
///
/// Succeeds if the head of the response arrives, because its status tells the outcome of the request. If the body is
/// too long, is too slow or breaks off, returns the beginning of the body.
pub(crate) async fn send(address: &str, request: Request<Payload>, limits: Limits) -> Result<HttpResponse, Failure> {
    let deadline = Instant::now() + limits.time;
    let opened = timeout_at(deadline, open(address, request)).await;
    let mut opened = opened.unwrap_or(Err(Failure::Timeout(limits.time)))?;
    let mut body = Vec::new();
    let _ = timeout_at(deadline, read(opened.response.body_mut(), limits.bytes, &mut body)).await;
    let (head, _) = opened.response.into_parts();
    Ok(HttpResponse { status: head.status, headers: head.headers, body })
}

/// Returns what the body of a failed response says: the `message` of a JSON object, else its text. Returns at most 250
/// characters.
pub(crate) fn message(body: &[u8]) -> String {
    const MAX_CHARS: usize = 250;

    /// The body of a failure. (`google.rpc.Status`, and the errors of AWS.)
    #[derive(Deserialize)]
    struct Failed {
        #[serde(alias = "Message")]
        message: String,
    }

    let text = match serde_json::from_slice(body) {
        Ok(Failed { message }) => message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    first_chars(text.trim(), MAX_CHARS).to_owned()
}

/// A response with an unread body.
struct Opened {
    response: Response<Incoming>,
    // Dropping the set aborts the task of the connection. So the connection closes after a failure, at the time limit,
    // and at the end of the recorder.
    _connection: JoinSet<hyper::Result<()>>,
}

/// Sends a request on a new connection, and returns when the head of the response has arrived.
//
// No connection is reused. The requests of the recorder are seconds apart, and a connection costs little compared with
// a batch of spans. If the server closes a reused connection, the client cannot tell whether the server received the
// request.
async fn open<B>(address: &str, mut request: Request<B>) -> Result<Opened, Failure>
where
    B: Body<Data: Send, Error: Into<Box<dyn error::Error + Send + Sync>>> + Send + 'static,
{
    if let Ok(host) = HeaderValue::try_from(without_zone(address)) {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    let stream = connect(address).await.map_err(Failure::Connect)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    Ok(Opened { response: sender.send_request(request).await?, _connection: connections })
}

/// Connects to the first address of `host:port` that accepts the connection.
pub(crate) async fn connect(address: &str) -> io::Result<TcpStream> {
    TcpStream::connect(&*resolve(address).await?).await
}

/// Appends a body to `content`, up to `max_bytes`. Returns whether the whole body was appended.
async fn read(body: &mut Incoming, max_bytes: usize, content: &mut Vec<u8>) -> hyper::Result<bool> {
    while let Some(frame) = poll_fn(|task| Pin::new(&mut *body).poll_frame(task)).await {
        let data = frame?.into_data().unwrap_or_default();
        // Checked before the bytes are kept: whatever answers at the address cannot fill the program's memory.
        let room = max_bytes - content.len();
        content.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The body of a request that may be sent several times. Clones share the bytes.
//
// hyper implements `Body` for `String`, but a clone of a `String` copies megabytes.
#[derive(Debug, Clone)]
pub(crate) struct Payload(Option<Bytes>);

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self((!bytes.is_empty()).then(|| bytes.into()))
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
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
            Self::Status(status, message) => {
                let colon = if message.is_empty() { "" } else { ": " };
                write!(formatter, "the response has status {}{colon}{message}", status.as_u16())
            }
            Self::TooLong(limit) => write!(formatter, "the response is larger than {limit} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    use super::*;

    /// Fetches from a server that answers with these bytes and keeps the connection open.
    async fn fetch_from(answer: &'static str, limits: Limits) -> Result<Vec<u8>, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut request = BufReader::new(connection.try_clone().unwrap());
            // The client gives up on a server that answers before the request.
            for line in request.by_ref().lines() {
                if line.unwrap().is_empty() {
                    break;
                }
            }
            connection.write_all(answer.as_bytes()).unwrap();
            // Until the client closes the connection.
            let _ = request.read_to_end(&mut Vec::new());
        });
        fetch(&address, Request::new(String::new()), limits).await
    }

    #[tokio::test]
    async fn a_body_may_be_as_long_as_its_limit() {
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody";
        let time = Duration::from_secs(60);
        assert_eq!(fetch_from(answer, Limits { time, bytes: 4 }).await.unwrap(), b"body");
        assert!(matches!(fetch_from(answer, Limits { time, bytes: 3 }).await, Err(Failure::TooLong(3))));
    }

    #[tokio::test]
    async fn a_status_is_known_although_its_body_never_ends() {
        let answer = "HTTP/1.1 503 busy\r\ncontent-length: 9\r\n\r\nbusy";
        let limits = Limits { time: Duration::from_secs(2), bytes: 100 };
        let Err(failure) = fetch_from(answer, limits).await else { panic!("503 is a failure") };
        assert!(matches!(failure, Failure::Status(StatusCode::SERVICE_UNAVAILABLE, _)), "{failure}");
    }

    #[test]
    fn the_length_of_a_payload_is_known() {
        assert_eq!(Payload::from(vec![1, 2, 3]).size_hint().exact(), Some(3));
        assert_eq!(Payload::from(Vec::new()).size_hint().exact(), Some(0));
    }
}
