//! A client of your own, traced by `#[xray::traced_http]` like reqwest. Offline: the service that it calls is in here,
//! on a free port of the loopback interface.
//!
//! ```text
//! cargo run -p example-custom-client
//! ```
//!
//! `mod client` is a client as you may have one; it knows nothing of X-Ray. `mod traceable` makes it traceable: copy
//! that module and put in your types. It belongs in the crate that defines the request and the response, because Rust
//! allows an implementation only in the crate of the trait or of the type. Wrap the types of a foreign crate in types
//! of your own.
#![allow(unreachable_pub, reason = "the modules stand for crates")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use xray::{Document, Instrument as _, Segment};

use self::client::{Client, Request, Response};

/// The call is a method of the request and returns a future.
#[xray::traced_http]
async fn todo(service: SocketAddr, id: u32) -> Result<String, client::Error> {
    let response = Request::get(format!("http://{service}/todos/{id}?token=secret")).send().await?;
    Ok(response.body)
}

/// The request is the argument of the call, which blocks.
#[xray::traced_http]
fn delete(client: &Client, service: SocketAddr, id: u32) -> Result<Response, client::Error> {
    let request = Request::new("DELETE", format!("http://{service}/todos/{id}"));
    client.execute(request)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (service, seen) = start_service()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;

    let work = todo(service, 1).in_segment("custom-client");
    let (result, documents) = runtime.block_on(xray::testing::capture(work));
    show("A future, answered with 200", &format!("{result:?}"), &documents, &seen)?;

    let client = Client { user_agent: "custom-client" };
    let (result, documents) = xray::testing::capture_blocking(|| {
        Segment::builder("custom-client").begin().in_scope(|| delete(&client, service, 2))
    });
    show("A call that blocks, answered with 404", &format!("{result:?}"), &documents, &seen)?;

    // A port that was bound and is free again: nothing listens there.
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let work = todo(nobody, 3).in_segment("custom-client");
    let (result, documents) = runtime.block_on(xray::testing::capture(work));
    show("A connection refused: a fault with its cause", &format!("{result:?}"), &documents, &seen)?;
    Ok(())
}

/// Makes the client traceable: a twin of the request, and implementations of four public traits.
mod traceable {
    use http::{HeaderName, HeaderValue};
    use xray::http::{
        Call, CallParent, CallSite, DeferredCall, Outgoing, PendingCall, ReadResponse, RequestHeaders, Sent, Traceable,
        methods,
    };

    use super::client::{Error, Request, Response};

    /// For `request.send()`: an annotated function turns the request into its twin before it calls `send`.
    impl Traceable<methods::send> for Request {
        type Traced = TracedRequest;

        fn traced(self, site: CallSite) -> TracedRequest {
            TracedRequest { request: self, site }
        }
    }

    /// The traced twin of a [`Request`].
    pub struct TracedRequest {
        request: Request,
        site: CallSite,
    }

    impl TracedRequest {
        /// Has the name and the arguments of [`Request::send`]. Returns the client's own future, with a subsegment
        /// around it.
        // The twin of a method that blocks would do without `DeferredCall`:
        // `site.parent().and_then(..begin..).unwrap_or_default().run(|| request.send(), ReadResponse::read)`.
        pub fn send(self) -> impl Future<Output = Result<Response, Error>> {
            let Self { request, site } = self;
            DeferredCall::new(site, move |parent| start(request, parent), ReadResponse::read)
        }
    }

    /// Sends the request as the user's code would. There is no parent if no segment is open.
    fn start(mut request: Request, parent: Option<CallParent>) -> Sent<impl Future<Output = Result<Response, Error>>> {
        // Both ways of sending begin a call in the same way. The method in `Outgoing` only selects the implementation.
        let call = parent.and_then(|parent| Outgoing::<methods::execute>::begin(&mut request, parent));
        Sent::new(request.send(), call)
    }

    /// For `client.execute(request)`: an annotated function passes the request here on its way into the call.
    impl Outgoing<methods::execute> for Request {
        fn begin(&mut self, parent: CallParent) -> Option<PendingCall> {
            // The whole URL is passed on. Of it, the runtime records neither credentials nor the query.
            Some(parent.begin(self.method, &self.url).inject(self))
        }
    }

    /// For the trace headers. A client whose headers are a `http::HeaderMap` injects into that and needs no
    /// implementation.
    impl RequestHeaders for Request {
        fn get(&self, name: &HeaderName) -> Option<&str> {
            self.header(name.as_str())
        }

        fn set(&mut self, name: &'static HeaderName, value: HeaderValue) {
            if let Ok(value) = value.to_str() {
                self.set_header(name.as_str(), value);
            }
        }
    }

