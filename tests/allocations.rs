//! Counts the allocations of a traced call on its thread, and compares them with the call without tracing.
//!
//! The counter is per thread. A reallocation counts as an allocation.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io::{self, Read as _, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use allocation_counter::measure;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use support::Always;
use support::sampling_daemon::{Daemon, Service, eager, rule, with};
use tokio::sync::oneshot::{self, Sender};
use tower::{Layer as _, Service as _};
use xray::document::Cause;
use xray::emitter::{Emitter, FinishedSegment, LinesEmitter, MemoryEmitter};
use xray::http::{Call, CallParent, CallSite, DeferredCall, Sent, Traceable, methods};
use xray::sampling::{Central, Decision, Local, Rule, Sampler, SamplerHost, SamplingRequest};
use xray::tower::SubsegmentLayer;
use xray::{Instrument as _, Propagation, Recorder, Sampled, Segment, TRACE_HEADER_NAME, TraceHeader};

/// The number of calls in one segment.
const CALLS: usize = 100;
/// The number of calls that a thread can make with the records of an earlier segment of [`CALLS`] calls. Other threads
/// may take the other records.
const REUSED: usize = 60;
/// The allocations of a sampled call that reuses a record: the value of the header.
const PER_SAMPLED_CALL: u64 = 1;
/// The allocation of a call that finds no record to reuse.
const RECORD: u64 = 1;
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
fn an_unsampled_request_with_its_host_in_a_header_allocates_nothing() {
    let service = tower::service_fn(async |request: Request| Ok::<_, Infallible>(http::Response::new(request)));
    let mut service = SubsegmentLayer::new().layer(service);
    let mut request = request(8);
    *request.uri_mut() = Uri::from_static("/todos/1?token=secret");
    request.headers_mut().insert(HOST, HeaderValue::from_static("names.example.com"));
    let segment = begin(Sampled::No);
    let allocations = segment.in_scope(|| measure(|| drop(finish(service.call(request)))).count_total);
    assert_eq!(allocations, 0);
}

#[test]
fn a_sampled_call_allocates_its_header_and_sometimes_a_record() {
    let segment = begin(Sampled::Yes);
    let counts: Vec<_> = segment.in_scope(|| (0..CALLS).map(|_| count(1, 8, traced)).collect());
    // The segment's list of subsegments doubles its capacity when it is full.
    let grown = [1, 5, 9, 17, 33, 65];
    for (call, allocations) in (1..).zip(&counts) {
        let growth = u64::from(grown.contains(&call));
        let record = if call <= REUSED { 0 } else { RECORD };
        let expected = PER_SAMPLED_CALL + growth..=PER_SAMPLED_CALL + growth + record;
        assert!(expected.contains(allocations), "call {call} of {counts:?}");
    }
    let end = measure(|| segment.end()).count_total;
    // `Discard` drops the segment here. The records that this thread leaves to others are in lists of 64.
    assert!(end <= 2, "ending a segment moves it to the emitter without a copy: {end}");
}

#[test]
fn the_end_of_a_nested_subsegment_allocates_nothing() {
    let segment = begin(Sampled::Yes);
    let outer = segment.subsegment("outer");
    // Creates the list of the subsegments.
    outer.subsegment("first").end();
    let second = outer.subsegment("second");
    assert_eq!(measure(|| second.end()).count_total, 0);
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
    // The segment, its trace, its record, its place in the trace and the rare fields are separate boxes.
    const OF_A_SEGMENT: u64 = 16;
    // Calls that leave an open segment share their place in the trace. The list of the next ones grows again.
    const OF_A_DEPARTURE: u64 = 8;

    // The first segment on a thread makes the list of the records that the thread keeps.
    drop(begin(Sampled::Yes));
    let recorder = Recorder::builder().sampler(Always).emitter(Discard).build();
    for departures in [0_u64, 50] {
        let calls = (usize::try_from(departures).unwrap() + 1) * CALLS;
        let requests: Vec<_> = (0..calls).map(|_| request(8)).collect();
        let allocations = measure(|| {
            let segment = Segment::builder("s").recorder(&recorder).begin();
            let make = |request| assert_eq!(finish(traced(request)), StatusCode::OK);
            segment.in_scope(|| requests.into_iter().for_each(make));
        });
        let of_calls = (PER_SAMPLED_CALL + RECORD) * calls as u64;
        println!("{} allocations for {calls} calls", allocations.count_total);
        let most = of_calls + OF_A_SEGMENT + departures * OF_A_DEPARTURE;
        assert!(allocations.count_total <= most, "{calls} calls: {allocations:?}");
    }
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
    // The first run outside any segment logs that the function is not recorded.
    run();
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

/// One run of a job that starts its own next run in the trace. Each run ends before the next one begins.
#[xray::traced]
async fn run_of_a_job(runs_left: usize, last: Sender<()>) {
    tokio::task::yield_now().await;
    if runs_left == 0 {
        let _ = last.send(());
    } else {
        tokio::spawn(next_run(runs_left - 1, last).in_current_trace());
    }
}

/// The future of a run is boxed, since it contains the type of the next one.
fn next_run(runs_left: usize, last: Sender<()>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(run_of_a_job(runs_left, last))
}

#[test]
fn a_chain_of_runs_keeps_no_run_that_has_ended() {
    let held_by = |runs| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let held = measure(|| {
            runtime.block_on(async {
                let (last, end_of_last) = oneshot::channel();
                run_of_a_job(runs, last).in_segment(begin(Sampled::Yes)).await;
                end_of_last.await.unwrap();
            });
        });
        held.bytes_max
    };
    let (few, many) = (held_by(1_000), held_by(100_000));
    assert!(many < few + 64 * 1024, "{few} bytes held by 1,000 runs, {many} by 100,000");
}

