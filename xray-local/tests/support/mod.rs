//! Helpers for the tests: a server on a free port, a client for its API, and documents.
#![allow(dead_code, unreachable_pub, reason = "each test binary compiles this module and uses only some of its items")]

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xray_local::document::{Document, TraceId};
use xray_local::trace::Trace;
use xray_local::{Server, time};

/// The header line of a datagram, with its line feed.
pub const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";

/// Assembles a trace from documents, and sets their `trace_id`.
pub fn trace(number: u32, documents: &[Value]) -> Trace {
    let id = TraceId::parse(&format!("1-581cf771-{number:024x}")).unwrap();
    let documents = documents.iter().map(|document| {
        let mut document = document.clone();
        document["trace_id"] = id.to_string().into();
        Document::from_value(document).unwrap()
    });
    Trace::of(id, documents)
}

/// Starts a server on a free port.
pub fn start() -> Server {
    Server::builder().address("127.0.0.1:0").start().unwrap()
}

/// A response of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// The value of `x-amzn-ErrorType`; empty if there is none.
    pub error: String,
    pub body: Value,
}

impl Answer {
    /// Returns the body of a successful response.
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.body
    }

    /// Returns the `Message` of an `InvalidRequestException`.
    pub fn invalid(self) -> String {
        assert_eq!((self.status, &*self.error), (400, "InvalidRequestException"), "{self:?}");
        self.body["Message"].as_str().unwrap().to_owned()
    }
}

/// Sends a request with a JSON body.
pub fn post(server: &Server, path: &str, body: &Value) -> Answer {
    post_text(server, path, &body.to_string())
}

/// Sends a request with any body.
pub fn post_text(server: &Server, path: &str, body: &str) -> Answer {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .into();
    let mut response = agent.post(format!("http://{}{path}", server.http_address())).send(body).unwrap();
    let error = response.headers().get("x-amzn-errortype").map_or("", |value| value.to_str().unwrap()).to_owned();
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(1 << 30).read_to_string().unwrap();
    Answer { status, error, body: serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")) }
}

/// Sends bytes over TCP, and returns all that the server sends until it closes the connection.
pub fn raw(server: &Server, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.http_address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a datagram.
pub fn send(server: &Server, datagram: &[u8]) {
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(datagram, server.udp_address()).unwrap();
}

/// Sends a document over UDP, and waits until the store has its trace.
pub fn send_good(server: &Server, document: &Value) {
    send(server, format!("{HEADER}{document}").as_bytes());
    let id = document["trace_id"].as_str().unwrap();
    wait_for("the document", || server.store().trace(id).is_some());
}

/// Waits until a condition is true, at most 30 seconds. `what` describes the condition in the panic's message.
pub fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited 30 seconds in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Returns a new trace id, which is unique in the test binary.
pub fn trace_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("1-{:08x}-{:024x}", epoch(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn epoch() -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970, before 2106")]
    let epoch = time::now() as u32;
    epoch
}

/// A segment that starts at `start` and takes half a second.
pub fn segment_at(start: f64, name: &str) -> Value {
    json!({ "id": "70de5b6f19ff9a0a", "trace_id": trace_id(), "name": name, "start_time": start, "end_time": start + 0.5 })
}

/// A segment that starts at the current time and takes half a second.
pub fn segment(name: &str) -> Value {
    segment_at(time::now(), name)
}

/// The example of the X-Ray developer guide, "Inferred segments": a segment with a call to a service that sends no
/// segment.
pub fn call_of_names() -> Value {
    let http = json!({
        "request": { "method": "GET", "url": "https://names.example.com/" },
        "response": { "content_length": -1, "status": 200 },
    });
    json!({
        "id": "194fcc8747581230", "trace_id": "1-5880168b-fd5153bb58284b67678aa78c", "name": "Scorekeep",
        "start_time": 1_484_786_387.0, "end_time": 1_484_786_388.0,
        "http": { "request": { "method": "PUT", "url": "http://scorekeep.example.com/api/user" }, "response": { "status": 200 } },
        "annotations": { "tier": "gold", "size": 3, "is_new": true }, "user": "alice",
        "subsegments": [{
            "id": "004f72be19cddc2a", "name": "names.example.com", "namespace": "remote", "http": http,
            "start_time": 1_484_786_387.131, "end_time": 1_484_786_387.501,
        }],
    })
}
