//! Compares the cost of a traced HTTP call with that of other libraries, from the call to the datagram at the daemon's
//! socket, or to the span at a collector.
//!
//! Run `cargo run --release` in this directory. Each library records segments of 100 calls, and sends them over UDP, or
//! as spans over HTTP, to a separate process that counts the datagrams or spans. Each library is flushed after every
//! five segments, so that no queue overflows. A call has a URL, a method and a status, and its request carries the
//! trace header. The client sends nothing.
//!
//! A second part repeats the measurement in traces that are not sampled.
//!
//! * `all`: the processor time of the whole process for one call, with background threads and the system's work.
//! * `caller`: the processor time of the calling thread for one call. Waiting for a flush is excluded.
//! * `allocations`: how often the calling thread allocates memory for one call. One of xray's is the box in which its
//!   client keeps the request.
//! * `datagrams`: the number of datagrams that arrived, for one call. A datagram of xray has many calls, and a datagram
//!   of opentelemetry-aws has one. xray-lite sends two for each call.
//! * `spans`: the number of spans that arrived, for one call. A segment is a span too.
//!
//! fastrace has no X-Ray documents, and its reporter does nothing here. Its first row shows the cost of recording
//! alone. In its second row, a request carries a `traceparent` header. The libraries take turns, and a number is the
//! median of the rounds. The allocator counts for all of them, which takes each about a nanosecond for an allocation.
//!
//! The X-Ray SDK for Python takes part, as `python.py`, if the variable `XRAY_PEERS_PYTHON` names a Python that has it:
//!
//! ```text
//! python3 -m venv target/python && target/python/bin/pip install aws-xray-sdk==2.15.0
//! XRAY_PEERS_PYTHON=target/python/bin/python cargo run --release
//! ```
//!
//! `COMPARE.md` has the tables of a run. Compare only numbers of one run.

mod child;
mod collector;
mod fastrace_peer;
mod opentelemetry_peer;
mod python;
mod reader;
mod tracing_peer;
mod xray_lite_peer;
mod xray_peer;

use std::env;
use std::process::{Command, ExitCode};
use std::time::Duration;

use cpu_time::{ProcessTime, ThreadTime};
use http::{HeaderMap, HeaderValue, Request, Uri};

use crate::collector::Collector;
use crate::python::Python;
use crate::reader::Reader;

const CALLS: usize = 100;
const SEGMENTS: usize = 200;
/// The number of segments between two flushes.
const SEGMENTS_AT_ONCE: usize = 5;
const ROUNDS: usize = 5;

/// A library that records the calls of a segment.
trait Peer {
    fn name(&self) -> &'static str;

    /// Records a segment with a call for each request, in a trace that is sampled or not.
    fn segment(&self, requests: Vec<Request<()>>, is_sampled: bool);

    /// Sends the recorded segments.
    fn flush(&self);
}

/// The costs of a library's segments. Each list has an item for each round.
#[derive(Default)]
struct Cost {
    all: Vec<Duration>,
    caller: Vec<Duration>,
    allocations: Vec<u64>,
    arrived: Vec<usize>,
}

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some(reader::ARGUMENT) => reader::run(),
        Some(collector::ARGUMENT) => collector::run(),
        _ if env::var_os(xray_lite_peer::VARIABLE).is_none() => return restart(),
        _ => compare_all(),
    }
    ExitCode::SUCCESS
}

