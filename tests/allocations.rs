//! How often a traced call allocates on the thread that makes it, beside the same call untraced.
//!
//! The counter is of the thread, and a reallocation counts as an allocation.

use std::future::{Ready, ready};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

use allocation_counter::measure;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use xray::emitter::Emitter;
use xray::http::{Call, CallParent, CallSite, DeferredCall, Sent, Traceable, methods};
use xray::{Document, Propagation, Recorder, Sampled, Segment, TRACE_HEADER_NAME, TraceHeader};

/// Calls in one segment.
const CALLS: usize = 100;
/// The header's value, the name, the URL and what is known of the call until it ends.
const PER_SAMPLED_CALL: u64 = 4;
/// reqwest copies the headers for a redirect, and a value is made fit for sharing when it is first copied.
const REQWEST_HEADER: u64 = 1;

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(Box::new(1))).count_total, 1);
}

#[test]
fn without_a_context_nothing_is_allocated() {
    // The first call of a process tells that there is no context.
    finish(traced(request(0)));
    assert_eq!(count(CALLS, 0, bare), 0);
    assert_eq!(count(CALLS, 0, traced), 0);
}

#[test]
fn a_disabled_recorder_allocates_nothing() {
    let recorder = Recorder::builder().enabled(false).build();
    let segment = Segment::builder("s").recorder(&recorder).begin();
    // Where a recorder is disabled there is no context, of which the first call tells.
    segment.in_scope(|| finish(traced(request(0))));
    assert_eq!(segment.in_scope(|| count(CALLS, 0, traced)), 0);
}

#[test]
fn an_unsampled_call_allocates_no_more_than_the_insertion_of_a_header() {
    let inserting = |mut request: Request| {
        request.headers_mut().insert(TRACE_HEADER_NAME, HeaderValue::from_static("Sampled=0"));
        bare(request)
    };
    let segment = begin(Sampled::No);
    for room in [0, 8] {
        let expected = count(CALLS, room, inserting);
        assert_eq!(expected == 0, room > 0);
        assert_eq!(segment.in_scope(|| count(CALLS, room, traced)), expected, "room for {room} headers");
    }
}

#[test]
fn a_sampled_call_allocates_four_times() {
    let segment = begin(Sampled::Yes);
    let counts: Vec<_> = segment.in_scope(|| (0..CALLS).map(|_| count(1, 8, traced)).collect());
    // The segment's list of subsegments grows with them, each time to twice its size.
    let grown = [1, 5, 9, 17, 33, 65];
    for (call, allocations) in (1..).zip(&counts) {
        let growth = u64::from(grown.contains(&call));
        assert_eq!(*allocations, PER_SAMPLED_CALL + growth, "call {call} of {counts:?}");
    }
    let end = measure(|| segment.end()).count_total;
    assert_eq!(end, 0, "a segment with all it holds is handed over as it is");
}

#[test]
fn a_second_header_is_one_more_value() {
    const TRACEPARENT_NAME: HeaderName = HeaderName::from_static("traceparent");
    let inserting = |is_both: bool| {
        move |mut request: Request| {
            if is_both {
                request.headers_mut().insert(TRACE_HEADER_NAME, HeaderValue::from_static("Sampled=0"));
            }
            request.headers_mut().insert(TRACEPARENT_NAME, HeaderValue::from_static("00-"));
            bare(request)
        }
    };
    for (propagation, is_both) in [(Propagation::W3c, false), (Propagation::Both, true)] {
        let unsampled = begin_with(propagation, Sampled::No);
        for room in [0, 8] {
            let expected = count(CALLS, room, inserting(is_both));
            assert_eq!(unsampled.in_scope(|| count(CALLS, room, traced)), expected, "room for {room} headers");
        }
        let sampled = begin_with(propagation, Sampled::Yes);
        // The segment's list of subsegments has room for the second.
        sampled.in_scope(|| count(1, 8, traced));
        let expected = PER_SAMPLED_CALL + u64::from(is_both);
        assert_eq!(sampled.in_scope(|| count(1, 8, traced)), expected, "{propagation:?}");
    }
}

#[test]
fn a_whole_segment_of_sampled_calls_allocates_little_more() {
    let recorder = Recorder::builder().sampler(xray::sampling::Always).emitter(Discard).build();
    let requests: Vec<_> = (0..CALLS).map(|_| request(8)).collect();
    let allocations = measure(|| {
        let segment = Segment::builder("s").recorder(&recorder).begin();
        segment
            .in_scope(|| requests.into_iter().for_each(|request| assert_eq!(finish(traced(request)), StatusCode::OK)));
    });
    let of_the_segment = allocations.count_total - PER_SAMPLED_CALL * CALLS as u64;
    println!("{} allocations, {of_the_segment} of them the segment's own", allocations.count_total);
    assert!(of_the_segment <= 13, "{allocations:?}");
}

