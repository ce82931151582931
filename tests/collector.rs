//! Interoperability: the X-Ray receiver of the OpenTelemetry collector, built from its Go module in `tests/collector`,
//! accepts every document and converts it to the right spans.
//!
//! The module `round_trip` sends spans through the collector's OTLP receiver and its X-Ray exporter. The module
//! `forwarding` sends the spans of the X-Ray receiver to `xray-local`.
//!
//! These tests send documents of their own. If `XRAY_COLLECTOR_DOCUMENTS` names a directory, they also send the
//! documents that the other tests kept there (`.ci/run` does so).

#[path = "collector/forwarding.rs"]
mod forwarding;
#[path = "collector/round_trip.rs"]
mod round_trip;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs, io, thread};

use reqwest::Client;
use serde_json::{Value, json};
use support::documents::read_datagram;
use support::{Always, Server, refused_url};
use xray::{Instrument as _, Recorder, Segment, TraceHeader};

/// Names the environment variable with the directory of kept documents.
const DOCUMENTS: &str = "XRAY_COLLECTOR_DOCUMENTS";

#[tokio::test]
async fn the_collectors_receiver_reads_every_document() {
    let kept = env::var_os(DOCUMENTS).map(|directory| kept(Path::new(&directory)));
    let Some(collector) = Collector::start() else {
        return assert!(
            kept.is_none(),
            "XRAY_COLLECTOR_DOCUMENTS is set, and there is no Go to build the receiver with"
        );
    };
    for json in made().await.iter().chain(kept.iter().flatten()) {
        let (document, spans) = (serde_json::from_str::<Value>(json).unwrap(), collector.spans_of(json));
        Comparison { spans: &spans, trace_id: &document["trace_id"] }.check(&document, &document["parent_id"], true);
        assert_eq!(spans.len(), count(&document), "{document:#}");
    }
}

/// Checks the spans of one document against constants. The kinds of OTLP are 1 (internal), 2 (server) and 3 (client).
#[tokio::test]
async fn a_call_is_a_client_below_the_server() {
    let Some(collector) = Collector::start() else { return };
    let documents = made().await;
    let document = documents.iter().find(|document| document.contains("Grüße/日本")).unwrap();
    let spans = collector.spans_of(document);
    let of_name = |name: &str| -> Vec<&Value> { spans.values().filter(|span| span["name"] == name).collect() };
    let ([segment], [local]) = (&of_name("Grüße/日本")[..], &of_name("local")[..]) else { panic!("{spans:#?}") };
    assert_eq!((&segment["kind"], &segment["parentSpanId"]), (&json!(2), &json!("53995c3f42cd8ad8")));
    assert_eq!((&local["kind"], &local["parentSpanId"]), (&json!(1), &segment["spanId"]));
    let calls = of_name("127.0.0.1").into_iter().map(|call| {
        assert_eq!((&call["kind"], &call["parentSpanId"]), (&json!(3), &local["spanId"]));
        assert_eq!(call["traceId"], "5759e988bd862e3fe1be46a994272793");
        let mut attributes = raw_attributes(call);
        let url = attributes.remove("http.url").unwrap();
        let path = url.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split_once('/')).unwrap().1.to_owned();
        let known = ["http.method", "http.status_code", "http.response_content_length"];
        let [method, status, length] = known.map(|key| attributes.remove(key).unwrap_or_default());
        format!("{method} {path} {status} {length} {}", call["status"]["code"] == 2)
    });
    let mut calls: Vec<_> = calls.collect();
    calls.sort_unstable();
    let expected = [
        "DELETE    true",
        "GET bytes/3 200 3 false",
        "GET chunked 200  false",
        "GET slow/9999   false",
        "GET status/404 404 0 true",
        "GET status/429 429 0 true",
        "GET status/503 503 0 true",
    ];
    assert_eq!(calls, expected);
}

/// Shows that the tests notice a document that the receiver refuses.
#[test]
fn a_wrong_document_is_refused() {
    let Some(collector) = Collector::start() else {
        return;
    };
    let wrong = json!({ "id": "70de5b6f19ff9a0a", "name": "wrong", "start_time": 1, "metadata": { "default": 1 } });
    assert!(collector.answer_to(&wrong.to_string()).contains("cannot unmarshal"));
}

/// The collector's X-Ray receiver.
struct Collector {
    program: Program,
    socket: UdpSocket,
}

