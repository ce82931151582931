//! The cost of a traced call on the thread that makes it.
//!
//! ```text
//! cargo bench -p xray-benches --bench overhead            # all rows
//! cargo bench -p xray-benches --bench overhead unsampled  # rows whose names contain a text
//! ```
//!
//! Compare rows of one run only. Each row has a floor beside it: the same work without the runtime. A time is that of
//! one call, from the median of segments with 100 calls. Requests are made ready before the time starts and are dropped
//! after it. They have room for one more header. The client responds at once and does nothing else.
//!
//! * `untraced`: a call without a context, and one with a disabled recorder. The floor is the client's own call. In
//!   `untraced` the request is behind a pointer. In `untraced_224_bytes` it is not, and is moved at every step from
//!   caller to client.
//! * `unsampled`: a call in an unsampled trace. The floor is the client's own call and one `HeaderMap::insert` of a
//!   ready value.
//! * `sampled`: a segment with 100 calls one after the other, divided by 100. The floor writes the same document by
//!   hand. `traced` drops the document on the thread that ends the segment. `handed_over` drops it on another thread,
//!   whose work on the same memory slows this thread down, and is compared with a floor whose document another thread
//!   reads.
//! * `by_hand`, beside these three: a wrapper written by hand that does the least that a traced call must do. It finds
//!   the trace in a thread-local, keeps a reference to it while the header is inserted, and sends the request at the
//!   call. Outside any trace it sends the request at the first poll, because the future may be polled inside a trace.
//!   In a sampled segment it also keeps a record, which the segment gets at the end of the call.
//! * `live`: 1, 100 or 10,000 calls in flight at a time. The floor is the same calls untraced.
//! * `threads`: 1, 2 or 4 threads, each with sampled segments of its own. With more threads than cores, only the
//!   threads that run are measured.
//!
//! The numbers below are the medians of three runs on 2026-11-30 with rustc 1.95.0 and the `bench` profile, on two
//! cores of an AMD EPYC under KVM. The instructions are those of `instructions.json`, which do not depend on the load.
//! They do not show the time in which the processor waits: for memory, for an atomic operation, or for a word that is
//! read in another width than it was written.
//!
//! | row | floor, ns | this row, ns | | goal | instructions, floor and this row |
//! |---|---|---|---|---|---|
//! | `untraced/by_hand` | 1.5 | 7.8 | + 6.3 | | 218, 289 |
//! | `untraced/no_context` | 1.5 | 8.6 | + 7.1 | + 5 | 218, 322 |
//! | `untraced/disabled` | 1.5 | 9.4 | + 7.9 | + 5 | 218, 328 |
//! | `untraced_224_bytes/by_hand` | 32 | 57 | + 25 | | 458, 630 |
//! | `untraced_224_bytes/no_context` | 32 | 78 | + 46 | + 20 | 458, 715 |
//! | `unsampled/by_hand` | 15 | 29 | + 14 | | 511, 617 |
//! | `unsampled/traced` | 15 | 34 | + 19 | + 10 | 511, 703 |
//! | `sampled/by_hand` | 232 | 248 | x 1.07 | | 2,957, 2,703 |
//! | `sampled/traced` | 232 | 252 | x 1.09 | x 1.0 | 2,957, 2,850 |
//! | `sampled/handed_over` | 409 | 358 | x 0.87 | x 1.2 | |
//! | `live/traced`: 1, 100 | 50, 20 | 330, 332 | | flat | |
//! | `live/traced/10000` | 26 | 470 | x 1.42 | x 1.5 | |
//! | `threads`: 1, 2, 4 | | 245, 244, 249 | | flat | |
//!
//! The wrapper written by hand shows how much of a goal is possible. Without a trace the traced call takes as long as
//! the wrapper. In an unsampled trace the wrapper takes 14 ns, for two atomic operations and the moves of the request
//! into a future that may be sent later. The traced call takes 5 ns more: it also reads the place of the call, the
//! rules, and the two other headers. A request of 224 bytes is moved ten times by the wrapper and twelve times by the
//! traced call, where the floor moves it eight times. The two additional moves are into the traced twin and into the
//! runtime's future, which are types of other crates. On faster cores a call without a context takes 3.4 ns more than
//! the floor, with 224 bytes 27 ns, and in an unsampled trace 22 ns.
//!
//! A sampled call takes 4 % fewer instructions than the floor, and 5 % more than the wrapper. The wrapper allocates
//! its record for each call. The runtime uses the record of an earlier call again. The time of the traced call depends
//! on where the compiler places its code: builds that differ only in code that no call runs take 236 to 260 ns, with
//! an equal number of instructions. In a profile by time, a sampled call spends 10 ns in the lock of its segment and 7
//! ns in the entry of the set of open calls. The floor is for one thread and has neither. `handed_over` is below its
//! floor, because the floor's buffer goes through the allocator from one thread to the other.
//!
//! These changes were tried, and saved nothing:
//!
//! * `sampled`: to have the steps of a call inlined into two functions. With reqwest and a server, where the code of
//!   each call has left the processor's caches, all steps together take 1.9 µs either way (`end_to_end.rs`).
//! * `unsampled`: to pass a clone of the headers to the request in place of a reference to the segment. That saves two
//!   atomic operations. But the clone is written word by word and read in pairs of words, and the processor waits as
//!   long.
//! * `unsampled`: to create the future first, and to send its request in place. A call without a context then takes
//!   twice as long, because its future is written and read in different widths.
//! * `unsampled`, `sampled`: to create the future in each branch of the code that sends the request. That takes 17
//!   instructions less in an unsampled trace, and 4 ns more.
//! * `unsampled`: to keep the place of the call in the future only until the request is sent. That takes 7 instructions
//!   less, but a call without a context takes 24 more, and 111 more with a request of 224 bytes.
//! * `untraced_224_bytes`: to change the request where it lies, and to send it from one place in the code. The number
//!   of moves does not change.
//! * `untraced_224_bytes`: to create the future in a function that is not inlined. The compiler still moves the result
//!   into the future that awaits it, and a call without a context takes 43 instructions more.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use xray::{Recorder, Sampled, TRACE_HEADER_NAME};
use xray_benches::by_hand;
use xray_benches::calls::{Calls, time};
use xray_benches::client::{Held, Request};
use xray_benches::floor;
use xray_benches::paths::{
    DropElsewhere, DropHere, bare, bare_later, in_segment, traced, traced_in_segment, traced_later,
};

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
    row("by_hand", |_, calls| calls.make(by_hand::unrecorded));
    row("no_context", |_, calls| calls.make(traced));
    row("disabled", |recorder, calls| in_segment(recorder, Sampled::Yes, || calls.make(traced)));
}

