//! The cost of a traced call on the thread that makes it.
//!
//! ```text
//! cargo bench -p xray-benches --bench overhead            # all rows
//! cargo bench -p xray-benches --bench overhead unsampled  # rows whose names contain a text
//! ```
//!
//! Compare rows of one run only. Each row has a floor beside it: the same work without the runtime. A time is that of one
//! call, from the median of segments with 100 calls. Requests are made ready before the time starts and are dropped after
//! it. They have room for one more header. The client responds at once and does nothing else.
//!
//! * `untraced`: a call without a context, and one with a disabled recorder. The floor is the client's own call. The
//!   request is behind a pointer. In `untraced_224_bytes` it is not, and is moved at every step from caller to client.
//! * `unsampled`: a call in an unsampled trace. The floor is the client's own call and one `HeaderMap::insert` of a ready
//!   value.
//! * `sampled`: a segment with 100 calls one after the other, divided by 100. The floor writes the same document by hand.
//!   `traced` drops the document on the thread that ends the segment. `handed_over` drops it on another thread, whose work
//!   on the same memory slows this thread down.
//! * `live`: 1, 100 or 10,000 calls in flight at a time. The floor is the same calls untraced.
//! * `threads`: 1, 2 or 4 threads, each with sampled segments of its own. With more threads than cores, only the threads
//!   that run are measured.
//!
//! The numbers below are the median of two runs with rustc 1.95.0 and the `bench` profile, on two cores under KVM with a
//! load of 50. So only ratios within one run mean something, and those of rows that use much memory (`live/10000`) mean
//! little. Instructions are counted by valgrind's callgrind, for one call and without those of the floor. They do not
//! depend on the load. They do not show waiting: for memory, for an atomic operation, or for a word that is read in another
//! width than it was written in.
//!
//! | row | floor, ns | traced, ns | | goal | instructions more |
//! |---|---|---|---|---|---|
//! | `untraced/no_context` | 1.0 | 7.7 | + 6.7 | + 5 | 140 |
//! | `untraced/disabled` | 1.0 | 8.2 | + 7.2 | + 5 | 145 |
//! | `untraced_224_bytes/no_context` | 25 | 105 | + 80 | | 560 |
//! | `unsampled/traced` | 18 | 60 | + 42 | + 5 | 470 |
//! | `sampled/traced` | 200 | 435 | x 2.2 | x 1.5 | 2,080 over 2,940 |
//! | `sampled/handed_over` | 200 | 480 | x 2.4 | | |
//! | `live/traced`: 1, 100 | 40, 27 | 507, 570 | | flat | |
//! | `live/traced/10000` | 102 | 3,800 and more | | flat | 5,800 |
//! | `threads`: 1, 2, 4 | | 430, 435, 434 | | flat | |
//!
//! The instructions of a sampled call:
//!
//! * `malloc` and `free`: 1,250 for four allocations (the floor has one). The last `free` is slow, because the hundred calls
//!   of a segment are dropped at once.
//! * copies of the document into its segment, and of the segment's list when it grows: 250.
//! * the header's look-up and insertion: 450, as in the floor.
//! * the host, the name and the URL: 600.
//! * two readings of the clock: 360, as in the floor.

use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::HeaderValue;
use xray::emitter::Emitter;
use xray::{Document, Recorder, Sampled, Segment, TRACE_HEADER_NAME, TraceHeader};
use xray_benches::calls::{Calls, time};
use xray_benches::client::{AtOnce, Held, Later, Ping, Request, Response};
use xray_benches::floor;

/// Calls in one segment. Times are for one of them.
const CALLS: usize = 100;

criterion_group!(benches, untraced, unsampled, sampled, live_calls, threads);
criterion_main!(benches);

fn untraced(criterion: &mut Criterion) {
    untraced_with::<Box<Request>>(criterion, "untraced");
    untraced_with::<Request>(criterion, "untraced_224_bytes");
}

fn untraced_with<R: Held>(criterion: &mut Criterion, name: &str) {
    let mut group = criterion.benchmark_group(name);
    let mut row = |name: &str, segment: fn(&Recorder, &mut Calls<R>)| {
        let recorder = Recorder::builder().enabled(false).build();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|calls| time(calls, CALLS, |calls| segment(&recorder, calls)));
        });
    };
    row("floor", |_, calls| calls.make(bare));
    row("no_context", |_, calls| calls.make(traced));
    row("disabled", |recorder, calls| in_segment(recorder, Sampled::Yes, || calls.make(traced)));
}

