//! How often, how long, how well.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::document::State;

/// Of requests that have ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Statistics {
    /// Those that went well.
    pub ok_count: u64,
    /// Those in which the caller erred.
    pub error_statistics: ErrorStatistics,
    /// Those that failed.
    pub fault_statistics: FaultStatistics,
    /// All.
    pub total_count: u64,
    /// The sum of their times, in seconds.
    pub total_response_time: f64,
}

/// Of requests in which the caller erred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ErrorStatistics {
    /// Those that were throttled.
    pub throttle_count: u64,
    /// The others.
    pub other_count: u64,
    /// All.
    pub total_count: u64,
}

/// Of requests that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct FaultStatistics {
    /// All of them: X-Ray does not tell kinds apart.
    pub other_count: u64,
    /// All.
    pub total_count: u64,
}

/// How many requests took a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct HistogramEntry {
    /// Seconds, rounded to a thousandth.
    pub value: f64,
    /// How many.
    pub count: u64,
}

impl Statistics {
    /// Counts a request that has ended.
    pub(super) fn add(&mut self, state: State, seconds: f64) {
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
}

/// Times, counted by the millisecond; where there are too many different ones, by the two, four, eight..
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    counts: BTreeMap<u64, u64>,
    /// Milliseconds from one count to the next.
    step: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), step: 1 }
    }
}

impl Histogram {
    /// How many different times are told apart.
    const MOST: usize = 500;

    pub(super) fn add(&mut self, seconds: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a duration, which saturates")]
        let milliseconds = (seconds * 1000.0).round() as u64;
        *self.counts.entry(milliseconds / self.step).or_default() += 1;
        while self.counts.len() > Self::MOST {
            self.step = self.step.saturating_mul(2);
            let mut coarser = BTreeMap::new();
            for (time, count) in std::mem::take(&mut self.counts) {
                *coarser.entry(time / 2).or_default() += count;
            }
            self.counts = coarser;
        }
    }

    pub(super) fn entries(&self) -> Vec<HistogramEntry> {
        #[expect(clippy::cast_precision_loss, reason = "no duration is that long")]
        let seconds = |time: u64| time.saturating_mul(self.step) as f64 / 1000.0;
        self.counts.iter().map(|(time, count)| HistogramEntry { value: seconds(*time), count: *count }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_times_are_kept_to_the_millisecond() {
        let mut histogram = Histogram::default();
        for seconds in [0.0624, 0.062, 1.5, 0.0] {
            histogram.add(seconds);
        }
        let entries: Vec<_> = histogram.entries().iter().map(|entry| (entry.value, entry.count)).collect();
        assert_eq!(entries, [(0.0, 1), (0.062, 2), (1.5, 1)]);
    }

    #[test]
    fn many_times_are_kept_more_coarsely() {
        let mut histogram = Histogram::default();
        (0..100_000).for_each(|milliseconds| histogram.add(f64::from(milliseconds) / 1000.0));
        histogram.add(f64::MAX);
        let entries = histogram.entries();
        assert!((2..=Histogram::MOST).contains(&entries.len()), "{}", entries.len());
        assert_eq!(entries.iter().map(|entry| entry.count).sum::<u64>(), 100_001);
    }
}
