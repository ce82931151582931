//! The counts for adaptive sampling: the traces that a rule decided about, and the failed ones among them. (Developer
//! guide, "Adaptive sampling".)

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::id::TraceId;
use crate::support::lock::lock;
use crate::support::text::first_chars;

/// The longest name of a service in a report, in characters. (X-Ray API, `GetSamplingTargets`.)
const MAX_SERVICE_CHARS: usize = 64;

/// The most traces of callers that a rule remembers.
const MAX_CALLED: usize = 10_000;

/// The counts of one rule with a boost since its last report.
// Uses atomics instead of a lock, because every decision of every thread counts here.
#[derive(Debug, Default)]
pub(crate) struct BoostCounter {
    traces: AtomicU64,
    failed: AtomicU64,
    failed_and_sampled: AtomicU64,
    /// The name of the first service that the rule decided about.
    service_name: OnceLock<String>,
    called: Mutex<CallerTraces>,
}

/// The latest traces that began in a caller.
#[derive(Debug, Default)]
struct CallerTraces {
    /// For each trace, `true` if it has failed.
    failed: HashMap<TraceId, Arc<AtomicBool>>,
    /// The ids of these traces, oldest first.
    order: VecDeque<TraceId>,
}

/// A copy of the counts for a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BoostCounts {
    pub(crate) traces: u64,
    pub(crate) failed: u64,
    pub(crate) failed_and_sampled: u64,
}

/// Counts one trace as failed when something fails in it. The trace gets the watch from its
/// [`Decision`](super::Decision).
#[derive(Debug)]
pub(crate) struct Watch {
    counter: Arc<BoostCounter>,
    /// Shared by the segments of a trace that a caller began.
    has_failed: Arc<AtomicBool>,
}

impl BoostCounter {
    /// Counts a trace that begins, and returns its watch.
    pub(crate) fn watch(self: &Arc<Self>, service_name: &str) -> Watch {
        self.watch_with(Arc::default(), true, service_name)
    }

    /// Returns the watch of a trace that began in a caller. Counts the trace if it is not among the latest traces.
    pub(crate) fn watch_called(self: &Arc<Self>, trace: TraceId, service_name: &str) -> Watch {
        let (has_failed, is_new) = lock(&self.called).find_or_add(trace);
        self.watch_with(has_failed, is_new, service_name)
    }

    fn watch_with(self: &Arc<Self>, has_failed: Arc<AtomicBool>, is_new: bool, service_name: &str) -> Watch {
        self.traces.fetch_add(u64::from(is_new), Ordering::Relaxed);
        self.service_name.get_or_init(|| first_chars(service_name, MAX_SERVICE_CHARS).to_owned());
        Watch { counter: Arc::clone(self), has_failed }
    }

    /// Returns the counts and resets them. Returns `None` if no trace began since the last report.
    pub(crate) fn report(&self) -> Option<BoostCounts> {
        // A trace is counted when it begins, and may fail after a later report. X-Ray refuses a report with more failed
        // traces than traces, so the excess failures wait for the next report.
        let traces = self.traces.swap(0, Ordering::Relaxed);
        if traces == 0 {
            return None;
        }
        let failed = take_at_most(&self.failed, traces);
        Some(BoostCounts { traces, failed, failed_and_sampled: take_at_most(&self.failed_and_sampled, failed) })
    }

    /// Adds the counts of a failed report to the current counts.
    pub(crate) fn take_back(&self, counts: BoostCounts) {
        self.traces.fetch_add(counts.traces, Ordering::Relaxed);
        self.failed.fetch_add(counts.failed, Ordering::Relaxed);
        self.failed_and_sampled.fetch_add(counts.failed_and_sampled, Ordering::Relaxed);
    }

    /// Returns the name of the first service that the rule decided about.
    pub(crate) fn service_name(&self) -> &str {
        self.service_name.get().map_or("", String::as_str)
    }
}

/// Subtracts up to `most` from a count, and returns the number that it subtracted. Only one thread may subtract.
pub(crate) fn take_at_most(count: &AtomicU64, most: u64) -> u64 {
    let taken = count.load(Ordering::Acquire).min(most);
    count.fetch_sub(taken, Ordering::Relaxed);
    taken
}

impl CallerTraces {
    /// Returns the flag of a trace, which is `true` if the trace has failed. Adds the trace if it is not known; the
    /// second value is then `true`. The oldest trace is removed to make room.
    fn find_or_add(&mut self, trace: TraceId) -> (Arc<AtomicBool>, bool) {
        if let Some(has_failed) = self.failed.get(&trace) {
            return (Arc::clone(has_failed), false);
        }
        if self.order.len() == MAX_CALLED {
            self.order.pop_front().map(|oldest| self.failed.remove(&oldest));
        }
        let has_failed = Arc::<AtomicBool>::default();
        self.order.push_back(trace);
        self.failed.insert(trace, Arc::clone(&has_failed));
        (has_failed, true)
    }
}

impl Watch {
    /// Counts the trace as failed. Does nothing after the first time.
    pub(crate) fn note_failure(&self, is_sampled: bool) {
        if self.has_failed.load(Ordering::Relaxed) || self.has_failed.swap(true, Ordering::Relaxed) {
            return;
        }
        self.counter.failed.fetch_add(1, Ordering::Relaxed);
        self.counter.failed_and_sampled.fetch_add(u64::from(is_sampled), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_fails_once_and_never_more_traces_fail_than_began() {
        let counter = Arc::new(BoostCounter::default());
        assert_eq!(counter.report(), None);
        let (one, other) = (counter.watch("shop"), counter.watch("other"));
        one.note_failure(true);
        one.note_failure(true);
        assert_eq!(counter.report(), Some(BoostCounts { traces: 2, failed: 1, failed_and_sampled: 1 }));
        other.note_failure(false);
        assert_eq!(counter.report(), None, "no trace began since");
        let third = counter.watch("shop");
        third.note_failure(true);
        assert_eq!(counter.report(), Some(BoostCounts { traces: 1, failed: 1, failed_and_sampled: 1 }));
        drop(counter.watch("shop"));
        let counts = counter.report().unwrap();
        assert_eq!(counts, BoostCounts { traces: 1, failed: 1, failed_and_sampled: 0 }, "the failure that waited");
        counter.take_back(counts);
        assert_eq!((counter.report(), counter.service_name()), (Some(counts), "shop"));
    }

    #[test]
    fn a_called_trace_counts_once_while_it_is_among_the_latest() {
        let counter = Arc::new(BoostCounter::default());
        let counts = |traces, failed| Some(BoostCounts { traces, failed, failed_and_sampled: 0 });
        let trace = TraceId::random();
        counter.watch_called(trace, "stock").note_failure(false);
        counter.watch_called(trace, "stock").note_failure(false);
        assert_eq!(counter.report(), counts(1, 1));
        for _ in 1..MAX_CALLED {
            counter.watch_called(TraceId::random(), "stock");
        }
        counter.watch_called(trace, "stock").note_failure(false);
        assert_eq!(counter.report(), counts(MAX_CALLED as u64 - 1, 0));
        counter.watch_called(TraceId::random(), "stock");
        counter.watch_called(trace, "stock").note_failure(false);
        assert_eq!(counter.report(), counts(2, 1), "newer traces have displaced it");
        assert_eq!(counter.called.lock().unwrap().failed.len(), MAX_CALLED);
    }
}