impl Collector {
    /// Starts the receiver. Returns `None` without Go.
    fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts the receiver with additional arguments. Returns `None` without Go.
    fn start_with(arguments: &[&str]) -> Option<Self> {
        let program = build("receiver", Path::new("."))?;
        let address = free_address();
        let program = Program::start(&program, &[&["-udp", &address.to_string()], arguments].concat());
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect(address).unwrap();
        Some(Self { program, socket })
    }

    /// Sends a document and waits for the answer. One document at a time, so that none is lost and answers stay in
    /// order.
    fn answer_to(&self, document: &str) -> String {
        let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{document}");
        self.socket.send(datagram.as_bytes()).unwrap_or_else(|error| panic!("{error}: {} bytes", datagram.len()));
        self.program.next_line()
    }

    /// Returns the spans of an accepted document, by their ids.
    fn spans_of(&self, document: &str) -> BTreeMap<String, Value> {
        let answer: Value = serde_json::from_str(&self.answer_to(document)).unwrap();
        let Some(spans) = answer["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array() else {
            panic!("{answer:#} to {document}");
        };
        spans.iter().map(|span| (text(&span["spanId"]).to_owned(), span.clone())).collect()
    }
}

/// A part of the collector in a child process, which ends when its standard input closes.
struct Program {
    child: Child,
    lines: Receiver<String>,
}

impl Program {
    /// Starts a program, and waits until it is ready.
    fn start(program: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .envs([("AWS_REGION", "any"), ("AWS_ACCESS_KEY_ID", "any"), ("AWS_SECRET_ACCESS_KEY", "any")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, lines) = channel();
        thread::spawn(move || output.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let program = Self { child, lines };
        assert_eq!(program.next_line(), "ready");
        program
    }

    fn next_line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(60)).expect("a part of the collector has ended or does not answer")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Builds a program in a folder of `tests/collector`. Returns `None` without Go.
fn build(name: &'static str, folder: &Path) -> Option<PathBuf> {
    // Tests share the programs, so each program is built once, and one at a time.
    static BUILT: Mutex<BTreeMap<&str, Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(name).or_insert_with(|| build_once(name, folder)).clone()
}

fn build_once(name: &str, folder: &Path) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("collector-{name}"));
    let status = Command::new("go")
        .args(["build", "-o", program.to_str()?, "."])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("collector").join(folder))
        .status();
    match status {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // libtest hides the `println!` output of a passing test, but not a write to the standard error.
            let _ =
                writeln!(io::stderr(), "skipped: building a part of the collector needs Go, which is not installed");
            None
        }
        status => {
            assert!(status.unwrap().success(), "a part of the collector does not build: {name}");
            Some(program)
        }
    }
}

