//! Counts the allocations of a traced call on its thread, and compares them with the call without tracing.
//!
//! The counter is per thread. A reallocation counts as an allocation.

use std::future::{Ready, ready};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use allocation_counter::measure;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use support::Always;
use support::sampling_daemon::{Daemon, Service, eager, rule, with};
use xray::emitter::Emitter;
use xray::http::{Call, CallParent, CallSite, DeferredCall, Sent, Traceable, methods};
use xray::sampling::{Central, Decision, Local, Rule, Sampler, SamplerHost, SamplingRequest};
use xray::{Document, Propagation, Recorder, Sampled, Segment, TRACE_HEADER_NAME, TraceHeader};

/// The number of calls in one segment.
const CALLS: usize = 100;
/// The value of the header, the name, the URL, and the record of the open call.
const PER_SAMPLED_CALL: u64 = 4;
/// reqwest clones the headers for a redirect. The first clone of a value allocates, because it makes the value shared.
const REQWEST_HEADER: u64 = 1;

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(Box::new(1))).count_total, 1);
}

#[test]
fn without_a_context_nothing_is_allocated() {
    // The first call outside any segment logs a line, once for each place.
    finish(traced(request(0)));
    assert_eq!(count(CALLS, 0, bare), 0);
    assert_eq!(count(CALLS, 0, traced), 0);
}

#[test]
fn a_disabled_recorder_allocates_nothing() {
    let recorder = Recorder::builder().enabled(false).build();
    let segment = Segment::builder("s").recorder(&recorder).begin();
    // A disabled recorder gives no context. The first call outside any segment logs a line, once for each place.
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
    // The segment's list of subsegments doubles its capacity when it is full.
    let grown = [1, 5, 9, 17, 33, 65];
    for (call, allocations) in (1..).zip(&counts) {
        let growth = u64::from(grown.contains(&call));
        assert_eq!(*allocations, PER_SAMPLED_CALL + growth, "call {call} of {counts:?}");
    }
    let end = measure(|| segment.end()).count_total;
    assert_eq!(end, 0, "ending a segment moves it to the emitter without a copy");
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
        // Makes the segment's list of subsegments grow before the counted call.
        sampled.in_scope(|| count(1, 8, traced));
        let expected = PER_SAMPLED_CALL + u64::from(is_both);
        assert_eq!(sampled.in_scope(|| count(1, 8, traced)), expected, "{propagation:?}");
    }
}

#[test]
fn a_whole_segment_of_sampled_calls_allocates_little_more() {
    let recorder = Recorder::builder().sampler(Always).emitter(Discard).build();
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
fn a_call_of_reqwest_allocates_one_header_more() {
    let client = reqwest::Client::new();
    let url = serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The work of the connection adds to a count, more or less each time. The smallest count is without it.
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
    assert!(begin(Sampled::Yes).in_scope(run) > 0, "a sampled function allocates");
}

#[test]
fn a_decision_of_a_local_sampler_allocates_nothing() {
    let sampler = Local::builder()
        .default_rule(0, 0.0)
        .rule(Rule::new(0, 0.0).path("/health"))
        .rule(Rule::new(0, 1.0).host("*.example.com").method("POST").path("/pay/*"))
        .build();
    let request = SamplingRequest::new("shop").with_host("Shop.Example.com").with_method("post");
    // The first decision on a thread sets up what later ones use.
    sampler.sample(&request);
    for (path, is_sampled) in [("/health", false), ("/pay/7", true), ("/cart", false)] {
        let request = request.with_path(path);
        let decide = || (0..CALLS).for_each(|_| assert_eq!(sampler.sample(&request).is_sampled(), is_sampled));
        assert_eq!(measure(decide).count_total, 0, "{path}");
    }
}

#[test]
fn a_decision_of_the_central_sampler_allocates_only_the_name_of_a_rule() {
    /// A recorder takes its sampler. This keeps the sampler for the test too.
    struct Shared(Arc<Central>);

    impl Sampler for Shared {
        fn attach(&self, host: &SamplerHost) {
            self.0.attach(host);
        }

        fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
            self.0.sample(request)
        }
    }

    let none = with(with(rule("none", 1, "/none/*"), "FixedRate", 0.0), "Host", "*.example.com");
    let daemon = Daemon::with_rules(&[none, rule("Default", 10_000, "*")]);
    let central = Arc::new(eager().build());
    let service = Service::with(daemon.address, Shared(Arc::clone(&central)));
    service.wait_for("/", "Default");
    let request = SamplingRequest::new("shop").with_host("shop.example.com").with_method("GET").with_path("/none/7");
    assert_eq!(central.sample(&request), Decision::not_sampled());
    let decide = || (0..CALLS).for_each(|_| assert!(!central.sample(&request).is_sampled()));
    assert_eq!(measure(decide).count_total, 0, "a request that is not sampled");
    let sampled = measure(|| drop(central.sample(&request.with_path("/")))).count_total;
    assert_eq!(sampled, 1, "the name of the rule, which the segment records");
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

/// Starts a service on another thread, so that its allocations are not counted. Returns its URL.
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
    let recorder = Recorder::builder().sampler(Always).propagate(propagation).emitter(Discard).build();
    let segment = Segment::builder("s").recorder(&recorder).trace_header(&header).begin();
    // The first call on a thread sets up what later ones use.
    segment.in_scope(|| drop(begin_other(&recorder)));
    segment
}

fn begin_other(recorder: &Recorder) -> Segment {
    let other = Segment::builder("other").recorder(recorder).begin();
    other.in_scope(|| finish(traced(request(0))));
    other
}

/// Counts the allocations of calls whose requests have room for `room` headers.
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

/// Returns the output of a future that is ready at its first poll.
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

/// A request of a client that answers at once.
struct Ping(Request);

impl Ping {
    #[expect(clippy::unused_self, reason = "it stands for a client that consumes its request")]
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
