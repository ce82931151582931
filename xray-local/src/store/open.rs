//! A trace that is read within the store's budget.

use std::borrow::Borrow;
use std::ops::Deref;

use super::budget::Share;
use crate::trace::Trace;

/// An assembled trace, and its share of the memory for traces that are being read. Dropping it gives the share back.
///
/// A thread must not open a trace while it holds another: with several such threads, each could wait for the memory
/// that the others hold.
#[derive(Debug)]
pub struct OpenTrace {
    // Dropped in this order: the memory is free before the share is given back.
    trace: Trace,
    share: Share,
}

impl OpenTrace {
    pub(super) fn new(trace: Trace, share: Share) -> Self {
        Self { trace, share }
    }

    /// Replaces the trace by the result of a function.
    #[must_use]
    pub(crate) fn map(self, change: impl FnOnce(Trace) -> Trace) -> Self {
        Self { trace: change(self.trace), share: self.share }
    }
}

impl Deref for OpenTrace {
    type Target = Trace;

    fn deref(&self) -> &Trace {
        &self.trace
    }
}

impl Borrow<Trace> for OpenTrace {
    fn borrow(&self) -> &Trace {
        &self.trace
    }
}
