//! The counters of one rule, and the quota and rate that X-Ray allows for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use serde::Serialize;

use crate::sampling::boost::{BoostCounter, take_at_most};
use crate::sampling::reservoir::{Reservoir, by_chance};

/// The lower bits of the packed quota, which hold the quota; the bits above hold the first second in which it is void.
const QUOTA_BITS: u32 = 32;

/// The counters, the quota and the rate of one rule.
///
/// It outlives the rule's definition: it stays when the rules are fetched again.
// Atomics instead of a lock: every decision of every thread counts here.
#[derive(Debug)]
pub(super) struct RuleState {
    /// The number of decisions.
    requests: AtomicU64,
    /// The number of decisions to record.
    sampled: AtomicU64,
    /// The number of decisions to record although there was no quota.
    borrowed: AtomicU64,
    /// The requests taken in the current second, from the quota or borrowed. One reservoir for both, so that a quota
    /// which arrives within a second does not add to the request borrowed in it.
    taken: Reservoir,
    // Both parts in one word, so that no thread reads a new quota with an old end.
    quota: AtomicU64,
    /// The bits of an `f64` from 0 to 1; there is no atomic `f64`.
    rate: AtomicU64,
    /// The bits of the rate that replaces `rate` during a boost.
    boost_rate: AtomicU64,
    /// The first second after the boost.
    boost_void_from: AtomicU32,
    /// The counts for a rule with a boost.
    boost: Arc<BoostCounter>,
    /// The number of seconds between two reports.
    report_interval: AtomicU32,
    /// The first second in which the next report is due.
    next_report: AtomicU32,
}

/// The counts of a rule since its last report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    #[serde(rename = "RequestCount")]
    pub(super) requests: u64,
    #[serde(rename = "SampledCount")]
    pub(super) sampled: u64,
    #[serde(rename = "BorrowCount")]
    pub(super) borrowed: u64,
}

impl RuleState {
    /// Creates the state of a rule without a quota, which samples the share `rate`.
    pub(super) fn new(rate: f64) -> Self {
        Self {
            requests: AtomicU64::new(0),
            sampled: AtomicU64::new(0),
            borrowed: AtomicU64::new(0),
            taken: Reservoir::default(),
            quota: AtomicU64::new(0),
            rate: AtomicU64::new(rate.to_bits()),
            boost_rate: AtomicU64::new(0),
            boost_void_from: AtomicU32::new(0),
            boost: Arc::default(),
            report_interval: AtomicU32::new(0),
            next_report: AtomicU32::new(0),
        }
    }

    /// Decides about a request and counts it. Without a quota, one request in each second is borrowed if `may_borrow`
    /// is set.
    pub(super) fn sample(&self, second: u32, may_borrow: bool) -> bool {
        let counts = self.decide(second, may_borrow);
        self.count(counts);
        counts.sampled > 0
    }

    /// Decides about a request, and returns what it counts.
    fn decide(&self, second: u32, may_borrow: bool) -> Counts {
        // Borrowing keeps a rule with a reservoir visible until X-Ray has sent a quota. A quota of 0 is a quota: then
        // nothing is borrowed. (Developer guide, "Using sampling rules with the X-Ray API".)
        //
        // A borrowed request counts as sampled too. (Developer guide, the example of a report: 6 requests, 5 sampled, 1
        // borrowed.) The other X-Ray SDKs do not count it there.
        let [sampled, borrowed] = match self.quota_in(second) {
            Some(quota) if self.taken.take(second, quota) => [1, 0],
            None if may_borrow && self.taken.take(second, 1) => [1, 1],
            _ => [u64::from(by_chance(self.rate_in(second))), 0],
        };
        Counts { requests: 1, sampled, borrowed }
    }

    /// Adds to the counts.
    // Counts a sampled request in `sampled` before `requests`, because a report reads `requests` first. So each request
    // of a report has its sample in this report. In the other order, a report could get the request without its sample,
    // and where each request is sampled, a later report could never make up for the sample.
    fn count(&self, counts: Counts) {
        if counts.sampled > 0 {
            self.borrowed.fetch_add(counts.borrowed, Ordering::Relaxed);
            self.sampled.fetch_add(counts.sampled, Ordering::Release);
        }
        self.requests.fetch_add(counts.requests, Ordering::Release);
    }

    /// Returns the number of requests allowed in this second; `None` without a valid quota.
    fn quota_in(&self, second: u32) -> Option<u32> {
        let packed = self.quota.load(Ordering::Relaxed);
        let (void_from, quota) = (packed >> QUOTA_BITS, packed & u64::from(u32::MAX));
        (u64::from(second) < void_from).then(|| u32::try_from(quota).unwrap_or(u32::MAX))
    }

    /// Returns the share of the requests beyond the quota that is sampled in this second.
    fn rate_in(&self, second: u32) -> f64 {
        let is_boosted = second < self.boost_void_from.load(Ordering::Acquire);
        let rate = if is_boosted { &self.boost_rate } else { &self.rate };
        f64::from_bits(rate.load(Ordering::Relaxed))
    }

    /// Sets the share of the requests beyond the quota that is sampled before the second `void_from`.
    pub(super) fn set_boost(&self, rate: f64, void_from: u32) {
        self.boost_rate.store(rate.to_bits(), Ordering::Relaxed);
        // The end is stored after the rate, so that a thread that reads the new end also reads the new rate.
        self.boost_void_from.store(void_from, Ordering::Release);
    }

    /// Returns the counts for a rule with a boost.
    pub(super) fn boost(&self) -> &Arc<BoostCounter> {
        &self.boost
    }

