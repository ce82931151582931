//! An annotated function, watched for calls of types that are not traced.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::live::context;
use crate::live::entity::{SegmentObserver, Trace};

/// No call was reached in a sampled segment so far.
const IDLE: u8 = 0;
/// Calls were reached, and none of them was of a type that is traced. The end of the segment logs it.
const ONLY_UNKNOWN: u8 = 1;
/// A call was traced, or the warning is logged.
const SETTLED: u8 = 2;

/// An annotated function: a static in the macro's output.
///
/// If calls of the function are reached in a sampled segment, and none of them is of a type that is traced, the end of the
/// segment logs a warning, once per function. Most likely the feature of the function's client is off.
// The warning waits for the segment's end, because a call that is traced may come after one that is not.
#[derive(Debug)]
pub(super) struct Function {
    name: &'static str,
    file: &'static str,
    line: u32,
    state: AtomicU8,
}

impl Function {
    /// Describes the function that is defined at this position.
    #[must_use]
    pub(super) const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name, file, line, state: AtomicU8::new(IDLE) }
    }

    pub(super) fn file(&self) -> &'static str {
        self.file
    }

    /// Notes a call of a type that is not traced.
    #[inline]
    pub(super) fn note_unknown(&'static self) {
        if self.state.load(Ordering::Relaxed) == IDLE && context::is_set() {
            context::with_current_entity(|entity| self.note_unknown_below(entity.trace()));
        }
    }

    fn note_unknown_below(&'static self, trace: &Trace) {
        // Of several threads that get here one changes the state, and one segment is enough to log the warning.
        if trace.is_sampled() && self.change(IDLE, ONLY_UNKNOWN) {
            trace.add_observer(self);
        }
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
            log::warn!(
                target: "xray::http",
                "no HTTP call was traced in `{name}` at {file}:{line}: this build of xray knows none of the types that its \
                 calls are made on. Turn on the feature of the HTTP client in xray-sdk (logged once per function)",
            );
        }
    }
}
