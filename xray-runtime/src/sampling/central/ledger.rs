//! What is counted of one rule, and what X-Ray allows for it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use serde::Serialize;

use crate::sampling::reservoir::{Reservoir, by_chance};

/// Bits of the packed quota that say how much; those above say from which second on it is void.
const QUOTA_BITS: u32 = 32;

/// The counters and the quota of a rule. They stay when the rules are fetched again, also for a thread that decides by the
/// rule as it was before.
#[derive(Debug)]
pub(super) struct Ledger {
    requests: AtomicU64,
    sampled: AtomicU64,
    borrowed: AtomicU64,
    /// What was taken in this second, of the quota or on credit.
    taken: Reservoir,
    quota: AtomicU64,
    /// The bits of the number from 0 to 1.
    rate: AtomicU64,
    report_interval: AtomicU32,
    next_report: AtomicU32,
}

/// What happened since it was asked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    #[serde(rename = "RequestCount")]
    pub(super) requests: u64,
    #[serde(rename = "SampledCount")]
    pub(super) sampled: u64,
    #[serde(rename = "BorrowCount")]
    pub(super) borrowed: u64,
}

impl Ledger {
    pub(super) fn new(rate: f64) -> Self {
        Self {
            requests: AtomicU64::new(0),
            sampled: AtomicU64::new(0),
            borrowed: AtomicU64::new(0),
            taken: Reservoir::default(),
            quota: AtomicU64::new(0),
            rate: AtomicU64::new(rate.to_bits()),
            report_interval: AtomicU32::new(0),
            next_report: AtomicU32::new(0),
        }
    }

    /// Decides on a request and counts it. Where there is no quota, one in each second may be borrowed.
    pub(super) fn sample(&self, second: u32, may_borrow: bool) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let is_borrowed = match self.quota_in(second) {
            Some(quota) if self.taken.take(second, quota) => false,
            None if may_borrow && self.taken.take(second, 1) => true,
            _ if by_chance(f64::from_bits(self.rate.load(Ordering::Relaxed))) => false,
            _ => return false,
        };
        if is_borrowed {
            self.borrowed.fetch_add(1, Ordering::Release);
        }
        // What is borrowed is sampled. (Developer guide, in the example of a report; some SDKs count otherwise.)
        self.sampled.fetch_add(1, Ordering::Release);
        true
    }

    /// What is allowed in each second, if that is known for this one.
    fn quota_in(&self, second: u32) -> Option<u32> {
        let packed = self.quota.load(Ordering::Relaxed);
        let (void_from, quota) = (packed >> QUOTA_BITS, packed & u64::from(u32::MAX));
        (u64::from(second) < void_from).then(|| u32::try_from(quota).unwrap_or(u32::MAX))
    }

    /// So many in each second are allowed, up to but without the second `void_from`.
    pub(super) fn set_quota(&self, quota: u32, void_from: u32) {
        self.quota.store(u64::from(void_from) << QUOTA_BITS | u64::from(quota), Ordering::Relaxed);
    }

    /// This share of the others is sampled.
    pub(super) fn set_rate(&self, rate: f64) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }

    /// It is to be reported once in so many seconds.
    pub(super) fn set_report_interval(&self, seconds: u32, now: u32) {
        self.report_interval.store(seconds, Ordering::Relaxed);
        self.next_report.store(now.saturating_add(seconds), Ordering::Relaxed);
    }

    /// What is to be reported, if it is time to and something happened. It is counted from 0 then.
    pub(super) fn report(&self, now: u32) -> Option<Counts> {
        let is_due = now >= self.next_report.load(Ordering::Relaxed);
        if !is_due || self.requests.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let interval = self.report_interval.load(Ordering::Relaxed);
        self.next_report.store(now.saturating_add(interval), Ordering::Relaxed);
        // In this order: of what counts as sampled the request counts too.
        let borrowed = self.borrowed.swap(0, Ordering::Acquire);
        let sampled = self.sampled.swap(0, Ordering::Acquire);
        Some(Counts { requests: self.requests.swap(0, Ordering::Relaxed), sampled, borrowed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decisions(ledger: &Ledger, second: u32, may_borrow: bool) -> usize {
        (0..5).filter(|_| ledger.sample(second, may_borrow)).count()
    }

    #[test]
    fn without_a_quota_one_a_second_is_borrowed() {
        let ledger = Ledger::new(0.0);
        assert_eq!([1, 1, 2].map(|second| decisions(&ledger, second, true)), [1, 0, 1]);
        assert_eq!(decisions(&ledger, 3, false), 0, "of no reservoir");
        assert_eq!(ledger.report(3), Some(Counts { requests: 20, sampled: 2, borrowed: 2 }));
    }

    #[test]
    fn a_quota_holds_until_it_is_void() {
        let ledger = Ledger::new(0.0);
        ledger.set_quota(2, 8);
        assert_eq!([6, 7, 8, 9].map(|second| decisions(&ledger, second, true)), [2, 2, 1, 1]);
        assert_eq!(ledger.report(9), Some(Counts { requests: 20, sampled: 6, borrowed: 2 }));
        ledger.set_quota(0, u32::MAX);
        assert_eq!(decisions(&ledger, 10, true), 0, "none is allowed, and nothing is borrowed");
    }

    #[test]
    fn what_was_borrowed_in_a_second_counts_for_its_quota() {
        let ledger = Ledger::new(0.0);
        assert_eq!(decisions(&ledger, 1, true), 1);
        ledger.set_quota(3, 9);
        assert_eq!(decisions(&ledger, 1, true), 2);
    }

    #[test]
    fn the_others_are_sampled_by_the_rate() {
        let ledger = Ledger::new(1.0);
        assert_eq!(decisions(&ledger, 1, false), 5);
        ledger.set_rate(0.0);
        assert_eq!(decisions(&ledger, 1, false), 0);
        assert_eq!(ledger.report(1), Some(Counts { requests: 10, sampled: 5, borrowed: 0 }));
    }

    #[test]
    fn it_reports_what_happened_since_and_not_before_its_time() {
        let ledger = Ledger::new(1.0);
        assert_eq!(ledger.report(1), None, "nothing happened");
        decisions(&ledger, 1, false);
        ledger.set_report_interval(10, 1);
        assert_eq!(ledger.report(10), None);
        assert!(ledger.report(11).is_some());
        assert_eq!(ledger.report(21), None, "nothing happened since");
        decisions(&ledger, 22, false);
        assert_eq!(ledger.report(22), Some(Counts { requests: 5, sampled: 5, borrowed: 0 }));
        decisions(&ledger, 23, false);
        assert_eq!(ledger.report(31), None);
    }
}
