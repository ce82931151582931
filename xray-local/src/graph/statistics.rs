//! Statistics of requests: counts by outcome, and histograms of durations.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::document::State;

/// Statistics of completed requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Statistics {
    /// The number of successful requests.
    pub ok_count: u64,
    /// The numbers of requests with errors and throttles.
    pub error_statistics: ErrorStatistics,
    /// The numbers of requests with faults.
    pub fault_statistics: FaultStatistics,
    /// The number of all requests.
    pub total_count: u64,
    /// The sum of all durations, in seconds.
    pub total_response_time: f64,
}

/// The numbers of requests with errors and throttles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ErrorStatistics {
    /// The number of throttled requests.
    pub throttle_count: u64,
    /// The number of other requests with errors.
    pub other_count: u64,
    /// The sum of both.
    pub total_count: u64,
}

/// The numbers of requests with faults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct FaultStatistics {
    /// The number of requests with faults. X-Ray distinguishes no kinds of faults.
    pub other_count: u64,
    /// A copy of `other_count`, which X-Ray returns under this name too.
    pub total_count: u64,
}

/// The number of requests with a duration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct HistogramEntry {
    /// The duration in seconds, rounded to milliseconds.
    pub value: f64,
    /// The number of requests.
    pub count: u64,
}

impl Statistics {
    /// Counts a completed request.
    pub(crate) fn add(&mut self, state: State, seconds: f64) {
        match state {
            State::Fault => {
                self.fault_statistics.other_count += 1;
                self.fault_statistics.total_count += 1;
            }
            State::Throttle => {
                self.error_statistics.throttle_count += 1;
                self.error_statistics.total_count += 1;
            }
            State::Error => {
                self.error_statistics.other_count += 1;
                self.error_statistics.total_count += 1;
            }
            State::Ok | State::InProgress => self.ok_count += 1,
        }
        self.total_count += 1;
        self.total_response_time += seconds;
    }

    /// Counts the requests of others, too.
    pub(super) fn merge(&mut self, others: &Self) {
        self.ok_count += others.ok_count;
        self.error_statistics.throttle_count += others.error_statistics.throttle_count;
        self.error_statistics.other_count += others.error_statistics.other_count;
        self.error_statistics.total_count += others.error_statistics.total_count;
        self.fault_statistics.other_count += others.fault_statistics.other_count;
        self.fault_statistics.total_count += others.fault_statistics.total_count;
        self.total_count += others.total_count;
        self.total_response_time += others.total_response_time;
    }

    /// Returns the number of requests with an error, a throttle or a fault.
    pub(crate) fn failures(&self) -> u64 {
        self.error_statistics.total_count + self.fault_statistics.total_count
    }
}

/// Counts of durations per millisecond. If there are more than [`MAX`](Self::MAX) different ones, durations are counted
/// per 2 milliseconds, then per 4, and so on.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: BTreeMap<u64, u64>,
    /// The width of a bucket in milliseconds.
    step: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), step: 1 }
    }
}

impl Histogram {
    /// The most buckets.
    const MAX: usize = 500;

    pub(crate) fn add(&mut self, seconds: f64) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "durations are not negative, and the cast saturates"
        )]
        let milliseconds = (seconds * 1000.0).round() as u64;
        *self.counts.entry(milliseconds / self.step).or_default() += 1;
        while self.counts.len() > Self::MAX {
            self.step = self.step.saturating_mul(2);
            let mut coarser = BTreeMap::new();
            for (time, count) in std::mem::take(&mut self.counts) {
                *coarser.entry(time / 2).or_default() += count;
            }
            self.counts = coarser;
        }
    }

    pub(crate) fn entries(&self) -> Vec<HistogramEntry> {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 milliseconds, which is 285,000 years")]
        let seconds = |time: u64| time.saturating_mul(self.step) as f64 / 1000.0;
        self.counts.iter().map(|(time, count)| HistogramEntry { value: seconds(*time), count: *count }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_durations_are_counted_per_millisecond() {
        let mut histogram = Histogram::default();
        for seconds in [0.0624, 0.062, 1.5, 0.0] {
            histogram.add(seconds);
        }
        let entries: Vec<_> = histogram.entries().iter().map(|entry| (entry.value, entry.count)).collect();
        assert_eq!(entries, [(0.0, 1), (0.062, 2), (1.5, 1)]);
    }

    #[test]
    fn many_durations_are_counted_in_wider_buckets() {
        let mut histogram = Histogram::default();
        (0..100_000).for_each(|milliseconds| histogram.add(f64::from(milliseconds) / 1000.0));
        histogram.add(f64::MAX);
        let entries = histogram.entries();
        assert!((2..=Histogram::MAX).contains(&entries.len()), "{}", entries.len());
        assert_eq!(entries.iter().map(|entry| entry.count).sum::<u64>(), 100_001);
    }
}