const MIB: u64 = 1024 * 1024;

/// Returns the bytes that stay allocated by `work`, and prints them.
fn held_after(what: &str, work: impl FnOnce()) -> u64 {
    let started = Instant::now();
    let held = u64::try_from(measure(work).bytes_current).unwrap();
    println!("{what}: {} KiB held, {:?}", held / 1024, started.elapsed());
    held
}

/// Calls `add` with the numbers of many values on an open segment. Asserts that the segment holds little of them, and
/// that all others are counted.
fn fill(what: &str, values: u64, add: impl Fn(&Segment, u64)) {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let segment = Segment::builder("job").recorder(&recorder).begin();
    let held = held_after(&format!("{values} {what}"), || (0..values).for_each(|number| add(&segment, number)));
    // The estimate of the allocator's overhead is not exact.
    assert!(held < 3 * MIB, "{what}: {held}");
    let rejected = recorder.stats().values_rejected;
    segment.end();
    let document = &emitter.take()[0];
    let metadata = document.metadata.values().map(serde_json::Map::len).sum::<usize>();
    let exceptions = match &document.cause {
        Some(Cause::Exceptions(cause)) => cause.exceptions.len(),
        _ => 0,
    };
    let aws = document.aws.as_ref().unwrap().other.len();
    let kept = [metadata, document.annotations.len(), exceptions, aws].into_iter().sum::<usize>() as u64;
    // Annotations that are recorded beyond the 50 that X-Ray indexes are counted too.
    let not_indexed = (document.annotations.len() as u64).saturating_sub(50);
    assert!(kept > 0);
    assert_eq!(rejected, values - kept + not_indexed, "{what}");
}

#[test]
fn an_open_segment_holds_no_more_than_its_limit() {
    let text = "x".repeat(47_000);
    fill("metadata values of 47 kB", 20_000, |segment, number| segment.add_metadata(number.to_string(), &text));
    let nulls = vec![(); 10_000];
    fill("lists of 10,000 nulls", 100, |segment, number| segment.add_metadata(number.to_string(), &nulls));
    let maps = vec![BTreeMap::from([("a", 1)]); 1_000];
    fill("lists of 1,000 maps", 100, |segment, number| segment.add_metadata(number.to_string(), &maps));
    fill("namespaces", 20_000, |segment, number| segment.add_metadata_in(number.to_string(), "a", 1));
    fill("`aws` values of 47 kB", 2_000, |segment, number| segment.add_aws(number.to_string(), &text));
    fill("annotations", 20_000, |segment, number| segment.annotate(number.to_string(), "x".repeat(900)));
    let error = |number: u64| io::Error::other(format!("{number} {}", "x".repeat(900)));
    // If `RUST_BACKTRACE` is set, the first error reads the debug information of the program, which stays in memory.
    Segment::builder("job")
        .recorder(&Recorder::builder().sampler(Always).emitter(Discard).build())
        .begin()
        .record_error(&error(0));
    fill("errors", 100_000, |segment, number| segment.record_error(&error(number)));
    fill("keys with spare room", 2_000, |segment, number| {
        let mut key = String::with_capacity(1_000_000);
        key.push_str(&number.to_string());
        segment.annotate(key, true);
    });
}