fn unsampled(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("unsampled");
    let value = floor::unsampled_header();
    let inserting = |mut request: Box<Request>| {
        request.headers_mut().insert(TRACE_HEADER_NAME, value.clone());
        bare(request)
    };
    group.bench_function("floor", |bencher| {
        bencher.iter_custom(|calls| time(calls, CALLS, |calls| calls.make(inserting)));
    });
    group.bench_function("by_hand", |bencher| {
        bencher.iter_custom(|calls| {
            time(calls, CALLS, |calls: &mut Calls<Box<Request>>| {
                by_hand::in_unsampled_trace(|| calls.make(by_hand::unrecorded));
            })
        });
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
    group.bench_function("by_hand", |bencher| {
        bencher.iter_custom(|calls| time(calls, CALLS, |calls| by_hand::in_segment(|| calls.make(by_hand::recorded))));
    });
    let reader = floor::Reader::start();
    group.bench_function("floor_handed_over", |bencher| {
        bencher.iter_custom(|calls| {
            time(calls, CALLS, |calls| floor::segment_handed_over(&reader, || calls.make(floor::call)))
        });
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
        // One segment holds all calls that are in flight. So the segment's own cost is spread over 100 calls in the
        // first two rows, and over 10,000 in the last.
        let size = live.max(CALLS);
        group.bench_function(BenchmarkId::new("floor", live), |bencher| {
            bencher
                .iter_custom(|calls| time(calls, size, |calls| calls.make_together(live, bare_later::<Box<Request>>)));
        });
        group.bench_function(BenchmarkId::new("traced", live), |bencher| {
            bencher.iter_custom(|calls| {
                time(calls, size, |calls| {
                    in_segment(&recorder, Sampled::Yes, || calls.make_together(live, traced_later::<Box<Request>>));
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
