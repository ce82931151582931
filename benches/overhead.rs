//! What a traced call costs the thread that makes it.
//!
//! `cargo bench --bench overhead`, or with a part of a row's name behind `--`. Rows are to be compared within one
//! run: each has its floor beside it, the same work without the runtime. A time is that of one call, from the
//! median segment of 100. Requests are made ready outside of what is measured and dropped there, so no row has
//! that in it; they have room for a header more. The client answers at once and does nothing else.
//!
//! * `untraced`: a call without a context, and with a disabled recorder, beside the client's own call. The request
//!   is behind a pointer; `untraced_224_bytes` moves it as it is, at every step from the caller to the client.
//! * `unsampled`: beside the client's own call and one `HeaderMap::insert` of a ready value.
//! * `sampled`: a segment with 100 calls in turn, divided by 100, beside a floor that writes the same document by
//!   hand. `traced` drops the document where it ends, `handed_over` on another thread, whose work on the same
//!   memory slows this one.
//! * `live`: so many calls under way at once, beside the same calls untraced.
//! * `threads`: so many threads with segments of their own, sampled; with more threads than cores a thread that
//!   waits is not measured.
//!
//! Two cores under KVM on which far more ran besides (a load of 50), so that of the times only the ratios within one
//! run say something, and those of rows that use much memory (`live/10000`) little; rustc 1.95.0, `bench` profile, the
//! median of two runs. Instructions are those of valgrind's callgrind, for one call of the same rows, their floor's
//! taken off; they do not depend on the load, and hide what waits: for memory, for an atomic operation, for a word that
//! is read in another width than it was written in.
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
//! Where a sampled call's instructions go: to `malloc` and `free` 1,250 for four allocations (1 in the floor), of which
//! the last `free` is slow since a segment's hundred calls are dropped at once; to copies of the document into its
//! segment and of that list as it grows 250; to the header's look-up and insertion 450, as in the floor; to the host, the
//! name and the URL 600; to two readings of the clock 360, as in the floor.
#![expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "counts, times and digits are small")]

