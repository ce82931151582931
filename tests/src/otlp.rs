//! Servers that receive OTLP in JSON. [`OtlpServer`] keeps the requests, and sends the HTTP responses of a test.
//! [`RawServer`] reads a request, and passes the connection to the test.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;

/// A received request.
#[derive(Debug)]
pub struct Export {
    /// The target of the request line.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Export {
    /// Returns the spans of the request, each with the attributes of its resource.
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        let list = |value: &Value| value.as_array().unwrap().clone();
        let mut spans = vec![];
        for resource in list(&body["resourceSpans"]) {
            let attributes = attributes(&resource["resource"]);
            for scope in list(&resource["scopeSpans"]) {
                assert_eq!(scope["scope"]["name"], "xray-sdk");
                let of_resource =
                    list(&scope["spans"]).into_iter().map(|span| ReceivedSpan { resource: attributes.clone(), span });
                spans.extend(of_resource);
            }
        }
        assert!(!spans.is_empty(), "{body:#}");
        spans
    }
}

/// A span and the attributes of its resource.
#[derive(Debug)]
pub struct ReceivedSpan {
    /// The attributes of the resource.
    pub resource: BTreeMap<String, Value>,
    /// The span in OTLP's JSON.
    pub span: Value,
}

/// Returns the attributes of a span, an event or a resource. A value has OTLP's form, such as
/// `{"stringValue": "text"}`.
pub fn attributes(of: &Value) -> BTreeMap<String, Value> {
    let attributes = of["attributes"].as_array().into_iter().flatten();
    let pairs = attributes.map(|attribute| (attribute["key"].as_str().unwrap().to_owned(), attribute["value"].clone()));
    let pairs: Vec<_> = pairs.collect();
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "a key occurs twice: {pairs:#?}");
    map
}

/// An HTTP server on a separate thread, which runs until the test's process ends.
#[derive(Debug)]
pub struct OtlpServer {
    /// The address that the server listens on.
    pub address: SocketAddr,
    exports: Receiver<Export>,
}

impl OtlpServer {
    /// Starts a server. `answer` returns the response to each request, given the request's number, which starts at 0.
    pub fn start<R: IntoResponse>(answer: impl Fn(usize) -> R + Send + Sync + 'static) -> Self {
        let (sender, exports) = channel();
        let (bound, address) = channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                bound.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router(sender, Arc::new(answer))).await.unwrap();
            });
        });
        Self { address: address.recv().unwrap(), exports }
    }

    /// Returns the base URL of the server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits for the next request.
    #[track_caller]
    pub fn receive(&self) -> Export {
        self.exports.recv_timeout(Duration::from_secs(60)).expect("no request arrives")
    }

    /// Returns the requests that have arrived and that no earlier call has returned.
    pub fn received(&self) -> Vec<Export> {
        self.exports.try_iter().collect()
    }
}

fn router<R: IntoResponse>(sender: Sender<Export>, answer: Arc<impl Fn(usize) -> R + Send + Sync + 'static>) -> Router {
    let number = Arc::new(AtomicUsize::new(0));
    let take = async move |uri: Uri, headers: HeaderMap, body: Bytes| -> Response {
        // An error means that the test has ended, so nobody needs the request.
        let _ = sender.send(Export { uri, headers, body });
        answer(number.fetch_add(1, Ordering::Relaxed)).into_response()
    };
    // A batch may be larger than axum's default limit on a body.
    Router::new().fallback(post(take)).layer(axum::extract::DefaultBodyLimit::disable())
}

/// A TCP server that sends the bytes of a test. Its threads run without tokio, until the test's process ends.
#[derive(Debug)]
pub struct RawServer {
    /// The address that the server listens on.
    pub address: SocketAddr,
    requests: Receiver<()>,
}

impl RawServer {
    /// Starts a server. On a thread for each connection, the server reads one request and then calls `answer` with the
    /// connection.
    pub fn start(answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (address, (sender, requests)) = (listener.local_addr().unwrap(), channel());
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (sender, answer) = (sender.clone(), Arc::clone(&answer));
                thread::spawn(move || {
                    if read_request(&mut stream).is_some() {
                        // An error means that the test has ended, so nobody counts the request.
                        let _ = sender.send(());
                        answer(&mut stream);
                    }
                });
            }
        });
        Self { address, requests }
    }

    /// Returns the base URL of the server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns how many requests have arrived since the last call.
    pub fn requests(&self) -> usize {
        self.requests.try_iter().count()
    }
}

/// Reads the head and the body of a request. Returns `None` if the connection closes before the end of the request.
fn read_request(stream: &mut TcpStream) -> Option<()> {
    let mut input = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok().filter(|length| *length > 0)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        }
    }
    input.read_exact(&mut vec![0; length]).ok()
}
