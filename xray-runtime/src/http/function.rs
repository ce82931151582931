//! An annotated function, watched for calls that nobody traces.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::live::context;
use crate::live::entity::{SegmentObserver, Trace};

/// No call was reached so far below a segment that is sampled.
const IDLE: u8 = 0;
/// Calls were reached, and none was of a type that is traced. The segment tells so where it ends.
const ONLY_UNKNOWN: u8 = 1;
/// A call was traced, or that none was is told already.
const SETTLED: u8 = 2;

/// An annotated function: a static in the macro's output.
///
/// A function none of whose calls is of a type that the runtime knows is told once, where a segment ends that is
/// sampled and in which it ran: most likely the feature of its client is off.
#[derive(Debug)]
pub(super) struct Function {
    name: &'static str,
    file: &'static str,
    line: u32,
    state: AtomicU8,
}

impl Function {
    /// Where it stands.
    #[must_use]
    pub(super) const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name, file, line, state: AtomicU8::new(IDLE) }
    }

    pub(super) fn file(&self) -> &'static str {
        self.file
    }

    #[inline]
    pub(super) fn note_unknown(&'static self) {
        if self.state.load(Ordering::Relaxed) == IDLE && context::is_set() {
            context::with_current_entity(|entity| self.note_unknown_below(entity.trace()));
        }
    }

    fn note_unknown_below(&'static self, trace: &Trace) {
        // Lost if another thread notes it, which is as well.
        if trace.is_sampled() && self.change(IDLE, ONLY_UNKNOWN) {
            trace.add_observer(self);
        }
    }

    fn change(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    #[inline]
    pub(super) fn note_traced(&self) {
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
                "no call in `{name}` at {file}:{line} was traced: none has a type that this build of xray knows; is the \
                 feature of its client on?",
            );
        }
    }
}