#[test]
fn a_call_of_reqwest_allocates_as_much_more() {
    let client = reqwest::Client::new();
    let url = serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The connection's own work is part of a count, now more, now less; the least is without it.
    let least = |call: fn(reqwest::RequestBuilder) -> Reqwest| {
        let counts = (0..CALLS).map(|_| {
            let request = client.get(&url);
            let mut response = None;
            let allocations = measure(|| response = Some(runtime.block_on(call(request))));
            let body = runtime.block_on(response.unwrap().unwrap().bytes());
            assert_eq!(body.unwrap(), "ok");
            allocations.count_total
        });
        counts.min().unwrap()
    };
    let untraced = least(|request| Box::pin(async { request.send().await }));
    let traced: fn(reqwest::RequestBuilder) -> Reqwest = |request| Box::pin(traced_reqwest(request));
    least(traced);
    assert_eq!(least(traced), untraced, "without a context");
    assert_eq!(begin(Sampled::No).in_scope(|| least(traced)), untraced, "unsampled");
    let sampled = begin(Sampled::Yes).in_scope(|| least(traced));
    assert_eq!(sampled, untraced + REQWEST_HEADER + PER_SAMPLED_CALL, "sampled");
}

#[test]
fn a_function_outside_a_sampled_segment_allocates_nothing() {
    let run = || {
        measure(|| {
            assert_eq!(part(1).unwrap() + finish(part_later(2)), 3);
        })
        .count_total
    };
    assert_eq!(run(), 0, "without a context");
    assert_eq!(begin(Sampled::No).in_scope(run), 0, "unsampled");
    let recorder = Recorder::builder().enabled(false).build();
    assert_eq!(Segment::builder("s").recorder(&recorder).begin().in_scope(run), 0, "disabled");
    assert!(begin(Sampled::Yes).in_scope(run) > 0, "it is recorded");
}

#[xray::traced(err, annotate(number = number.to_string()))]
fn part(number: u32) -> Result<u32, std::num::ParseIntError> {
    Ok(number)
}

#[xray::traced(annotate(number = number.to_string()))]
async fn part_later(number: u32) -> u32 {
    number
}

type Reqwest = std::pin::Pin<Box<dyn Future<Output = reqwest::Result<reqwest::Response>>>>;

#[xray::traced_http]
async fn traced_reqwest(request: reqwest::RequestBuilder) -> reqwest::Result<reqwest::Response> {
    request.send().await
}

/// The URL of a service on another thread, so that its allocations are not counted.
fn serve() -> String {
    fn answer(mut connection: TcpStream) {
        let mut request = [0; 4096];
        while connection.read(&mut request).is_ok_and(|length| length > 0) {
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
        }
    }

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(|connection| answer(connection.unwrap())));
    format!("http://{address}/todos/1?token=secret")
}

fn begin(sampled: Sampled) -> Segment {
    begin_with(Propagation::default(), sampled)
}

fn begin_with(propagation: Propagation, sampled: Sampled) -> Segment {
    let mut header = TraceHeader::default();
    header.sampled = Some(sampled);
    let recorder = Recorder::builder().sampler(xray::sampling::Always).propagate(propagation).emitter(Discard).build();
    let segment = Segment::builder("s").recorder(&recorder).trace_header(&header).begin();
    // What a thread sets up at its first call counts for none.
    segment.in_scope(|| drop(begin_other(&recorder)));
    segment
}

fn begin_other(recorder: &Recorder) -> Segment {
    let other = Segment::builder("other").recorder(recorder).begin();
    other.in_scope(|| finish(traced(request(0))));
    other
}

/// Allocations in calls with requests that have room for so many headers more.
fn count<F: Future<Output = StatusCode>>(calls: usize, room: usize, call: impl Fn(Request) -> F) -> u64 {
    let requests: Vec<_> = (0..calls).map(|_| request(room)).collect();
    let allocations = measure(|| {
        for request in requests {
            assert_eq!(finish(call(request)), StatusCode::OK);
        }
    });
    allocations.count_total
}

type Request = http::Request<()>;

fn request(room: usize) -> Request {
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from_static("https://names.example.com/todos/1?token=secret");
    *request.headers_mut() = HeaderMap::with_capacity(room);
    request
}

/// The result of a future that is ready at its first poll.
fn finish<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the client answers at once"),
    }
}

async fn bare(request: Request) -> StatusCode {
    Ping(request).send().await
}

#[xray::traced_http]
async fn traced(request: Request) -> StatusCode {
    Ping(request).send().await
}

/// A call of a client that does nothing but answer.
struct Ping(Request);

impl Ping {
    #[expect(clippy::unused_self, reason = "it stands for a client that sends what it is")]
    fn send(self) -> Ready<StatusCode> {
        ready(StatusCode::OK)
    }
}

impl Traceable<methods::send> for Ping {
    type Traced = TracedPing;

    fn traced(self, site: CallSite) -> TracedPing {
        TracedPing(self, site)
    }
}

struct TracedPing(Ping, CallSite);

impl TracedPing {
    fn send(self) -> impl Future<Output = StatusCode> {
        let Self(ping, site) = self;
        DeferredCall::new(site, move |parent| start(ping, parent), read)
    }
}

fn start(Ping(mut request): Ping, parent: Option<CallParent>) -> Sent<Ready<StatusCode>> {
    let Some(parent) = parent else { return Sent::new(Ping(request).send(), None) };
    let call = parent.begin(request.method().as_str(), request.uri()).inject(request.headers_mut());
    Sent::new(Ping(request).send(), Some(call))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "an adapter reads by reference")]
fn read(answer: &StatusCode, call: &mut Call) {
    call.response(answer.as_u16(), None);
}

struct Discard;

impl Emitter for Discard {
    fn emit(&self, document: Document) {
        drop(document);
    }
}