use std::borrow::BorrowMut;
use std::future::{self, Ready};
use std::hint::black_box;
use std::marker::PhantomData;
use std::mem;
use std::ops::DerefMut;
use std::pin::{Pin, pin};
use std::sync::{Barrier, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use xray::emitter::Emitter;
use xray::http::{Call, CallParent, CallSite, DeferredCall, Sent, Traceable, methods};
use xray::{Document, Recorder, Sampled, Segment, TRACE_HEADER_NAME, TraceHeader};

/// Calls in one segment; times are for one of them.
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
    // As the runtime's own value: one that can be shared, which it becomes at its first clone.
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

/// Calls that are all under way before the first is answered.
fn live_calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("live");
    let recorder = Recorder::builder().sampler(xray::sampling::Always).emitter(DropHere).build();
    for live in [1, 100, 10_000] {
        // A segment's own cost is the same part of all rows but the last, where it is nothing.
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

/// Threads with a segment each, of one recorder.
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

/// How long `calls` calls take in segments of `size`. Requests are made ready, and dropped, outside of that.
///
/// The median segment stands for all, so that what else runs on the machine counts little.
fn time<R: Held>(calls: u64, size: usize, mut segment: impl FnMut(&mut Calls<R>)) -> Duration {
    let mut requests = Calls { waiting: Vec::new(), answered: (0..size).map(|_| R::from(request())).collect() };
    requests.waiting.reserve(size);
    let mut passed: Vec<_> = (0..calls.div_ceil(size as u64))
        .map(|_| {
            requests.make_ready();
            let started = Instant::now();
            segment(&mut requests);
            started.elapsed()
        })
        .collect();
    let middle = passed.len() / 2;
    let (_, median, _) = passed.select_nth_unstable(middle);
    median.mul_f64(calls as f64 / size as f64)
}

/// Requests of calls to be made, and of those that were made.
struct Calls<R> {
    waiting: Vec<R>,
    answered: Vec<R>,
}

impl<R: Held> Calls<R> {
    /// Makes the calls one after the other.
    fn make<F: Future<Output = Answer<R>>>(&mut self, call: impl Fn(R) -> F) {
        while let Some(request) = self.waiting.pop() {
            let answer = black_box(finish(pin!(call(request))));
            self.answered.push(answer.request);
        }
    }

    /// Makes the calls, so many at a time.
    fn make_together<F: Future<Output = Answer<R>>>(&mut self, live: usize, call: impl Fn(R) -> F) {
        let mut task = Context::from_waker(Waker::noop());
        while !self.waiting.is_empty() {
            let requests = self.waiting.drain(self.waiting.len() - live..);
            let mut calls: Vec<_> = requests.map(|request| Box::pin(call(request))).collect();
            for call in &mut calls {
                assert!(call.as_mut().poll(&mut task).is_pending());
            }
            self.answered.extend(calls.into_iter().map(|call| finish(call).request));
        }
    }

    fn make_ready(&mut self) {
        self.waiting.extend(self.answered.drain(..).map(|mut request| {
            request.borrow_mut().headers_mut().remove(TRACE_HEADER_NAME);
            request
        }));
    }
}

/// The result of a future that is ready at this poll.
fn finish<F: Future>(mut future: Pin<impl DerefMut<Target = F>>) -> F::Output {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the answer is there"),
    }
}

fn traced_in_segment(recorder: &Recorder, sampled: Sampled, calls: &mut Calls<Box<Request>>) {
    in_segment(recorder, sampled, || calls.make(traced));
}

fn in_segment(recorder: &Recorder, sampled: Sampled, run: impl FnOnce()) {
    let mut header = TraceHeader::default();
    header.sampled = Some(sampled);
    let segment = Segment::builder("todo-app").recorder(recorder).trace_header(&header).begin();
    segment.in_scope(run);
}

async fn bare<R: Held>(request: R) -> Answer<R> {
    Ping::<R, AtOnce>::new(request).send().await
}

#[xray::traced_http]
async fn traced<R: Held>(request: R) -> Answer<R> {
    Ping::<R, AtOnce>::new(request).send().await
}

async fn bare_later(request: Box<Request>) -> Answer<Box<Request>> {
    Ping::<_, Later>::new(request).send().await
}

#[xray::traced_http]
async fn traced_later(request: Box<Request>) -> Answer<Box<Request>> {
    Ping::<_, Later>::new(request).send().await
}

type Request = http::Request<()>;

/// A request with room for a header more.
fn request() -> Request {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert("accept", HeaderValue::from_static("*/*"));
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from_static("https://names.example.com/todos/1?token=secret");
    *request.headers_mut() = headers;
    request
}

/// A request, here or behind a pointer.
trait Held: BorrowMut<Request> + From<Request> {}

impl<R: BorrowMut<Request> + From<Request>> Held for R {}

/// A call of a client that does nothing but answer.
struct Ping<R, C>(R, PhantomData<C>);

struct Answer<R> {
    status: StatusCode,
    request: R,
}

impl<R, C: Client<R>> Ping<R, C> {
    fn new(request: R) -> Self {
        Self(request, PhantomData)
    }

    fn send(self) -> C::Future {
        C::answer(Answer { status: StatusCode::OK, request: self.0 })
    }
}

/// When the answer comes.
trait Client<R> {
    type Future: Future<Output = Answer<R>>;

    fn answer(answer: Answer<R>) -> Self::Future;
}

struct AtOnce;

impl<R> Client<R> for AtOnce {
    type Future = Ready<Answer<R>>;

    fn answer(answer: Answer<R>) -> Self::Future {
        future::ready(answer)
    }
}

/// At the second poll.
struct Later;

impl<R: Unpin> Client<R> for Later {
    type Future = Pending<R>;

    fn answer(answer: Answer<R>) -> Self::Future {
        Pending { answer: Some(answer), was_polled: false }
    }
}

struct Pending<R> {
    answer: Option<Answer<R>>,
    was_polled: bool,
}

impl<R: Unpin> Future for Pending<R> {
    type Output = Answer<R>;

    fn poll(mut self: Pin<&mut Self>, _task: &mut Context<'_>) -> Poll<Answer<R>> {
        if !mem::replace(&mut self.was_polled, true) {
            return Poll::Pending;
        }
        self.answer.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<R: Held, C: Client<R>> Traceable<methods::send> for Ping<R, C> {
    type Traced = TracedPing<R, C>;

    fn traced(self, site: CallSite) -> Self::Traced {
        TracedPing(self, site)
    }
}

struct TracedPing<R, C>(Ping<R, C>, CallSite);

impl<R: Held, C: Client<R>> TracedPing<R, C> {
    fn send(self) -> impl Future<Output = Answer<R>> {
        let Self(ping, site) = self;
        DeferredCall::new(site, move |parent| start(ping, parent), read)
    }
}

fn start<R: Held, C: Client<R>>(mut ping: Ping<R, C>, parent: Option<CallParent>) -> Sent<C::Future> {
    let Some(parent) = parent else { return Sent::new(ping.send(), None) };
    let request = ping.0.borrow_mut();
    let begun = parent.begin(request.method().as_str(), request.uri());
    let call = begun.insert_into(request.headers_mut());
    Sent::new(ping.send(), call)
}

fn read<R>(answer: &Answer<R>, call: &mut Call) {
    call.response(answer.status.as_u16(), None);
}

/// Drops documents on the thread that hands them over.
struct DropHere;

impl Emitter for DropHere {
    fn emit(&self, document: Document) {
        drop(document);
    }
}

/// Drops documents on a thread of its own.
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
        let _ = self.0.send(document);
    }
}

/// The least that a sampled call can cost: the same document, written by hand into a buffer that is kept.
mod floor {
    use std::cell::{Cell, RefCell};
    use std::hint::black_box;
    use std::time::{Instant, SystemTime, UNIX_EPOCH};

    use http::HeaderValue;
    use xray::TRACE_HEADER_NAME;

    use super::{Answer, AtOnce, Ping, Request, bare};

    const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
    const PARENT: usize = "Root=".len() + ROOT.len() + ";Parent=".len();

    thread_local! {
        static CURRENT: Cell<Option<Clock>> = const { Cell::new(None) };
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        static RANDOM: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) };
    }

    #[derive(Clone, Copy)]
    struct Clock {
        start_micros: u64,
        started: Instant,
    }

    impl Clock {
        fn start() -> Self {
            let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            Self { start_micros: since_epoch.as_micros() as u64, started: Instant::now() }
        }

        fn now(&self) -> u64 {
            self.start_micros + self.started.elapsed().as_micros() as u64
        }
    }

    pub(super) fn segment(calls: impl FnOnce()) {
        let clock = Clock::start();
        CURRENT.set(Some(clock));
        BUFFER.with_borrow_mut(|buffer| {
            buffer.clear();
            buffer.extend_from_slice(b"{\"id\":\"");
            buffer.extend_from_slice(&hex(random()));
            buffer.extend_from_slice(b"\",\"trace_id\":\"");
            buffer.extend_from_slice(ROOT.as_bytes());
            buffer.extend_from_slice(b"\",\"name\":\"todo-app\",\"start_time\":");
            write_seconds(buffer, clock.start_micros);
            buffer.extend_from_slice(b",\"subsegments\":[");
        });
        calls();
        CURRENT.set(None);
        BUFFER.with_borrow_mut(|buffer| {
            buffer.pop();
            buffer.extend_from_slice(b"],\"end_time\":");
            write_seconds(buffer, clock.now());
            buffer.push(b'}');
            black_box(&**buffer);
        });
    }

    pub(super) async fn call(mut request: Box<Request>) -> Answer<Box<Request>> {
        let Some(clock) = CURRENT.get() else { return bare(request).await };
        let id = hex(random());
        let mut header = *b"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=................;Sampled=1";
        header[PARENT..PARENT + id.len()].copy_from_slice(&id);
        request.headers_mut().insert(TRACE_HEADER_NAME, HeaderValue::from_bytes(&header).unwrap());
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let start = clock.now();
        let answer = Ping::<_, AtOnce>::new(request).send().await;
        let end = clock.now();
        let host = uri.host().unwrap_or_default();
        BUFFER.with_borrow_mut(|buffer| {
            buffer.extend_from_slice(b"{\"id\":\"");
            buffer.extend_from_slice(&id);
            buffer.extend_from_slice(b"\",\"name\":\"");
            buffer.extend_from_slice(host.as_bytes());
            buffer.extend_from_slice(b"\",\"namespace\":\"remote\",\"start_time\":");
            write_seconds(buffer, start);
            buffer.extend_from_slice(b",\"end_time\":");
            write_seconds(buffer, end);
            buffer.extend_from_slice(b",\"http\":{\"request\":{\"method\":\"");
            buffer.extend_from_slice(method.as_str().as_bytes());
            buffer.extend_from_slice(b"\",\"url\":\"");
            buffer.extend_from_slice(uri.scheme_str().unwrap_or_default().as_bytes());
            buffer.extend_from_slice(b"://");
            buffer.extend_from_slice(host.as_bytes());
            buffer.extend_from_slice(uri.path().as_bytes());
            buffer.extend_from_slice(b"\"},\"response\":{\"status\":");
            write_decimal(buffer, answer.status.as_u16().into(), 1);
            buffer.extend_from_slice(b"}}},");
        });
        answer
    }

    /// xorshift64.
    fn random() -> u64 {
        let mut random = RANDOM.get();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        RANDOM.set(random);
        random
    }

    fn hex(value: u64) -> [u8; 16] {
        let mut digits = [0; 16];
        for (index, digit) in digits.iter_mut().rev().enumerate() {
            *digit = b"0123456789abcdef"[(value >> (4 * index) & 0xf) as usize];
        }
        digits
    }

    fn write_seconds(buffer: &mut Vec<u8>, micros: u64) {
        write_decimal(buffer, micros / 1_000_000, 1);
        buffer.push(b'.');
        write_decimal(buffer, micros % 1_000_000, 6);
    }

    /// At least `width` digits, two at a time.
    fn write_decimal(buffer: &mut Vec<u8>, mut value: u64, width: usize) {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        while value >= 10 {
            start -= 2;
            digits[start..start + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
            value /= 100;
        }
        if value > 0 {
            start -= 1;
            digits[start] += value as u8;
        }
        buffer.extend_from_slice(&digits[start.min(digits.len() - width)..]);
    }

    /// `00` to `99`.
    const PAIRS: [[u8; 2]; 100] = {
        let mut pairs = [[b'0'; 2]; 100];
        let mut value = 0;
        while value < 100 {
            pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
            value += 1;
        }
        pairs
    };
}
