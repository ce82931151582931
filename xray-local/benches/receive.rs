//! Measures whether `xray-local` keeps up with an SDK on the same machine. It receives the traces
//! twice: as documents over UDP, and as OpenTelemetry spans over HTTP.
//!
//! The benchmark sends 200,000 documents over loopback, each a trace with one HTTP call. It paces them like `xray-sdk`,
//! with a token bucket that holds 96 KiB and fills with 32 MiB per second. A datagram costs its length plus 1 KiB. Then
//! it sends two spans for each trace over HTTP: one protobuf request after another, each with 512 spans.
//!
//! ```text
//! cargo bench -p xray-local --bench receive                 # add `-- 1000000` for another number
//! ```
//!
//! Results with 50,000 traces on two shared cores:
//!
//! * Documents: 16,800 per second, close to the pace of the sender, and 8.7 us of CPU time for each segment or
//!   subsegment.
//! * Spans: 55,500 per second, and 13.0 us of CPU time for each span. A span costs more than an embedded subsegment,
//!   because `xray-local` checks and announces each span as a separate document.
//!
//! Nothing was lost, and `xray-local` used at most 61 MiB of memory. A run with 1,000,000 documents over UDP used 93
//! MiB.
//!
//! The benchmark reads `/proc` and therefore needs Linux.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

const DOCUMENTS: u64 = 200_000;

/// The number of spans in a request: the default of OpenTelemetry SDKs.
const BATCH: u64 = 512;

fn main() {
    let count = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(DOCUMENTS);
    println!("documents over UDP, each a segment with one subsegment");
    measure(count, 2, |program| send(&program.address, count));
    println!("spans over HTTP (OTLP in protobuf, {BATCH} spans in a request), two for each trace");
    measure(count * 2, 1, |program| send_spans(&program.address, count));
}

/// Starts `xray-local`, runs `send`, and prints the rate, the losses, the CPU time and the peak memory.
///
/// `send` sends `count` documents or spans, and returns the number of bytes sent. Each document or span holds
/// `entities` segments and subsegments.
fn measure(count: u64, entities: u64, send: impl FnOnce(&Program) -> u64) {
    let mut program = Program::start();
    let (before, begun) = (Usage::of(&program.child), Instant::now());
    let bytes = send(&program);
    let sending = begun.elapsed();
    let used = program.wait_until_idle();
    let received = program.stop();
    let per_second = |number: u64| float(number) / sending.as_secs_f64();
    println!(
        "  sent           {count} of {} bytes in {sending:.2?}: {:.0} per second",
        bytes / count,
        per_second(count)
    );
    println!("  received       {received}");
    println!("  lost           {}", count - received);
    let cpu = (used.cpu_seconds - before.cpu_seconds) * 1e6 / float(received * entities);
    println!("  CPU time       {cpu:.1} us per segment or subsegment");
    println!("  peak memory    {} MiB ({} MiB before)", used.memory_kib / 1024, before.memory_kib / 1024);
}

/// A running `xray-local`.
struct Program {
    child: Child,
    address: String,
    rest: Option<JoinHandle<std::io::Result<String>>>,
}

