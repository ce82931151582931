//! The least that a traced call must do, written by hand: what anybody would write who needs what the runtime promises.
//!
//! Unlike the floor, a call here finds its trace in a thread-local and keeps a reference to it, because its future may
//! be polled elsewhere. Unlike the runtime, it knows one client, has no rules, and reads no place, no response header
//! and no secret in a URL.
#![expect(clippy::cast_possible_truncation, reason = "times and lengths are small")]

use std::cell::RefCell;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use http::header::Entry;
use http::{HeaderName, HeaderValue, Request, Uri};
use pin_project_lite::pin_project;
use xray::TRACE_HEADER_NAME;

use crate::client::{AtOnce, Held, Ping, Response};
use crate::floor::{self, Clock};

static HEADER_NAME: HeaderName = HeaderName::from_static("x-amzn-trace-id");

thread_local! {
    static UNSAMPLED: RefCell<Option<Arc<UnsampledTrace>>> = const { RefCell::new(None) };
    static SAMPLED: RefCell<Option<Arc<SampledTrace>>> = const { RefCell::new(None) };
}

/// Makes a call that finds its trace in a thread-local, keeps a reference to it while the header is inserted, and is
/// sent at once. Outside any trace it looks for a trace again at the first poll, and is sent then. This is the least
/// that a traced call does outside a segment and in an unsampled trace.
pub async fn unrecorded<R: Held>(mut request: R) -> Response<R> {
    let mut send = Some(move |trace: Option<Arc<UnsampledTrace>>| {
        if let Some(trace) = trace {
            request.borrow_mut().headers_mut().insert(TRACE_HEADER_NAME, trace.header.clone());
        }
        Ping::<R, AtOnce>::new(request).send()
    });
    match current_trace().and_then(|trace| Some(send_in_trace(send.take()?, trace))) {
        Some(future) => SentAtFirstPoll::Sent { future },
        None => SentAtFirstPoll::Waiting { send },
    }
    .await
}

fn current_trace() -> Option<Arc<UnsampledTrace>> {
    UNSAMPLED.with_borrow(Option::clone)
}

// Not inlined, as in the runtime.
#[inline(never)]
fn send_in_trace<F>(send: impl FnOnce(Option<Arc<UnsampledTrace>>) -> F, trace: Arc<UnsampledTrace>) -> F {
    send(Some(trace))
}

pin_project! {
    #[project = SentAtFirstPollProjection]
    enum SentAtFirstPoll<S, F> {
        Waiting { send: Option<S> },
        Sent { #[pin] future: F },
    }
}

impl<S: FnOnce(Option<Arc<UnsampledTrace>>) -> F, F: Future> Future for SentAtFirstPoll<S, F> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        if let SentAtFirstPollProjection::Waiting { send } = self.as_mut().project() {
            let trace = current_trace();
            let Some(send) = send.take() else { return Poll::Pending };
            match trace {
                Some(trace) => self.set(Self::Sent { future: send_in_trace(send, trace) }),
                None => self.set(Self::Sent { future: send(None) }),
            }
        }
        match self.project() {
            SentAtFirstPollProjection::Sent { future } => future.poll(task),
            SentAtFirstPollProjection::Waiting { .. } => Poll::Pending,
        }
    }
}

/// Runs a closure in an unsampled trace, for [`unrecorded`].
pub fn in_unsampled_trace(run: impl FnOnce()) {
    UNSAMPLED.set(Some(Arc::new(UnsampledTrace { header: floor::unsampled_header() })));
    run();
    UNSAMPLED.set(None);
}

#[derive(Debug)]
struct UnsampledTrace {
    header: HeaderValue,
}

/// A segment whose calls are recorded.
#[derive(Debug)]
struct SampledTrace {
    clock: Clock,
    /// The ids of the calls in flight, by which a second mechanism would see that a request is recorded already.
    open: [AtomicU64; 4],
    ended: Mutex<Records>,
}

/// The records of ended calls. A record stays in its box, so that only the pointer moves.
type Records = Vec<Box<Record>>;