    /// Records the response in the subsegment. A `Result` is recorded too, with an error as the cause. The caller gets
    /// both unchanged.
    impl ReadResponse for Response {
        fn read(&self, call: &mut Call) {
            call.response(self.status, Some(self.body.len() as u64));
        }
    }
}

/// The client. It sends one request per connection.
mod client {
    use std::fmt;
    use std::io::{self, Read as _, Write as _};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    pub struct Request {
        pub method: &'static str,
        pub url: String,
        headers: Vec<(String, String)>,
    }

    #[derive(Debug)]
    pub struct Response {
        pub status: u16,
        pub body: String,
    }

    #[derive(Debug)]
    pub enum Error {
        Url,
        Connection(io::Error),
        Malformed,
    }

    /// Settings for all requests.
    pub struct Client {
        pub user_agent: &'static str,
    }

    impl Client {
        pub fn execute(&self, mut request: Request) -> Result<Response, Error> {
            request.set_header("User-Agent", self.user_agent);
            // `Connection: close` in the request makes the end of the stream the end of the response.
            let mut connection = std::net::TcpStream::connect(request.host()?)?;
            connection.write_all(request.encode()?.as_bytes())?;
            let mut response = String::new();
            connection.read_to_string(&mut response)?;
            Response::decode(&response)
        }
    }

    impl Request {
        pub fn get(url: String) -> Self {
            Self::new("GET", url)
        }

        pub fn new(method: &'static str, url: String) -> Self {
            Self { method, url, headers: Vec::new() }
        }

        pub async fn send(self) -> Result<Response, Error> {
            let mut connection = tokio::net::TcpStream::connect(self.host()?).await?;
            connection.write_all(self.encode()?.as_bytes()).await?;
            let mut response = String::new();
            connection.read_to_string(&mut response).await?;
            Response::decode(&response)
        }

        pub fn header(&self, name: &str) -> Option<&str> {
            let mut headers = self.headers.iter();
            headers.find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        }

        /// Sets a header, in place of any values that the request has for it.
        pub fn set_header(&mut self, name: &str, value: &str) {
            self.headers.retain(|(header, _)| !header.eq_ignore_ascii_case(name));
            self.headers.push((name.to_owned(), value.to_owned()));
        }

        fn host(&self) -> Result<&str, Error> {
            self.split_url().map(|(host, _)| host)
        }

        fn split_url(&self) -> Result<(&str, &str), Error> {
            self.url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).ok_or(Error::Url)
        }

        fn encode(&self) -> Result<String, Error> {
            let (host, path) = self.split_url()?;
            let head = format!("{} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", self.method);
            let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            Ok(head + &headers.collect::<String>() + "\r\n")
        }
    }

    impl Response {
        fn decode(response: &str) -> Result<Self, Error> {
            let (head, body) = response.split_once("\r\n\r\n").ok_or(Error::Malformed)?;
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
            Ok(Self { status: status.ok_or(Error::Malformed)?, body: body.to_owned() })
        }
    }

    impl fmt::Display for Error {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(match self {
                Self::Url => "the URL is not of the form http://host/path",
                Self::Connection(_) => "the connection failed",
                Self::Malformed => "the response is malformed",
            })
        }
    }

    impl std::error::Error for Error {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            match self {
                Self::Connection(error) => Some(error),
                Self::Url | Self::Malformed => None,
            }
        }
    }

    impl From<io::Error> for Error {
        fn from(error: io::Error) -> Self {
            Self::Connection(error)
        }
    }
}

/// Prints the documents that X-Ray would receive, and the trace headers that the service received.
fn show(title: &str, result: &str, documents: &[Document], seen: &Receiver<String>) -> serde_json::Result<()> {
    println!("=== {title}\n    the function returned {result}");
    for document in documents {
        println!("{}", serde_json::to_string_pretty(document)?);
    }
    for header in seen.try_iter() {
        println!("<-- the service received {header}");
    }
    println!();
    Ok(())
}

/// Starts a small HTTP service on a thread of its own. Returns its address, and a receiver of the trace header of each
/// request.
fn start_service() -> std::io::Result<(SocketAddr, Receiver<String>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let (sender, seen) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let result = connection.and_then(|connection| respond(&connection, &sender));
            if let Err(error) = result {
                eprintln!("the service failed to respond: {error}");
            }
        }
    });
    Ok((address, seen))
}

fn respond(mut connection: &TcpStream, seen: &Sender<String>) -> std::io::Result<()> {
    let mut lines = BufReader::new(connection).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        let line = line?;
        if line.to_ascii_lowercase().starts_with("x-amzn-trace-id:") {
            // An error means that the receiver is gone: the program is about to end.
            let _ = seen.send(line);
        } else if line.is_empty() {
            break;
        }
    }
    let (status, body) =
        if request.starts_with("GET ") { ("200 OK", r#"{"id":1,"title":"trace it"}"#) } else { ("404 Not Found", "") };
    write!(connection, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