fn free_address() -> SocketAddr {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// Returns the documents that the other tests kept.
fn kept(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let documents: Vec<_> = files.flat_map(|lines| lines.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert!(!documents.is_empty(), "no documents in {}", directory.display());
    println!("{} documents of other tests", documents.len());
    documents
}

/// Records documents of every kind, and returns them as they arrive in datagrams.
async fn made() -> Vec<String> {
    let (daemon, server) = (UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), Server::start().await);
    let recorder = Recorder::builder()
        .sampler(Always)
        .daemon_address(daemon.local_addr().unwrap().to_string())
        // Keeps large subsegments in their segment, so that the emitter has to split the document.
        .streaming_threshold_bytes(usize::MAX)
        .build();

    let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
    let segment = Segment::builder("Grüße/日本").trace_header(&header).recorder(&recorder).begin();
    segment.set_user("jürgen");
    segment.annotate("tier", "gold");
    segment.annotate("count", -3);
    segment.annotate("share", 0.5);
    segment.annotate("is_new", true);
    segment.add_metadata("cart", json!({ "items": [1, 2.5, null, "é"], "more": { "deep": true } }));
    segment.add_metadata_in("other", "key", "value");
    calls(&Client::new(), &server).in_subsegment("local").in_segment(segment).await;

    let segment = Segment::builder("errors").recorder(&recorder).begin();
    let part = segment.subsegment("part");
    part.record_error(&io::Error::other("x".parse::<u8>().unwrap_err()));
    part.end();
    segment.record_error(&io::Error::other("x".parse::<u8>().unwrap_err()));
    let late = segment.subsegment("late");
    segment.end();
    late.subsegment("inner").end();
    late.end();

    let segment = Segment::builder("split").recorder(&recorder).begin();
    for _ in 0..3 {
        segment.subsegment("large").add_metadata("text", "x".repeat(40_000));
    }
    segment.end();

    assert!(recorder.flush(Duration::from_secs(10)));
    daemon.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut datagram = vec![0; 1 << 16];
    let documents = [(); 7].map(|()| {
        let length = daemon.recv(&mut datagram).unwrap();
        read_datagram(&datagram[..length]);
        std::str::from_utf8(&datagram[..length]).unwrap().split_once('\n').unwrap().1.to_owned()
    });
    assert_eq!(recorder.stats().documents_sent, 7);
    documents.into()
}

#[xray::traced_http]
async fn calls(client: &Client, server: &Server) {
    for path in ["/bytes/3", "/status/404", "/status/429", "/status/503", "/chunked"] {
        let _ = client.get(format!("{}?secret", server.url(path))).send().await;
    }
    let _ = client.delete(refused_url()).send().await;
    let _ = tokio::time::timeout(Duration::from_millis(20), client.get(server.url("/slow/9999")).send()).await;
}

fn count(document: &Value) -> usize {
    1 + subsegments(document).map(count).sum::<usize>()
}

fn subsegments(document: &Value) -> impl Iterator<Item = &Value> {
    document["subsegments"].as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The spans that were converted from a document.
struct Comparison<'a> {
    spans: &'a BTreeMap<String, Value>,
    trace_id: &'a Value,
}

impl Comparison<'_> {
    /// Checks the span of an entity, and the spans of all its subsegments.
    fn check(&self, entity: &Value, parent: &Value, is_whole: bool) {
        let Some(span) = self.spans.get(text(&entity["id"])) else { panic!("no span of {entity:#}") };
        let is_segment = is_whole && entity["type"].is_null();
        assert_eq!(text(&span["traceId"]), text(self.trace_id)[2..].replace('-', ""));
        assert_eq!(text(&span["parentSpanId"]), text(parent), "{span:#} of {entity:#}");
        assert_eq!(span["name"], entity["name"]);
        assert_eq!(span["kind"], kind(entity, is_segment), "{span:#} of {entity:#}");
        assert_eq!(span["status"]["code"].as_u64() == Some(2), is_failed(entity), "{span:#} of {entity:#}");
        assert_eq!(attributes(span), expected_attributes(entity), "{span:#} of {entity:#}");
        assert_eq!(exceptions(span), expected_exceptions(entity), "{span:#} of {entity:#}");
        if let Some(id) = entity["cause"].as_str() {
            assert_eq!(span["status"]["message"], id, "the cause is a reference");
        }
        for subsegment in subsegments(entity) {
            self.check(subsegment, &entity["id"], false);
        }
    }
}

/// Returns the kind of OTLP. An entity with a client address is a server, even a subsegment in Lambda.
fn kind(entity: &Value, is_segment: bool) -> u64 {
    let is_served = is_segment || !entity["http"]["request"]["client_ip"].is_null();
    match (is_served, text(&entity["namespace"])) {
        (true, _) => 2,
        (false, "remote" | "aws") => 3,
        _ => 1,
    }
}

/// The receiver reads the status and the cause. Checks that the flags agree with them.
fn is_failed(entity: &Value) -> bool {
    let is_failed = !entity["cause"].is_null() || entity["http"]["response"]["status"].as_u64() >= Some(400);
    let is_flagged = ["error", "fault"].iter().any(|flag| entity[flag] == true);
    assert!(is_flagged || !is_failed, "{entity:#}");
    is_failed
}

/// Returns the attributes that are texts or whole numbers.
fn raw_attributes(of: &Value) -> BTreeMap<String, String> {
    let attributes = of["attributes"].as_array().into_iter().flatten();
    let pairs = attributes.filter_map(|attribute| {
        let value = attribute["value"]["stringValue"].as_str().or(attribute["value"]["intValue"].as_str())?;
        Some((text(&attribute["key"]).to_owned(), value.to_owned()))
    });
    pairs.collect()
}

