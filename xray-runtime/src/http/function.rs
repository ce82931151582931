//! An annotated function, watched for calls of types that are not traced.

use std::sync::atomic::{AtomicU8, Ordering};

use once_cell::sync::OnceCell;

use crate::live::context;
use crate::live::entity::{SegmentObserver, Trace};
use crate::live::missing::{LoggedLines, MissingContext, Place};
use crate::recorder::{Recorder, clients_built_in};
use crate::support::log_line::log_line;

/// No call was reached in a sampled segment so far.
const IDLE: u8 = 0;
/// Calls were reached, and none of them was of a type that is traced. The end of the segment logs it.
const ONLY_UNKNOWN: u8 = 1;
/// A call was traced, or the warning is logged.
const SETTLED: u8 = 2;

/// An annotated function: a static in the macro's output.
///
/// If calls of the function are reached in a sampled segment, and none of them is of a type that is traced, the end of the
/// segment logs a warning, once per function. Most likely the feature of the function's client is off. Outside any segment
/// there is no end to wait for: there the first call of an unknown type is logged at once.
// The warning waits for the segment's end, because a call that is traced may come after one that is not.
#[derive(Debug)]
pub(super) struct Function {
    name: &'static str,
    file: &'static str,
    line: u32,
    state: AtomicU8,
    /// The first call of a type that is not traced.
    unknown: OnceCell<UnknownCall>,
    /// The lines of the calls that were made outside any segment and were logged.
    missing: LoggedLines,
}

/// A call of a type that is not traced.
#[derive(Debug, Clone, Copy)]
struct UnknownCall {
    line: u32,
    type_name: &'static str,
}

impl Function {
    /// Describes the function that is defined at this position.
    #[must_use]
    pub(super) const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        let (state, unknown, missing) = (AtomicU8::new(IDLE), OnceCell::new(), LoggedLines::new());
        Self { name, file, line, state, unknown, missing }
    }

    pub(super) fn file(&self) -> &'static str {
        self.file
    }

    /// Notes a call on this line of a type that is not traced.
    #[inline]
    pub(super) fn note_unknown(&'static self, line: u32, type_name: &'static str) {
        if self.state.load(Ordering::Relaxed) == IDLE {
            self.note_first_unknown(UnknownCall { line, type_name });
        }
    }

    #[cold]
    fn note_first_unknown(&'static self, call: UnknownCall) {
        let is_in_segment = context::with_current_entity(|entity| self.note_unknown_below(entity.trace(), call));
        if is_in_segment.is_none() && self.change(IDLE, SETTLED) {
            self.log_unknown_outside(call);
        }
    }

    fn note_unknown_below(&'static self, trace: &Trace, call: UnknownCall) {
        // Of several threads that get here one changes the state, and one segment is enough to log the warning.
        if trace.is_sampled() && self.change(IDLE, ONLY_UNKNOWN) {
            let _ = self.unknown.set(call);
            trace.add_observer(self);
        }
    }

    fn log_unknown_outside(&self, UnknownCall { line, type_name }: UnknownCall) {
        // With tracing switched off nothing is recorded anyway.
        if !Recorder::is_global_off() {
            let Self { name, file, .. } = self;
            log_line!(
                Warn,
                "xray::http",
                "a call in `{name}` at {file}:{line} is not traced: it is made on a `{type_name}`. {} (logged once per \
                 function)",
                unknown_type(),
            );
        }
    }

    /// Notes a call on this line that is made where no segment is current. Returns what is to be logged, the first time.
    #[inline]
    pub(super) fn note_missing(&self, line: u32) -> Option<MissingContext> {
        let offset = line.wrapping_sub(self.line);
        if self.missing.contains(offset) { None } else { self.note_first_missing(line, offset) }
    }

    #[cold]
    fn note_first_missing(&self, line: u32, offset: u32) -> Option<MissingContext> {
        let place = Place { function: self.name, file: self.file, line };
        self.missing.insert(offset).then(|| MissingContext::at(place))
    }

    fn change(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Notes a call that is traced.
    #[inline]
    pub(super) fn note_traced(&self) {
        // A load first: after the first call all threads only read, and the cache line stays shared.
        if self.state.load(Ordering::Relaxed) != SETTLED {
            self.state.store(SETTLED, Ordering::Relaxed);
        }
    }
}

impl SegmentObserver for Function {
    #[cold]
    fn segment_ended(&self) {
        if self.change(ONLY_UNKNOWN, SETTLED) {
            let Self { name, file, line, .. } = self;
            let UnknownCall { line: call, type_name } =
                self.unknown.get().copied().unwrap_or(UnknownCall { line: *line, type_name: "?" });
            log_line!(
                Warn,
                "xray::http",
                "no HTTP call was traced in `{name}` at {file}:{line}: the call in line {call} is made on a `{type_name}`. {} \
                 (logged once per function)",
                unknown_type(),
            );
        }
    }
}

/// Returns why a type may be unknown, and how to be sure.
fn unknown_type() -> String {
    format!(
        "This build of xray does not know that type. Likely reasons: the client is behind a wrapper of another type, the \
         client's feature of xray-sdk is off (built in: {}), or the client has another major version. \
         `#[xray::traced_http(strict)]` makes each such call a compile error, and `#[xray(skip)]` marks one that is no HTTP \
         call",
        clients_built_in(),
    )
}
