//! Services with the X-Ray SDK for Python. A Flask service calls an axum service, which calls another Flask service.
//! The module `neighbour/opentelemetry.rs` tests a service with the OpenTelemetry SDK for Python. All three send
//! documents of one trace, with one sampling decision.
//!
//! The Flask services need a virtual environment in `target/neighbour` with `tests/neighbour/requirements.txt`, which
//! `.ci/run` creates. Without it the tests are skipped, or fail if `XRAY_REAL_PARTS` is set.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * A trace that is not sampled loses its id: `what_is_not_sampled_goes_on_as_one_trace`.

#[path = "neighbour/opentelemetry.rs"]
mod opentelemetry;

use std::env;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Json;
use axum::routing::get;
use serde_json::Value;
use support::documents::assert_valid;
use xray::sampling::{Always, Never, Sampler};
use xray::tower::SegmentLayer;
use xray::{Recorder, Sampled, TraceHeader};

/// Names the environment variable that turns a missing virtual environment into an error.
const REAL_PARTS: &str = "XRAY_REAL_PARTS";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_samples_is_one_trace_of_all() {
    // The services that are called would decide otherwise on their own.
    let Some(services) = Services::start(1, Never, 0).await else { return };
    let headers = services.ask("").await;
    let documents = services.documents();
    let [first, ours, last] = ["first", "ours", "last"].map(|name| only(&documents, name));
    assert_eq!(documents.len(), 3);
    assert!(documents.iter().all(|document| document["trace_id"] == first["trace_id"]), "{documents:#?}");
    assert_eq!(first["parent_id"], Value::Null);
    assert_eq!(ours["parent_id"], only_call(first)["id"]);
    assert_eq!(last["parent_id"], only_call(ours)["id"]);
    for document in &documents {
        let http = &document["http"];
        assert_eq!((&http["request"]["method"], &http["response"]["status"]), (&"GET".into(), &200.into()));
    }
    let trace_id = first["trace_id"].as_str().unwrap();
    assert!(headers[0].is_empty(), "{headers:?}");
    for (header, caller) in headers[1..].iter().zip([first, ours]) {
        assert_eq!(*header, format!("Root={trace_id};Parent={};Sampled=1", only_call(caller)["id"].as_str().unwrap()));
    }
    assert!(!ours.to_string().contains("secret"), "{ours:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sampled_goes_on_as_one_trace() {
    let Some(services) = Services::start(0, Always, 1).await else { return };
    let headers = services.ask("").await.map(|header| TraceHeader::parse(&header));
    assert_eq!(headers[1..].iter().map(|header| header.sampled).collect::<Vec<_>>(), [Some(Sampled::No); 2]);
    let root = headers[1].root;
    assert!(root.is_some() && headers[2].root == root, "{headers:?}");

    // Only the next trace, which is sampled, arrives. The incoming header decides for all services.
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    services.ask(&format!("{root};Parent=53995c3f42cd8ad8;Sampled=1")).await;
    let documents = services.documents();
    assert_eq!(documents.len(), 3, "{documents:#?}");
    assert!(documents.iter().all(|document| document["trace_id"] == root["Root=".len()..]), "{documents:#?}");
    assert_eq!(only(&documents, "first")["parent_id"], "53995c3f42cd8ad8");
}

/// The three services, and the socket for their documents.
struct Services {
    first: Flask,
    _last: Flask,
    recorder: Recorder,
    listener: UdpSocket,
}

impl Services {
    /// Starts the services, each with its sampling of requests without a decision. Returns `None` without the virtual
    /// environment.
    async fn start(first_rate: u8, ours: impl Sampler, last_rate: u8) -> Option<Self> {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let daemon = listener.local_addr().unwrap().to_string();
        let last = Flask::start("last", last_rate, "", &daemon)?;
        let recorder = Recorder::builder().daemon_address(daemon.as_str()).sampler(ours).build();
        let ours = start_ours("ours", &recorder, last.url.clone()).await;
        let first = Flask::start("first", first_rate, &format!("http://{ours}/"), &daemon)?;
        Some(Self { first, _last: last, recorder, listener })
    }

    /// Calls the first service, and returns the trace headers that each service saw.
    async fn ask(&self, header: &str) -> [String; 3] {
        let call = reqwest::Client::new().get(&self.first.url);
        let call = if header.is_empty() { call } else { call.header("x-amzn-trace-id", header) };
        let headers: Vec<Option<String>> = call.send().await.unwrap().json().await.unwrap();
        headers.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>().try_into().unwrap()
    }

    /// Waits for three documents and then for silence, and returns all documents.
    fn documents(&self) -> Vec<Value> {
        assert!(self.recorder.flush(Duration::from_secs(20)));
        let mut documents = Vec::new();
        let mut datagram = vec![0; 65_536];
        loop {
            let limit = if documents.len() < 3 { Duration::from_secs(20) } else { Duration::from_millis(500) };
            self.listener.set_read_timeout(Some(limit)).unwrap();
            let Ok(length) = self.listener.recv(&mut datagram) else { return documents };
            let text = std::str::from_utf8(&datagram[..length]).unwrap();
            let document: Value = serde_json::from_str(text.split_once('\n').unwrap().1).unwrap();
            if document["name"] == "ours" {
                assert_valid(&document);
            }
            documents.push(document);
        }
    }
}

/// The axum service. It calls the last service, and answers with the headers that both saw.
async fn start_ours(name: &str, recorder: &Recorder, last: String) -> SocketAddr {
    let router = Router::new().route("/", get(ours)).with_state(last);
    let router = router.layer(SegmentLayer::new(name).recorder(recorder));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

#[xray::traced_http]
async fn ours(State(last): State<String>, headers: HeaderMap) -> Json<Vec<Option<String>>> {
    let seen = headers.get("x-amzn-trace-id").map(|value| value.to_str().unwrap().to_owned());
    let below: Vec<_> = reqwest::get(last).await.unwrap().json().await.unwrap();
    Json([vec![seen], below].concat())
}

/// A process of `tests/neighbour/service.py`. Dropping this kills it.
struct Flask {
    url: String,
    process: Child,
}

impl Flask {
    fn start(name: &str, rate: u8, next_url: &str, daemon: &str) -> Option<Self> {
        let python = python("neighbour")?;
        let mut process = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("neighbour/service.py"))
            .args([name, &rate.to_string(), next_url])
            .env("AWS_XRAY_DAEMON_ADDRESS", daemon)
            // A trace that is not sampled has an id too.
            .env("AWS_XRAY_NOOP_ID", "false")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Some(Self { url: format!("http://127.0.0.1:{}/", port.trim()), process })
    }
}

impl Drop for Flask {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Returns the Python interpreter of a virtual environment in `target`.
fn python(environment: &str) -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("../{environment}/bin/python"));
    if python.exists() {
        return Some(python);
    }
    assert!(env::var_os(REAL_PARTS).is_none(), "there is no {}", python.display());
    println!("skipped: there is no {}, see .ci/run", python.display());
    None
}

/// Returns the only document with this name.
fn only<'a>(documents: &'a [Value], name: &str) -> &'a Value {
    let found: Vec<_> = documents.iter().filter(|document| document["name"] == name).collect();
    let [document] = found[..] else { panic!("{name}: {documents:#?}") };
    document
}

/// Returns the only call that a service made.
fn only_call(document: &Value) -> &Value {
    let calls = document["subsegments"].as_array().map_or(&[][..], Vec::as_slice);
    let [call] = calls else { panic!("{document:#}") };
    assert_eq!((&call["namespace"], &call["name"]), (&"remote".into(), &"127.0.0.1".into()));
    call
}
