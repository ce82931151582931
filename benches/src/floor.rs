//! The least that a call can cost: the work of each path, written by hand.
//!
//! The floor of a sampled call writes the same document into a buffer that is reused. It records no errors, knows one
//! thread and one segment at a time, and escapes no text.
#![expect(clippy::cast_possible_truncation, reason = "times and digits are small")]

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::sync::mpsc;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use xray::TRACE_HEADER_NAME;

use crate::client::{AtOnce, Ping, Request, Response};

const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
/// Where the id of the parent stands in the header.
const PARENT: usize = "Root=".len() + ROOT.len() + ";Parent=".len();

// Thread-locals, as the runtime needs one too: a call finds its segment without an argument.
thread_local! {
    static CURRENT: Cell<Option<Clock>> = const { Cell::new(None) };
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static RANDOM: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) };
}

/// The clock of a segment.
// The wall clock is read once for each segment, and the monotonic clock for each call, as in the runtime: a wall clock
// may be set back while a call runs.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start_micros: u64,
    started: Instant,
}

impl Clock {
    /// Starts the clock.
    ///
    /// # Panics
    ///
    /// Panics if the system's clock is before 1970.
    #[must_use]
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self { start_micros: since_epoch.as_micros() as u64, started: Instant::now() }
    }

    /// Returns the microseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.start_micros + self.started.elapsed().as_micros() as u64
    }
}

/// Returns the header of requests in an unsampled trace.
///
/// # Panics
///
/// Never: the value is valid.
#[must_use]
pub fn unsampled_header() -> HeaderValue {
    let value = HeaderValue::from_bytes(b"Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0").unwrap();
    // Like the runtime's own value, this one is shared: the first clone of a header value allocates, later ones do not.
    drop(value.clone());
    value
}

/// Writes a segment by hand, and hands the document over to another thread. `calls` makes its calls.
///
/// # Panics
///
/// Panics if the system's clock is before 1970.
pub fn segment_handed_over(reader: &Reader, calls: impl FnOnce()) {
    segment(calls);
    // An error means that the thread is gone, at the end of the benchmark.
    let _ = reader.0.send(BUFFER.take());
}

/// A thread that reads documents, as the system reads what a thread sends.
#[derive(Debug)]
pub struct Reader(mpsc::Sender<Vec<u8>>);

impl Reader {
    /// Starts the thread.
    #[must_use]
    pub fn start() -> Self {
        let (sender, documents) = mpsc::channel::<Vec<u8>>();
        let read = |document: Vec<u8>| black_box(document.iter().map(|byte| u64::from(*byte)).sum::<u64>());
        thread::spawn(move || documents.into_iter().map(read).for_each(drop));
        Self(sender)
    }
}

/// Writes a segment by hand. `calls` makes its calls.
///
/// # Panics
///
/// Panics if the system's clock is before 1970.
#[inline]
pub fn segment(calls: impl FnOnce()) {
    let clock = Clock::start();
    CURRENT.set(Some(clock));
    BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        begin_segment(buffer, &clock);
    });
    calls();
    CURRENT.set(None);
    BUFFER.with_borrow_mut(|buffer| {
        end_segment(buffer, &clock);
        black_box(&**buffer);
    });
}

/// Writes the part of a segment that stands before its calls.
#[inline]
pub fn begin_segment(buffer: &mut Vec<u8>, clock: &Clock) {
    buffer.extend_from_slice(b"{\"id\":\"");
    buffer.extend_from_slice(&hex(random()));
    buffer.extend_from_slice(b"\",\"trace_id\":\"");
    buffer.extend_from_slice(ROOT.as_bytes());
    buffer.extend_from_slice(b"\",\"name\":\"todo-app\",\"start_time\":");
    write_seconds(buffer, clock.start_micros);
    buffer.extend_from_slice(b",\"subsegments\":[");
}

/// Writes the part of a segment that stands after its calls.
#[inline]
pub fn end_segment(buffer: &mut Vec<u8>, clock: &Clock) {
    // The comma after the last call.
    buffer.pop();
    buffer.extend_from_slice(b"],\"end_time\":");
    write_seconds(buffer, clock.now());
    buffer.push(b'}');
}

/// Makes a call and writes its subsegment by hand.
// Inlined, like the generic functions that it is measured beside: those are compiled in the crate of the benchmark.
#[inline]
pub async fn call(mut request: Box<Request>) -> Response<Box<Request>> {
    let Some(clock) = CURRENT.get() else { return Ping::<_, AtOnce>::new(request).send().await };
    let id = new_id();
    if let Some(value) = header(&id) {
        request.headers_mut().insert(TRACE_HEADER_NAME, value);
    }
    // Cloned, because a client takes the request by value and a real one does not return it.
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let start = clock.now();
    let response = Ping::<_, AtOnce>::new(request).send().await;
    let end = clock.now();
    let url = [uri.scheme_str(), uri.host(), Some(uri.path())].map(Option::unwrap_or_default);
    BUFFER.with_borrow_mut(|buffer| {
        write_call(buffer, &id, method.as_str(), url, [start, end], response.status.as_u16());
    });
    response
}

/// Returns a new id of a subsegment.
#[inline]
#[must_use]
pub fn new_id() -> [u8; 16] {
    hex(random())
}

/// Returns the trace header of a sampled call with this id.
#[inline]
#[must_use]
pub fn header(id: &[u8; 16]) -> Option<HeaderValue> {
    let mut header = *b"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=................;Sampled=1";
    header[PARENT..PARENT + id.len()].copy_from_slice(id);
    HeaderValue::from_bytes(&header).ok()
}

/// Writes a call. The parts of the URL are scheme, host and path. The times are those of start and end, in
/// microseconds.
#[inline]
pub fn write_call(
    buffer: &mut Vec<u8>,
    id: &[u8; 16],
    method: &str,
    [scheme, host, path]: [&str; 3],
    [start, end]: [u64; 2],
    status: u16,
) {
    buffer.extend_from_slice(b"{\"id\":\"");
    buffer.extend_from_slice(id);
    buffer.extend_from_slice(b"\",\"name\":\"");
    buffer.extend_from_slice(host.as_bytes());
    buffer.extend_from_slice(b"\",\"namespace\":\"remote\",\"start_time\":");
    write_seconds(buffer, start);
    buffer.extend_from_slice(b",\"end_time\":");
    write_seconds(buffer, end);
    buffer.extend_from_slice(b",\"http\":{\"request\":{\"method\":\"");
    buffer.extend_from_slice(method.as_bytes());
    buffer.extend_from_slice(b"\",\"url\":\"");
    buffer.extend_from_slice(scheme.as_bytes());
    buffer.extend_from_slice(b"://");
    buffer.extend_from_slice(host.as_bytes());
    buffer.extend_from_slice(path.as_bytes());
    buffer.extend_from_slice(b"\"},\"response\":{\"status\":");
    write_decimal(buffer, status.into(), 1);
    buffer.extend_from_slice(b"}}},");
}

/// Returns the next number of a xorshift64 generator.
pub(crate) fn random() -> u64 {
    let mut random = RANDOM.get();
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    RANDOM.set(random);
    random
}

pub(crate) fn hex(value: u64) -> [u8; 16] {
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

/// Writes at least `width` digits, two at a time.
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

/// The digits of `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
};