#[test]
fn many_panics_in_one_segment_are_bounded() {
    let recorder = Recorder::builder().sampler(Always).emitter(Discard).build();
    let segment = Segment::builder("job").recorder(&recorder).begin();
    let held = held_after("2,000 panics", || {
        for number in 0..2_000 {
            let panics = || segment.in_scope(|| std::panic::resume_unwind(Box::new(format!("out of stock {number}"))));
            assert!(std::panic::catch_unwind(AssertUnwindSafe(panics)).is_err());
        }
    });
    assert!(held < MIB, "{held}");
}

#[test]
fn a_value_that_is_replaced_makes_room() {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let segment = Segment::builder("job").recorder(&recorder).begin();
    let text = "x".repeat(40_000);
    for number in 0..1_000 {
        segment.add_metadata("last", (number, &text));
        segment.add_aws("last", (number, &text));
        segment.annotate("last", format!("{number} {}", "x".repeat(900)));
    }
    assert_eq!(recorder.stats().values_rejected, 0);
    segment.end();
    assert_eq!(emitter.take()[0].metadata["default"]["last"][0], 999);
}

#[test]
fn a_text_that_is_cut_does_not_keep_the_memory_of_the_whole() {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let held = held_after("2,000 documents with texts of up to 1 MB", || {
        for _ in 0..2_000 {
            let segment = Segment::builder("job").recorder(&recorder).begin();
            segment.annotate("text", "x".repeat(1_000_000));
            segment.set_user("x".repeat(100_000));
            segment.set_http_request("GET", &format!("https://example.com/{}", "x".repeat(10_000)));
        }
    });
    assert!(held < 16 * MIB, "{held}");
    assert_eq!(emitter.take().len(), 2_000);
}

/// A writer that blocks until the sender is dropped.
struct Blocked(std::sync::mpsc::Receiver<()>);

impl Write for Blocked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_waits_to_be_sent_is_bounded_in_memory() {
    let (release, blocked) = std::sync::mpsc::channel();
    let emitter = LinesEmitter::new(Blocked(blocked));
    let recorder = Recorder::builder().sampler(Always).emitter(emitter).build();
    let nulls = vec![(); 10_000];
    let held = held_after("400 waiting documents of 10,000 nulls", || {
        for _ in 0..400 {
            Segment::builder("job").recorder(&recorder).begin().add_metadata("nulls", &nulls);
        }
    });
    drop(release);
    assert!((64 * MIB..160 * MIB).contains(&held), "{held}");
}

/// Returns the bytes that are allocated while a panic with a message of this length unwinds through nested scopes.
fn unwinds_through(scopes: usize, message: usize) -> u64 {
    fn nested(scopes: usize, message: String) {
        if scopes == 0 {
            // Unlike `panic!`, this runs no hook, which would print the message.
            panic::resume_unwind(Box::new(message));
        }
        xray::current().subsegment("scope").in_scope(|| nested(scopes - 1, message));
    }

    let message = format!("at http://h/ {}", "p".repeat(message));
    let segment = begin(Sampled::Yes);
    // More records than threads keep for reuse: each scope allocates its record.
    let _kept: Vec<_> = (0..2200).map(|_| segment.subsegment("kept")).collect();
    let unwind = AssertUnwindSafe(|| segment.in_scope(|| nested(scopes, message)));
    measure(|| drop(panic::catch_unwind(unwind).unwrap_err())).bytes_total
}

#[test]
fn a_long_message_of_a_panic_is_not_copied_in_each_scope() {
    let (short, long) = (unwinds_through(30, 1000), unwinds_through(30, 20 << 20));
    assert!(long < short + 64 * 1024, "{short} bytes for a short message, {long} for a long one");
}

#[test]
fn a_panic_costs_each_of_many_scopes_the_same() {
    let [few, more, many] = [50, 100, 200].map(|scopes| unwinds_through(scopes, 1000));
    let (first, second) = (more - few, many - more);
    assert!(second < first * 2 + first / 10, "{first} bytes for 50 more scopes, {second} for 100 more");
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

/// Begins a segment with calls whose records are reused later.
fn begin_other(recorder: &Recorder) -> Segment {
    let other = Segment::builder("other").recorder(recorder).begin();
    other.in_scope(|| (0..CALLS).for_each(|_| assert_eq!(finish(traced(request(0))), StatusCode::OK)));
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
    let call = parent.begin(request.method(), request.uri()).inject(request.headers_mut());
    Sent::new(Ping(request).send(), Some(call))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "an adapter reads by reference")]
fn read(answer: &StatusCode, call: &mut Call) {
    call.response(answer.as_u16(), None);
}

struct Discard;

impl Emitter for Discard {
    fn emit(&self, segment: FinishedSegment) {
        drop(segment);
    }
}
