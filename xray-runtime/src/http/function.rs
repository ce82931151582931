//! An annotated function, watched for calls that nobody traces.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::context;

/// No call was reached so far.
const IDLE: u8 = 0;
/// Calls were reached, and none was of a type that is traced.
const ONLY_UNKNOWN: u8 = 1;
/// A call was traced, or that none was is told already.
const SETTLED: u8 = 2;

/// An annotated function: a static in the macro's output.
///
/// A function none of whose calls is of a type that the runtime knows is told once, if it runs below a segment
/// that is sampled: most likely the feature of its client is off.
#[derive(Debug)]
pub struct Function {
    name: &'static str,
    file: &'static str,
    line: u32,
    state: AtomicU8,
}

impl Function {
    /// Where it stands.
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name, file, line, state: AtomicU8::new(IDLE) }
    }

    pub(super) fn file(&self) -> &'static str {
        self.file
    }

    #[inline]
    pub(super) const fn run(&'static self) -> Run {
        Run(self)
    }

    pub(super) fn note_unknown(&self) {
        if self.state.load(Ordering::Relaxed) == IDLE {
            // Lost if another thread settles it, which is as well.
            let _ = self.state.compare_exchange(IDLE, ONLY_UNKNOWN, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(super) fn note_traced(&self) {
        if self.state.load(Ordering::Relaxed) != SETTLED {
            self.state.store(SETTLED, Ordering::Relaxed);
        }
    }

    #[cold]
    fn tell(&self) {
        if context::current().is_sampled() && self.state.swap(SETTLED, Ordering::Relaxed) == ONLY_UNKNOWN {
            let Self { name, file, line, .. } = self;
            log::warn!(
                target: "xray::http",
                "no call in `{name}` at {file}:{line} was traced: none has a type that this build of xray knows; is the \
                 feature of its client on?",
            );
        }
    }
}

/// One run of an annotated function, from its head to its end.
#[derive(Debug)]
pub struct Run(&'static Function);

impl Drop for Run {
    #[inline]
    fn drop(&mut self) {
        if self.0.state.load(Ordering::Relaxed) == ONLY_UNKNOWN {
            self.0.tell();
        }
    }
}
