//! What a traced HTTP call costs in all, from the call to a datagram at the daemon's socket, beside other libraries.
//!
//! `cargo run --release` in this directory. Each library records segments of 100 calls and sends them over UDP to a
//! process of its own, which only counts. All is sent after every five segments, so that no queue overflows. A call
//! has a URL, a method and a status, and its request carries the trace's header; the client does nothing else.
//!
//! * `all`: processor time of the whole process, threads in the background and the system's work for them included.
//! * `caller`: that of the thread that makes the calls, without the time in which it waits for the rest.
//! * `datagrams`: how many arrived, for one call. Ours holds many calls; opentelemetry-aws sends each by itself.
//!
//! fastrace has neither documents nor a header of X-Ray: it is there for what recording alone costs, its reporter does
//! nothing. The median of the rounds stands for all; the libraries take turns.
//!
//! Two cores under KVM, a load of 40 besides; rustc 1.95.0; opentelemetry-aws 0.21.0, opentelemetry_sdk 0.33.1,
//! tracing-opentelemetry 0.34.0, fastrace 0.7.19; in nanoseconds:
//!
//! | | all | caller | datagrams | ours / theirs |
//! |---|---|---|---|---|
//! | xray | 2,126 | 874 | 0.01 | |
//! | opentelemetry-aws | 7,053 | 1,820 | 0.82 of 1.01 | 0.30 |
//! | tracing, opentelemetry-aws | 9,202 | 3,194 | 0.87 of 1.01 | 0.23 |
//! | fastrace (no document, no header) | 988 | 489 | | |

mod fastrace_peer;
mod opentelemetry_peer;
mod reader;
mod tracing_peer;
mod xray_peer;

use std::env;
use std::time::Duration;

use cpu_time::{ProcessTime, ThreadTime};
use http::{HeaderMap, HeaderValue, Request, Uri};

use crate::reader::Reader;

const CALLS: usize = 100;
const SEGMENTS: usize = 200;
/// So many segments are recorded, then all is sent.
const SEGMENTS_AT_ONCE: usize = 5;
const ROUNDS: usize = 5;

/// A library that records the calls of a segment.
trait Peer {
    fn name(&self) -> &'static str;

    /// A segment, in which each of the requests is sent.
    fn segment(&self, requests: Vec<Request<()>>);

    /// Sends what is recorded.
    fn flush(&self);
}

#[derive(Default)]
struct Cost {
    all: Vec<Duration>,
    caller: Vec<Duration>,
    datagrams: Vec<usize>,
}

fn main() {
    if env::args().nth(1).as_deref() == Some(reader::ARGUMENT) {
        return reader::run();
    }
    let mut reader = Reader::start();
    let peers: [Box<dyn Peer>; 4] = [
        Box::new(xray_peer::Xray::new(&reader.address)),
        Box::new(opentelemetry_peer::OpenTelemetry::new(&reader.address)),
        Box::new(tracing_peer::Tracing::new(&reader.address)),
        Box::new(fastrace_peer::Fastrace::new()),
    ];
    let mut costs = peers.each_ref().map(|_| Cost::default());
    for _ in 0..ROUNDS {
        for (peer, cost) in peers.iter().zip(&mut costs) {
            let (all, caller) = measure(&**peer);
            cost.all.push(all);
            cost.caller.push(caller);
            cost.datagrams.push(reader.count());
        }
    }
    let calls = (SEGMENTS * CALLS) as f64;
    let nanos = |times: &mut Vec<Duration>| median(times).as_secs_f64() * 1e9 / calls;
    let ours = nanos(&mut costs[0].all);
    println!("{:<32}{:>10}{:>10}{:>12}{:>14}", "ns of a call", "all", "caller", "datagrams", "ours / theirs");
    for (peer, cost) in peers.iter().zip(&mut costs) {
        let (all, caller) = (nanos(&mut cost.all), nanos(&mut cost.caller));
        let datagrams = median(&mut cost.datagrams) as f64 / calls;
        println!("{:<32}{all:>10.0}{caller:>10.0}{datagrams:>12.2}{:>14.2}", peer.name(), ours / all);
    }
}

/// Processor time of the process, and of this thread while it records.
fn measure(peer: &dyn Peer) -> (Duration, Duration) {
    let (started, mut caller) = (ProcessTime::now(), Duration::ZERO);
    let mut making = Duration::ZERO;
    for segment in 1..=SEGMENTS {
        let before = ProcessTime::now();
        let requests = (0..CALLS).map(|_| request()).collect();
        making += before.elapsed();
        let recording = ThreadTime::now();
        peer.segment(requests);
        caller += recording.elapsed();
        if segment % SEGMENTS_AT_ONCE == 0 {
            peer.flush();
        }
    }
    (started.elapsed().saturating_sub(making), caller)
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