impl Program {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xray-local"))
            .args(["--address", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("cannot start xray-local");
        let mut lines = BufReader::new(child.stdout.take().expect("standard output is piped"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("cannot read the output of xray-local");
        let address = first.trim().rsplit('=').next().expect("the first line ends with the address").to_owned();
        // This thread reads the output without pause, so that `xray-local` never blocks on a full pipe.
        let rest = thread::spawn(move || {
            let mut rest = String::new();
            lines.read_to_string(&mut rest).map(|_| rest)
        });
        Self { child, address, rest: Some(rest) }
    }

    /// Waits until the program is idle, and returns its usage.
    fn wait_until_idle(&self) -> Usage {
        loop {
            let before = Usage::of(&self.child);
            thread::sleep(Duration::from_millis(500));
            let after = Usage::of(&self.child);
            if after.cpu_seconds - before.cpu_seconds < 0.05 {
                break after;
            }
        }
    }

    /// Stops the program, and returns the number of documents that it received.
    fn stop(&mut self) -> u64 {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().is_ok_and(|status| status.success()));
        self.child.wait().expect("cannot wait for xray-local");
        let rest = self.rest.take().expect("stopped once").join().expect("the reader panicked");
        let rest = rest.expect("the output is not UTF-8");
        let last = rest.lines().last().unwrap_or_default();
        last.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{last}"))
    }
}

/// Sends two spans for each of `count` traces, in requests like those of an SDK. Returns the number of bytes sent.
fn send_spans(address: &str, count: u64) -> u64 {
    let agent = ureq::Agent::new_with_defaults();
    let (url, mut bytes, mut next) = (format!("http://{address}/v1/traces"), 0, 0);
    while next < count {
        let end = count.min(next + BATCH / 2);
        let spans = (next..end).flat_map(spans).collect();
        let resource = Resource { attributes: vec![text("service.name", "shop")], ..Resource::default() };
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        bytes += body.len() as u64;
        agent.post(&url).content_type("application/x-protobuf").send(&body[..]).expect("loopback");
        next = end;
    }
    bytes
}

/// Returns a server span and a client span with the contents of [`datagram`].
fn spans(number: u64) -> [Span; 2] {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
    let start = u64::try_from(now.as_nanos()).expect("before 2554");
    let trace_id = (u128::from(now.as_secs()) << 96 | u128::from(number)).to_be_bytes().to_vec();
    let span = |id: u64, parent: u64, kind: i32, url: String| Span {
        trace_id: trace_id.clone(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: parent.to_be_bytes().to_vec(),
        name: "stock.example.com".to_owned(),
        kind,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 10_000_000,
        attributes: vec![
            text("http.request.method", "GET"),
            text("url.full", &url),
            attribute("http.response.status_code", Any::IntValue(200)),
        ],
        ..Span::default()
    };
    let (server, client) = (number | 1 << 62, number | 1 << 63);
    [
        span(server, 0, 2, format!("http://shop.example.com/carts/{number}")),
        span(client, server, 3, "http://stock.example.com/items".to_owned()),
    ]
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.to_owned()))
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Sends `count` documents, each in its own trace. Returns the number of bytes sent.
fn send(address: &str, count: u64) -> u64 {
    let socket = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.connect(address).map(|()| socket));
    let (socket, mut pace, mut bytes) = (socket.expect("loopback"), Pace::new(), 0);
    for number in 0..count {
        let datagram = datagram(number);
        pace.wait_for(datagram.len());
        socket.send(datagram.as_bytes()).expect("loopback");
        bytes += datagram.len() as u64;
    }
    bytes
}

/// Returns a datagram with a segment that has one HTTP call.
fn datagram(number: u64) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
    let (start, end) = (now.as_secs_f64(), now.as_secs_f64() + 0.01);
    format!(
        "{{\"format\":\"json\",\"version\":1}}\n{{\"id\":\"{number:016x}\",\"trace_id\":\"1-{:08x}-{number:024x}\",\"name\":\"shop\",\
         \"start_time\":{start},\"end_time\":{end},\"http\":{{\"request\":{{\"method\":\"GET\",\"url\":\"http://shop.example.com/carts/{number}\"}},\
         \"response\":{{\"status\":200}}}},\"subsegments\":[{{\"id\":\"{:016x}\",\"name\":\"stock.example.com\",\"namespace\":\"remote\",\
         \"start_time\":{start},\"end_time\":{end},\"http\":{{\"request\":{{\"method\":\"GET\",\"url\":\"http://stock.example.com/items\"}},\
         \"response\":{{\"status\":200,\"content_length\":42}}}}}}]}}",
        now.as_secs(),
        number | 1 << 63,
    )
}

/// A token bucket, with one token per byte.
struct Pace {
    budget: f64,
    counted: Instant,
}

impl Pace {
    const BUDGET: f64 = 96.0 * 1024.0;
    const PER_SECOND: f64 = 32.0 * 1024.0 * 1024.0;

    fn new() -> Self {
        Self { budget: Self::BUDGET, counted: Instant::now() }
    }

    /// Waits until a datagram of a length may be sent.
    fn wait_for(&mut self, length: usize) {
        let cost = float(length as u64 + 1024);
        loop {
            let now = Instant::now();
            let earned = now.duration_since(self.counted).as_secs_f64() * Self::PER_SECOND;
            (self.budget, self.counted) = ((self.budget + earned).min(Self::BUDGET), now);
            if self.budget >= cost {
                break self.budget -= cost;
            }
            thread::sleep(Duration::from_secs_f64((cost - self.budget) / Self::PER_SECOND));
        }
    }
}

/// The resources that a process has used.
#[derive(Clone, Copy)]
struct Usage {
    cpu_seconds: f64,
    memory_kib: u64,
}

impl Usage {
    fn of(child: &Child) -> Self {
        let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id())).expect("cannot read /proc");
        // See `man 5 proc_pid_stat`: the name stands in parentheses; 11 fields later come user time and system time, in
        // ticks of a hundredth of a second.
        let stat = read("stat");
        let fields = stat.rsplit(')').next().expect("the name ends with a parenthesis").split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let status = read("status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("/proc has no peak memory");
        let memory_kib = peak
            .split_whitespace()
            .next()
            .and_then(|number| number.parse().ok())
            .expect("the peak memory is not a number");
        Self { cpu_seconds: float(ticks) / 100.0, memory_kib }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53, and the result is rounded")]
fn float(number: u64) -> f64 {
    number as f64
}