    /// Allows `quota` requests in each second until the second `void_from`, which is excluded.
    pub(super) fn set_quota(&self, quota: u32, void_from: u32) {
        self.quota.store(u64::from(void_from) << QUOTA_BITS | u64::from(quota), Ordering::Relaxed);
    }

    /// Sets the share of the other requests that is sampled.
    pub(super) fn set_rate(&self, rate: f64) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }

    /// Sets the number of seconds between two reports, from now on.
    pub(super) fn set_report_interval(&self, seconds: u32, now: u32) {
        self.report_interval.store(seconds, Ordering::Relaxed);
        self.next_report.store(now.saturating_add(seconds), Ordering::Relaxed);
    }

    /// Returns the counts and resets them; `None` if no report is due or there was no request.
    pub(super) fn report(&self, now: u32) -> Option<Counts> {
        let is_due = now >= self.next_report.load(Ordering::Relaxed);
        if !is_due || self.requests.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let interval = self.report_interval.load(Ordering::Relaxed);
        self.next_report.store(now.saturating_add(interval), Ordering::Relaxed);
        // Another thread may be between two increments of one decision; see `count`. X-Ray may refuse a report with
        // more sampled requests than requests, so the excess waits for the next report.
        let requests = self.requests.swap(0, Ordering::Acquire);
        let sampled = take_at_most(&self.sampled, requests);
        let borrowed = take_at_most(&self.borrowed, sampled);
        Some(Counts { requests, sampled, borrowed })
    }

    /// Adds the counts of a failed report to the current counts. The next report is due immediately.
    pub(super) fn take_back(&self, counts: Counts) {
        self.count(counts);
        self.next_report.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{self, ScopedJoinHandle};

    use super::*;

    fn decisions(state: &RuleState, second: u32, may_borrow: bool) -> usize {
        (0..5).filter(|_| state.sample(second, may_borrow)).count()
    }

    #[test]
    fn a_report_has_the_decisions_of_its_requests() {
        // Miri is a thousand times slower.
        const DECISIONS: u64 = if cfg!(miri) { 20 } else { 20_000 };

        let state = RuleState::new(1.0);
        let counts = thread::scope(|scope| {
            let threads = [0; 4].map(|_| scope.spawn(|| (0..DECISIONS).all(|_| state.sample(1, false))));
            let mut counts = vec![];
            while !threads.iter().all(ScopedJoinHandle::is_finished) {
                counts.extend(state.report(1));
            }
            counts
        });
        let counts: Vec<_> = counts.into_iter().chain(state.report(1)).collect();
        assert!(counts.iter().all(|counts| counts.sampled == counts.requests), "all are sampled: {counts:?}");
        assert_eq!(counts.iter().map(|counts| counts.requests).sum::<u64>(), 4 * DECISIONS);
    }

    #[test]
    fn without_a_quota_one_a_second_is_borrowed() {
        let state = RuleState::new(0.0);
        assert_eq!([1, 1, 2].map(|second| decisions(&state, second, true)), [1, 0, 1]);
        assert_eq!(decisions(&state, 3, false), 0, "a rule without a reservoir borrows nothing");
        assert_eq!(state.report(3), Some(Counts { requests: 20, sampled: 2, borrowed: 2 }));
    }

    #[test]
    fn a_decision_that_is_half_counted_is_reported_later() {
        let state = RuleState::new(1.0);
        decisions(&state, 1, true);
        // Another thread reports between the increments of a sixth decision.
        state.sampled.fetch_add(1, Ordering::Relaxed);
        assert_eq!(state.report(1), Some(Counts { requests: 5, sampled: 5, borrowed: 1 }));
        state.borrowed.fetch_add(2, Ordering::Relaxed);
        state.requests.fetch_add(1, Ordering::Relaxed);
        assert_eq!(state.report(1), Some(Counts { requests: 1, sampled: 1, borrowed: 1 }));
    }

    #[test]
    fn a_quota_holds_until_it_is_void() {
        let state = RuleState::new(0.0);
        state.set_quota(2, 8);
        assert_eq!([6, 7, 8, 9].map(|second| decisions(&state, second, true)), [2, 2, 1, 1]);
        assert_eq!(state.report(9), Some(Counts { requests: 20, sampled: 6, borrowed: 2 }));
        state.set_quota(0, u32::MAX);
        assert_eq!(decisions(&state, 10, true), 0, "a quota of 0 allows nothing, and nothing is borrowed");
    }

    #[test]
    fn a_borrowed_request_counts_against_the_quota_of_its_second() {
        let state = RuleState::new(0.0);
        assert_eq!(decisions(&state, 1, true), 1);
        state.set_quota(3, 9);
        assert_eq!(decisions(&state, 1, true), 2);
    }

    #[test]
    fn the_other_requests_are_sampled_by_the_rate() {
        let state = RuleState::new(1.0);
        assert_eq!(decisions(&state, 1, false), 5);
        state.set_rate(0.0);
        assert_eq!(decisions(&state, 1, false), 0);
        assert_eq!(state.report(1), Some(Counts { requests: 10, sampled: 5, borrowed: 0 }));
    }

    #[test]
    fn a_report_has_the_counts_since_the_last_one_and_is_not_early() {
        let state = RuleState::new(1.0);
        assert_eq!(state.report(1), None, "no request");
        decisions(&state, 1, false);
        state.set_report_interval(10, 1);
        assert_eq!(state.report(10), None);
        assert!(state.report(11).is_some());
        assert_eq!(state.report(21), None, "no request since the last report");
        decisions(&state, 22, false);
        assert_eq!(state.report(22), Some(Counts { requests: 5, sampled: 5, borrowed: 0 }));
        decisions(&state, 23, false);
        assert_eq!(state.report(31), None);
    }
}