/// Starts this program again, with the variable that xray-lite reads.
//
// A process can set its own variables only in `unsafe` code.
fn restart() -> ExitCode {
    let mut again = Command::new(env::current_exe().unwrap());
    let status = again.env(xray_lite_peer::VARIABLE, xray_lite_peer::HEADER).status().unwrap();
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn compare_all() {
    let mut reader = Reader::start();
    let to_daemon: [Box<dyn Peer>; 6] = [
        Box::new(xray_peer::Xray::new(&reader.address())),
        Box::new(opentelemetry_peer::OpenTelemetry::new(&reader.address())),
        Box::new(tracing_peer::Tracing::new(&reader.address())),
        Box::new(xray_lite_peer::XrayLite::new(&reader.address())),
        Box::new(fastrace_peer::Fastrace::new()),
        Box::new(fastrace_peer::Fastrace::with_header()),
    ];
    let python = Python::new(reader.address());
    for is_sampled in [true, false] {
        let trace = if is_sampled { "sampled, to the daemon" } else { "not sampled" };
        compare(trace, "datagrams", is_sampled, &to_daemon, python.as_ref(), &mut || reader.count());
    }
    let mut collector = Collector::start();
    let to_collector: [Box<dyn Peer>; 2] = [
        Box::new(xray_peer::Xray::otlp(&collector.address())),
        Box::new(opentelemetry_peer::OpenTelemetry::otlp(&collector.address())),
    ];
    compare("sampled, to a collector", "spans", true, &to_collector, None, &mut || collector.count());
}

/// Measures libraries in turns, and prints a table. The first library is ours. `count` returns the number of datagrams
/// or spans, as `unit` names them, that arrived since the last call of `count`.
fn compare(
    trace: &str,
    unit: &str,
    is_sampled: bool,
    peers: &[Box<dyn Peer>],
    python: Option<&Python>,
    count: &mut dyn FnMut() -> usize,
) {
    let mut costs: Vec<_> = peers.iter().map(|_| Cost::default()).collect();
    let mut python_cost = Cost::default();
    for _ in 0..ROUNDS {
        for (peer, cost) in peers.iter().zip(&mut costs) {
            measure(&**peer, is_sampled, cost);
            cost.arrived.push(count());
        }
        if let Some(python) = python {
            let (all, caller) = python.measure(is_sampled);
            python_cost.all.push(all);
            python_cost.caller.push(caller);
            python_cost.arrived.push(count());
        }
    }
    let calls = (SEGMENTS * CALLS) as f64;
    let nanos = |times: &mut Vec<Duration>, calls: f64| median(times).as_secs_f64() * 1e9 / calls;
    let ours = nanos(&mut costs[0].all, calls);
    println!("\nns of a call, {trace}");
    println!("{:<32}{:>10}{:>10}{:>13}{unit:>12}{:>14}", "", "all", "caller", "allocations", "ours / theirs");
    let row = |name: &str, all: f64, caller: f64, allocations: &str, arrived: f64| {
        println!("{name:<32}{all:>10.0}{caller:>10.0}{allocations:>13}{arrived:>12.2}{:>14.3}", ours / all);
    };
    for (peer, cost) in peers.iter().zip(&mut costs) {
        let allocations = median(&mut cost.allocations) as f64 / calls;
        let arrived = median(&mut cost.arrived) as f64 / calls;
        let (all, caller) = (nanos(&mut cost.all, calls), nanos(&mut cost.caller, calls));
        row(peer.name(), all, caller, &format!("{allocations:.2}"), arrived);
    }
    if python.is_some() {
        let calls = python::CALLS as f64;
        let arrived = median(&mut python_cost.arrived) as f64 / calls;
        let (all, caller) = (nanos(&mut python_cost.all, calls), nanos(&mut python_cost.caller, calls));
        row("X-Ray SDK for Python", all, caller, "", arrived);
    }
}

/// Adds the processor time of the process, and the time and the allocations of this thread while it records.
fn measure(peer: &dyn Peer, is_sampled: bool, cost: &mut Cost) {
    let (started, mut caller, mut making) = (ProcessTime::now(), Duration::ZERO, Duration::ZERO);
    let mut allocations = 0;
    for segment in 1..=SEGMENTS {
        let before = ProcessTime::now();
        let requests = (0..CALLS).map(|_| request()).collect();
        making += before.elapsed();
        let counted = allocation_counter::measure(|| {
            let recording = ThreadTime::now();
            peer.segment(requests, is_sampled);
            caller += recording.elapsed();
        });
        allocations += counted.count_total;
        if segment % SEGMENTS_AT_ONCE == 0 {
            peer.flush();
        }
    }
    cost.all.push(started.elapsed().saturating_sub(making));
    cost.caller.push(caller);
    cost.allocations.push(allocations);
}

fn median<T: Ord + Copy>(values: &mut [T]) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

fn request() -> Request<()> {
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from_static("https://names.example.com/todos/1");
    *request.headers_mut() = HeaderMap::with_capacity(8);
    request.headers_mut().insert("accept", HeaderValue::from_static("*/*"));
    request
}
