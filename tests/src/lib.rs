//! Helpers that the tests share: a real HTTP service that keeps its requests, and checks on documents.
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a helper panics to fail its test, and a test uses what it needs"
)]

pub mod child;
pub mod documents;
pub mod logs;
pub mod otlp;
pub mod outer;
pub mod sampling_daemon;
pub mod subsegments;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::any;
use tokio::sync::Notify;

pub use xray::sampling::Always;
use xray::{Recorder, Stats};

/// Checks that every document is delivered or dropped within this time, and returns the counts.
#[track_caller]
pub fn settled(recorder: &Recorder, limit: Duration) -> Stats {
    assert!(recorder.flush(limit), "documents wait: {:?}", recorder.stats());
    let stats = recorder.stats();
    assert_eq!(stats.documents_emitted, stats.documents_sent + stats.documents_dropped, "{stats:?}");
    stats
}

/// Returns how many datagrams the system dropped because the receive buffer of the UDP socket at this address was full.
/// Such a loss is not the emitter's: the reader did not get a processor in time.
pub fn lost_datagrams(address: SocketAddr) -> u64 {
    let port = format!(":{:04X}", address.port());
    let sockets = fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let sockets = sockets.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let own = sockets.filter(|columns| columns.get(1).is_some_and(|local| local.ends_with(&port)));
    own.filter_map(|columns| columns.last()?.parse::<u64>().ok()).sum()
}

/// A request as the service received it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// The target of the request line: path and query, or the whole URL through a proxy.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Seen {
    /// Returns the values of all `X-Amzn-Trace-Id` headers.
    pub fn trace_headers(&self) -> Vec<String> {
        self.values("x-amzn-trace-id")
    }

    /// Returns the values of all `traceparent` headers.
    pub fn traceparents(&self) -> Vec<String> {
        self.values("traceparent")
    }

    fn values(&self, name: &str) -> Vec<String> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    /// Returns the only `X-Amzn-Trace-Id` header.
    pub fn trace_header(&self) -> xray::TraceHeader {
        let headers = self.trace_headers();
        assert_eq!(headers.len(), 1, "{headers:?}");
        xray::TraceHeader::parse(&headers[0])
    }
}

/// A service that ends with the tokio runtime of the test.
#[derive(Debug)]
pub struct Server {
    /// The address that the service listens on.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    released: Arc<Notify>,
}

impl Server {
    /// Starts a service that answers `/status/{code}`, `/bytes/{count}`, `/chunked`, `/slow/{milliseconds}`,
    /// `/redirect` (to `/bytes/3`) and `/held` (only after [`Server::release`]).
    pub async fn start() -> Self {
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let released = Arc::<Notify>::default();
        let held = Arc::clone(&released);
        let router = Router::new()
            .route("/status/{code}", any(async |Path(code): Path<u16>| StatusCode::from_u16(code).unwrap()))
            .route("/bytes/{count}", any(async |Path(count): Path<usize>| "x".repeat(count)))
            .route("/chunked", any(async || Body::from_stream(futures::stream::iter(["a", "b"].map(Ok::<_, String>)))))
            .route("/slow/{milliseconds}", any(slow))
            .route("/held", any(async move || held.notified().await))
            .route("/redirect", any(async || Redirect::temporary("/bytes/3").into_response()))
            .layer(from_fn_with_state(Arc::clone(&seen), note));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { address, seen, released }
    }

    /// Returns the URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Lets one request to `/held` be answered.
    pub fn release(&self) {
        self.released.notify_one();
    }

    /// Waits until a request with this path has arrived.
    pub async fn arrival(&self, path: &str) {
        let has_arrived = || self.seen.lock().unwrap().iter().any(|seen| seen.uri.path() == path);
        while !has_arrived() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Returns the requests that have arrived since the last call.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn slow(Path(milliseconds): Path<u64>) -> &'static str {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    "late"
}

async fn note(State(seen): State<Arc<Mutex<Vec<Seen>>>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // Reads the whole body. Otherwise the connection would close while the client still writes.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    seen.lock().unwrap().push(Seen {
        method: parts.method.clone(),
        uri: parts.uri.clone(),
        headers: parts.headers.clone(),
        body: body.clone(),
    });
    next.run(Request::from_parts(parts, body.into())).await
}

/// Returns a URL whose port refuses connections.
pub fn refused_url() -> String {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    format!("http://{address}/")
}