/// The record of a call: the fields of the runtime's record that a call without an error uses.
#[derive(Debug)]
#[expect(dead_code, reason = "nobody sends the records")]
struct Record {
    id: u64,
    start: u64,
    end: u64,
    url: String,
    /// Start and end of the host in `url`.
    host: [u16; 2],
    method: &'static str,
    status: u16,
    is_pending: bool,
    details: Option<Box<[u64; 16]>>,
}

/// Runs a closure in a segment for [`recorded`], and drops the segment with its records.
///
/// # Panics
///
/// Panics if the system's clock is before 1970.
pub fn in_segment(run: impl FnOnce()) {
    let trace = SampledTrace { clock: Clock::start(), open: Default::default(), ended: Mutex::default() };
    SAMPLED.set(Some(Arc::new(trace)));
    run();
    drop(black_box(SAMPLED.take()));
}

/// Makes a call that is recorded in its segment, and is sent at once. Its record is a box that the segment gets at the
/// end. A panic of the client ends the record, and so does a drop of the future.
///
/// # Panics
///
/// Panics outside [`in_segment`], and if the client panics.
#[inline]
pub async fn recorded(mut request: Box<Request<()>>) -> Response<Box<Request<()>>> {
    let trace = SAMPLED.with_borrow(Option::clone).expect("a segment is open");
    let call = begin(trace, &mut request);
    let future = Ping::<_, AtOnce>::new(request).send();
    Recorded { future, call: Some(call) }.await
}

// Not inlined, as in the runtime.
#[inline(never)]
fn begin(trace: Arc<SampledTrace>, request: &mut Request<()>) -> Call {
    let id = floor::random();
    let claim = |slot: &AtomicU64| {
        slot.load(Ordering::Relaxed) == 0 && slot.compare_exchange(0, id, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    };
    trace.open.iter().any(claim);
    let (url, host) = recorded_url(request.uri());
    let method = if request.method() == http::Method::GET { "GET" } else { "" };
    let record = Record { id, start: 0, end: 0, url, host, method, status: 0, is_pending: true, details: None };
    let call = Call { trace, record: Some(Box::new(record)) };
    if let Some(value) = floor::header(&floor::hex(id)) {
        match request.headers_mut().entry(&HEADER_NAME) {
            Entry::Occupied(mut entry) => drop(entry.insert(value)),
            Entry::Vacant(entry) => drop(entry.insert(value)),
        }
    }
    call
}

/// Returns scheme, host and path of a URL, and the place of the host among them.
fn recorded_url(uri: &Uri) -> (String, [u16; 2]) {
    let [scheme, host] = [uri.scheme_str(), uri.host()].map(Option::unwrap_or_default);
    let start = scheme.len() as u16 + 3;
    ([scheme, "://", host, uri.path()].concat(), [start, start + host.len() as u16])
}

/// A call in flight.
struct Call {
    trace: Arc<SampledTrace>,
    /// `None` after the end.
    record: Option<Box<Record>>,
}

impl Drop for Call {
    fn drop(&mut self) {
        let Some(mut record) = self.record.take() else { return };
        if let Some(slot) = self.trace.open.iter().find(|slot| slot.load(Ordering::Relaxed) == record.id) {
            slot.store(0, Ordering::Relaxed);
        }
        record.end = self.trace.clock.now();
        self.trace.ended.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }
}

pin_project! {
    /// The future of a recorded call.
    struct Recorded<F> {
        #[pin]
        future: F,
        call: Option<Call>,
    }
}

impl<R, F: Future<Output = Response<R>>> Future for Recorded<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(call) = this.call else { return Poll::Pending };
        let Some(record) = &mut call.record else { return Poll::Pending };
        if record.is_pending {
            record.is_pending = false;
            record.start = call.trace.clock.now();
        }
        let polled = catch_unwind(AssertUnwindSafe(|| this.future.poll(task)));
        let response = ready!(polled.unwrap_or_else(|panic| resume_unwind(panic)));
        record.status = response.status.as_u16();
        *this.call = None;
        Poll::Ready(response)
    }
}