fn unsampled(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("unsampled");
    // Like the runtime's own value, this one is shared: the first clone of a header value allocates, later ones do not.
    let value = HeaderValue::from_bytes(b"Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0").unwrap();
    let _shared = value.clone();
    let inserting = |mut request: Box<Request>| {
        request.headers_mut().insert(TRACE_HEADER_NAME, value.clone());
        bare(request)
    };
    group.bench_function("floor", |bencher| {
        bencher.iter_custom(|calls| time(calls, CALLS, |calls| calls.make(inserting)));
    });
    let recorder = Recorder::builder().sampler(xray::sampling::Always).emitter(DropHere).build();
    group.bench_function("traced", |bencher| {
        bencher.iter_custom(|calls| time(calls, CALLS, |calls| traced_in_segment(&recorder, Sampled::No, calls)));
    });
}

fn sampled(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sampled");
    group.bench_function("floor", |bencher| {
        bencher.iter_custom(|calls| time(calls, CALLS, |calls| floor::segment(|| calls.make(floor::call))));
    });
    for (name, recorder) in [
        ("traced", Recorder::builder().sampler(xray::sampling::Always).emitter(DropHere).build()),
        ("handed_over", Recorder::builder().sampler(xray::sampling::Always).emitter(DropElsewhere::start()).build()),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|calls| time(calls, CALLS, |calls| traced_in_segment(&recorder, Sampled::Yes, calls)));
        });
    }
}

/// Measures calls that are all in flight before the first response comes.
fn live_calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("live");
    let recorder = Recorder::builder().sampler(xray::sampling::Always).emitter(DropHere).build();
    for live in [1, 100, 10_000] {
        // One segment holds all calls that are in flight. So the segment's own cost is spread over 100 calls in the first
        // two rows, and over 10,000 in the last.
        let size = live.max(CALLS);
        group.bench_function(BenchmarkId::new("floor", live), |bencher| {
            bencher.iter_custom(|calls| time(calls, size, |calls| calls.make_together(live, bare_later)));
        });
        group.bench_function(BenchmarkId::new("traced", live), |bencher| {
            bencher.iter_custom(|calls| {
                time(calls, size, |calls| {
                    in_segment(&recorder, Sampled::Yes, || calls.make_together(live, traced_later));
                })
            });
        });
    }
}

/// Measures threads that share a recorder, each with segments of its own.
fn threads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("threads");
    let recorder = Recorder::builder().sampler(xray::sampling::Always).emitter(DropHere).build();
    for count in [1, 2, 4] {
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter_custom(|calls| {
                let start = Barrier::new(count);
                let measure = || {
                    start.wait();
                    time(calls, CALLS, |calls| traced_in_segment(&recorder, Sampled::Yes, calls))
                };
                let total: Duration = thread::scope(|scope| {
                    let threads: Vec<_> = (0..count).map(|_| scope.spawn(measure)).collect();
                    threads.into_iter().map(|thread| thread.join().unwrap()).sum()
                });
                total / u32::try_from(count).unwrap()
            });
        });
    }
}

fn traced_in_segment(recorder: &Recorder, sampled: Sampled, calls: &mut Calls<Box<Request>>) {
    in_segment(recorder, sampled, || calls.make(traced));
}

fn in_segment(recorder: &Recorder, sampled: Sampled, run: impl FnOnce()) {
    // The header decides, so that no sampler is measured.
    let mut header = TraceHeader::default();
    header.sampled = Some(sampled);
    let segment = Segment::builder("todo-app").recorder(recorder).trace_header(&header).begin();
    segment.in_scope(run);
}

// Generic over the holder of the request, so that the rows with a request by value and behind a pointer run the same code.
async fn bare<R: Held>(request: R) -> Response<R> {
    Ping::<R, AtOnce>::new(request).send().await
}

#[xray::traced_http]
async fn traced<R: Held>(request: R) -> Response<R> {
    Ping::<R, AtOnce>::new(request).send().await
}

async fn bare_later(request: Box<Request>) -> Response<Box<Request>> {
    Ping::<_, Later>::new(request).send().await
}

#[xray::traced_http]
async fn traced_later(request: Box<Request>) -> Response<Box<Request>> {
    Ping::<_, Later>::new(request).send().await
}

/// Drops documents on the thread that emits them.
struct DropHere;

impl Emitter for DropHere {
    fn emit(&self, document: Document) {
        drop(document);
    }
}

/// Drops documents on another thread.
struct DropElsewhere(mpsc::Sender<Document>);

impl DropElsewhere {
    fn start() -> Self {
        let (sender, documents) = mpsc::channel();
        thread::spawn(move || documents.into_iter().for_each(drop));
        Self(sender)
    }
}

impl Emitter for DropElsewhere {
    fn emit(&self, document: Document) {
        // An error means that the thread is gone, at the end of the benchmark.
        let _ = self.0.send(document);
    }
}
