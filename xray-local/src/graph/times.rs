//! Durations of requests, counted for percentiles and for the bars of a histogram.

use std::collections::BTreeMap;

use super::ranges::{Range, Ranges};

/// The durations of requests, each rounded to three significant digits and to whole microseconds.
///
/// The histograms of the X-Ray API count whole milliseconds, which is too coarse for a service that takes microseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Times {
    /// The number of requests, by their duration in microseconds. Three digits of a number of at most 20 digits: there
    /// are never more than 18,000 entries.
    counts: BTreeMap<u64, u64>,
    /// The number of requests in each range. The ranges compare the durations before they are rounded, as a filter
    /// expression does.
    ranges: Ranges,
}

impl Times {
    /// Counts a request.
    pub(crate) fn add(&mut self, seconds: f64) {
        self.ranges.add(seconds);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "durations are not negative, and the cast saturates"
        )]
        let microseconds = (seconds * 1e6).round() as u64;
        let unit = 10_u64.pow(microseconds.checked_ilog10().unwrap_or_default().saturating_sub(2));
        // The last unit below the largest number cannot be rounded up.
        let rounded = microseconds.saturating_add(unit / 2) / unit * unit;
        *self.counts.entry(rounded).or_default() += 1;
    }

    /// Counts the requests of others, too.
    pub(super) fn merge(&mut self, others: &Self) {
        for (time, count) in &others.counts {
            *self.counts.entry(*time).or_default() += count;
        }
        self.ranges.merge(&others.ranges);
    }

    /// Returns at most `most` ranges that hold all durations, with the number of requests in each. They follow each
    /// other without gaps. `most` is at least 12.
    pub(crate) fn ranges(&self, most: usize) -> Vec<Range> {
        self.ranges.bars(most)
    }

    /// Returns the least duration, in seconds, that at least the given share of the requests did not exceed. Returns
    /// `None` without requests.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.counts.values().sum();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of requests is far below 2^53, and a share is not negative"
        )]
        let rank = (total as f64 * share).ceil() as u64;
        let mut counted = 0;
        let (microseconds, _) = self.counts.iter().find(|(_, count)| {
            counted += **count;
            counted >= rank
        })?;
        #[expect(clippy::cast_precision_loss, reason = "the number has three significant digits")]
        let seconds = *microseconds as f64 / 1e6;
        Some(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(seconds: impl IntoIterator<Item = f64>) -> Times {
        let mut times = Times::default();
        seconds.into_iter().for_each(|seconds| times.add(seconds));
        times
    }

    #[test]
    fn a_quantile_counts_every_request() {
        let times = times([2.0].into_iter().chain([1.0; 19]));
        assert_eq!(times.quantile(0.95), Some(1.0));
        assert_eq!(times.quantile(0.96), Some(2.0));
        assert_eq!(Times::default().quantile(0.95), None);
    }

    #[test]
    fn a_duration_keeps_three_digits() {
        for (seconds, kept) in
            [(0.0, 0.0), (0.000_043, 0.000_043), (0.012_345, 0.012_3), (0.062_46, 0.062_5), (12.345, 12.3)]
        {
            assert_eq!(times([seconds]).quantile(0.95), Some(kept), "{seconds}");
        }
        assert!(times([f64::MAX]).quantile(0.95).is_some());
    }

    #[test]
    fn many_different_durations_take_few_entries() {
        let times = times((0..100_000).map(|number| f64::from(number) * 0.001_7));
        assert!(times.counts.len() < 6_000, "{}", times.counts.len());
        assert_eq!(times.counts.values().sum::<u64>(), 100_000);
    }
}
