//! Log lines about calls and subsegments that are not recorded because no segment is current: each with its place and
//! the remedy.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::document::url::Url;
use crate::live::context::{self, Context};
use crate::live::entity::Entity;
use crate::recorder::{ContextMissing, Recorder};
use crate::support::log_line::{LoggedOnce, log_line};

/// How many places are logged in a process. The log must not grow with the program.
const MAX_PLACES: usize = 50;

/// The number of places that were logged.
static LOGGED: AtomicUsize = AtomicUsize::new(0);

/// A place in the source where a call is made or a subsegment begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourcePlace {
    /// The name of the function; empty if it is not known.
    pub(crate) function: &'static str,
    /// The source file; empty if it is not known.
    pub(crate) file: &'static str,
    pub(crate) line: u32,
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, file, line } = self;
        if !function.is_empty() {
            write!(formatter, " in `{function}`")?;
        }
        if file.is_empty() { Ok(()) } else { write!(formatter, " at {file}:{line}") }
    }
}

/// The lines of one function whose calls were logged.
//
// Two sets of 64 bits, one bit for each line of the function. From the second time on, a call outside any segment costs
// only the loads of these bits. In a function of more than 64 lines, two lines may share a bit, and then only one of
// them is logged.
//
// A line is logged again after the first segment of the process has begun. A program often makes its first calls at its
// start, which no segment covers, and the remedy for the same call in a spawned task is another one.
#[derive(Debug)]
pub(crate) struct LoggedLines {
    before_segments: AtomicU64,
    since_then: AtomicU64,
}

impl LoggedLines {
    pub(crate) const fn new() -> Self {
        Self { before_segments: AtomicU64::new(0), since_then: AtomicU64::new(0) }
    }

    /// Returns whether the line, counted from the function's first line, is in the set.
    #[inline]
    pub(crate) fn contains(&self, line: u32) -> bool {
        let has = |lines: &AtomicU64| lines.load(Ordering::Relaxed) & bit(line) != 0;
        has(&self.since_then) || has(&self.before_segments) && !Entity::has_any_begun()
    }

    /// Adds the line. Returns `false` if it was in the set.
    pub(crate) fn insert(&self, line: u32) -> bool {
        let lines = if Entity::has_any_begun() { &self.since_then } else { &self.before_segments };
        lines.fetch_or(bit(line), Ordering::Relaxed) & bit(line) == 0
    }
}

fn bit(line: u32) -> u64 {
    1 << (line % 64)
}

/// Logs a call that is not recorded.
#[cold]
pub(crate) fn log_call(method: &str, url: &Url<'_>, place: SourcePlace) {
    log(&format!("{method} {}", url.host().unwrap_or_default()), place);
}

/// Logs an operation of the AWS SDK that is not recorded.
#[cfg(feature = "aws-sdk")]
#[cold]
pub(crate) fn log_aws_operation(place: SourcePlace) {
    log("an operation of the AWS SDK", place);
}

/// Logs a subsegment of this name that does not begin.
#[cold]
pub(crate) fn log_subsegment(name: &str, place: SourcePlace) {
    log(&format!("subsegment `{name}`"), place);
}

/// Logs a call that is begun by hand, once for each place; see [`LoggedLines`].
#[cold]
pub(crate) fn log_call_by_hand(place: &'static Location<'static>, method: &str, url: &Url<'_>) {
    if let Some(place) = first_at(place) {
        log_call(method, url, place);
    }
}

/// Logs a subsegment that is begun by hand, once for each place.
#[cold]
pub(crate) fn log_subsegment_by_hand(place: &'static Location<'static>, name: &str) {
    if let Some(place) = first_at(place) {
        log_subsegment(name, place);
    }
}