/// Returns all attributes of a span or an event.
fn attributes(of: &Value) -> BTreeMap<String, Value> {
    let attributes = of["attributes"].as_array().into_iter().flatten();
    let pairs = attributes.map(|attribute| {
        let value = attribute["value"].as_object().unwrap().iter().next().unwrap();
        let value = match (value.0.as_str(), value.1) {
            ("intValue", number) => rounded(&text(number).parse::<i64>().unwrap().into()),
            ("arrayValue", values) => values["values"].as_array().unwrap().len().to_string().into(),
            (_, value) => rounded(value),
        };
        let key = text(&attribute["key"]);
        let value = match &value {
            Value::String(json) if key.starts_with("aws.xray.metadata.") => {
                rounded(&serde_json::from_str(json).unwrap())
            }
            _ => value,
        };
        (key.to_owned(), value)
    });
    pairs.collect()
}

fn expected_attributes(entity: &Value) -> BTreeMap<String, Value> {
    let (http, mut expected) = (&entity["http"], BTreeMap::new());
    let known = [
        ("http.method", &http["request"]["method"]),
        ("http.url", &http["request"]["url"]),
        ("http.user_agent", &http["request"]["user_agent"]),
        ("http.client_ip", &http["request"]["client_ip"]),
        ("aws.xray.x_forwarded_for", &http["request"]["x_forwarded_for"]),
        ("http.status_code", &http["response"]["status"]),
        ("http.response_content_length", &http["response"]["content_length"]),
        ("enduser.id", &entity["user"]),
        ("aws.xray.inprogress", &entity["in_progress"]),
    ];
    for (key, value) in known.into_iter().filter(|(_, value)| !value.is_null()) {
        expected.insert(key.to_owned(), rounded(value));
    }
    expected.extend(sql_attributes(&entity["sql"]));
    expected.extend(aws_attributes(entity));
    for (key, value) in entity["annotations"].as_object().into_iter().flatten() {
        expected.insert(key.clone(), rounded(value));
    }
    if let Some(annotations) = entity["annotations"].as_object() {
        expected.insert("aws.xray.annotations".to_owned(), annotations.len().to_string().into());
    }
    for (namespace, values) in entity["metadata"].as_object().into_iter().flatten() {
        expected.insert(format!("aws.xray.metadata.{namespace}"), rounded(values));
    }
    expected
}

/// Returns the attributes of a query. The receiver splits the URL into server and database.
fn sql_attributes(sql: &Value) -> impl Iterator<Item = (String, Value)> {
    let url = sql["url"].as_str().and_then(|url| url.rsplit_once('/')).unzip();
    let known = [
        ("db.connection_string", url.0.map(Value::from)),
        ("db.name", url.1.map(Value::from)),
        ("db.system", sql.get("database_type").cloned()),
        ("db.statement", sql.get("sanitized_query").cloned()),
        ("db.user", sql.get("user").cloned()),
    ];
    known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)))
}

/// Returns the attributes of a call to AWS. Of a segment's origin the span has the account alone, and the resource has
/// the rest.
fn aws_attributes(entity: &Value) -> impl Iterator<Item = (String, Value)> {
    let aws = &entity["aws"];
    let service = (entity["namespace"] == "aws").then(|| entity["name"].clone());
    let known = [
        ("aws.service", service),
        ("aws.operation", aws.get("operation").cloned()),
        ("aws.region", aws.get("region").cloned()),
        ("aws.request_id", aws.get("request_id").cloned()),
        ("aws.table_name", aws.get("table_name").cloned()),
        ("aws.queue_url", aws.get("queue_url").cloned()),
        ("aws.account_id", aws.get("account_id").cloned()),
        ("aws.xray.retries", aws.get("retries").map(rounded)),
    ];
    known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)))
}

/// Rounds every number to ten digits, as text, because the receiver converts all numbers to floating point.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) => format!("{:.9e}", number.as_f64().unwrap()).into(),
        Value::Array(values) => values.iter().map(rounded).collect(),
        Value::Object(values) => values.iter().map(|(key, value)| (key.clone(), rounded(value))).collect(),
        _ => value.clone(),
    }
}

/// Returns the exception events of a span: id, type, message, id of the cause.
fn exceptions(span: &Value) -> Vec<[Value; 4]> {
    let events = span["events"].as_array().into_iter().flatten();
    let keys = ["aws.xray.exception.id", "exception.type", "exception.message", "aws.xray.exception.cause"];
    events.map(|event| keys.map(|key| attributes(event).remove(key).unwrap_or_default())).collect()
}

fn expected_exceptions(entity: &Value) -> Vec<[Value; 4]> {
    let exceptions = entity["cause"]["exceptions"].as_array().into_iter().flatten();
    exceptions.map(|exception| ["id", "type", "message", "cause"].map(|key| exception[key].clone())).collect()
}