/// Returns the place of a call or subsegment that is begun by hand. Returns `None` if it has returned that place
/// before. After the first segment of the process has begun, it returns a place once more.
fn first_at(place: &'static Location<'static>) -> Option<SourcePlace> {
    static PLACES: [AtomicUsize; MAX_PLACES] = [const { AtomicUsize::new(0) }; MAX_PLACES];
    // The `Location` of a place has one address for the life of the process, and the address identifies the place. It
    // is a multiple of the alignment, so the lowest bit is free. `compare_exchange` takes the first free slot. At a
    // slot that is taken it fails, and returns the value in the slot.
    let key = std::ptr::from_ref(place).addr() | usize::from(Entity::has_any_begun());
    let is_new = |slot: &AtomicUsize| match slot.compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => Some(true),
        Err(taken) => (taken == key).then_some(false),
    };
    let is_first = PLACES.iter().find_map(is_new) == Some(true);
    is_first.then(|| SourcePlace { function: "", file: place.file(), line: place.line() })
}

/// Logs, once per process, that a segment begins in Lambda outside any invocation.
pub(crate) fn log_invocation(name: &str) {
    static INVOCATION: LoggedOnce = LoggedOnce::new();
    if INVOCATION.is_first() && is_logged() {
        log_line!(
            Error,
            "xray::context",
            "segment `{name}` was not recorded: no invocation of the Lambda function is current here. Add \
             `xray::lambda::TraceLayer` to the runtime, set the function's tracing mode to active, and carry the trace into \
             spawned tasks with `.in_current_trace()` (logged once)",
        );
    }
}

fn is_logged() -> bool {
    let recorder = Recorder::global();
    recorder.is_enabled() && recorder.context_missing() == ContextMissing::LogError
}

fn log(call: &str, place: SourcePlace) {
    if !is_logged() || LOGGED.fetch_add(1, Ordering::Relaxed) >= MAX_PLACES {
        return;
    }
    log_line!(
        Error,
        "xray::context",
        "{call}{place} was not recorded: no segment is open here. {} (logged once for each place, up to {MAX_PLACES} lines)",
        remedy(),
    );
}

/// Returns the most likely remedy. The choice depends on the segments that have begun in this process.
fn remedy() -> &'static str {
    if Recorder::global().is_in_lambda() {
        return "In Lambda, set the function's tracing mode to active, add `xray::lambda::TraceLayer` to the runtime, and carry \
                the trace into spawned tasks with `.in_current_trace()`";
    }
    if !Entity::has_any_begun() {
        return "No segment has begun in this process yet. For the calls of a service, add a layer (`xray::tower::SegmentLayer`); for \
                other work, open a segment with `.in_segment(\"name\")` on its future or \
                `Segment::builder(\"name\").begin().in_scope(|| ..)`";
    }
    if !Context::has_any_been_current() {
        return "A segment has begun, but was not made current: run the work with `segment.in_scope(|| ..)`, or put \
                `.in_segment(segment)` on its future";
    }
    if context::is_set() {
        return "Put the work in a segment, with `.in_segment(\"name\")` on a future or `segment.in_scope(|| ..)`";
    }
    "Segments are open elsewhere in this process. If this code runs in a spawned task or on another thread, carry the trace \
     along where the task is spawned: put `.in_current_trace()` on its future (`use xray::Instrument as _`), or wrap its \
     closure in `xray::in_current_trace(..)`. If a segment has begun here, make it current with `.in_scope(..)` or \
     `.in_segment(segment)`. For work outside any request, open a segment with `.in_segment(\"name\")`"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_in_the_set_once_it_was_inserted() {
        // Lines are named again after the first segment of the process, which another test may begin.
        crate::testing::begin_the_first_segment();
        let lines = LoggedLines::new();
        assert!(!lines.contains(3) && lines.insert(3) && lines.contains(3) && !lines.insert(3));
        assert!(!lines.contains(4) && lines.contains(67), "a line 64 further shares the bit");
    }

    #[test]
    fn a_place_is_named_as_far_as_it_is_known() {
        let place = |function, file| SourcePlace { function, file, line: 7 }.to_string();
        assert_eq!(place("get", "src/main.rs"), " in `get` at src/main.rs:7");
        assert_eq!((place("", "src/main.rs"), place("get", "")), (" at src/main.rs:7".into(), " in `get`".into()));
    }
}
