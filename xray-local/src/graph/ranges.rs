//! Durations of requests, counted in ranges.
//!
//! The bounds of the ranges are fixed decimal numbers. So a filter expression can name each range exactly, and finds as
//! many requests as the range counts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The bounds of the finest ranges in a decade, in tenths of its first number. Every second, every fourth, every eighth
/// and every twenty-fourth of them are the bounds of coarser ranges: 1, 1.2, 1.5, 1.7, 2 and so on; 1, 1.5, 2, 3, 5, 7;
/// 1, 2, 5; and 1.
const BOUNDS: [u64; 24] =
    [10, 11, 12, 13, 15, 16, 17, 18, 20, 22, 25, 27, 30, 35, 40, 45, 50, 55, 60, 65, 70, 77, 85, 92];

/// How many of the finest ranges form a range, from the finest to the coarsest.
const STEPS: [usize; 5] = [1, 2, 4, 8, 24];

/// The decades with bounds: from 1 microsecond to 100,000 seconds. Beyond them is one more range at each end.
const DECADES: u32 = 11;

/// Numbers of requests by range.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Ranges {
    /// The numbers by the index of the range's end in [`ENDS`]. Ranges without requests have no entry.
    counts: BTreeMap<usize, u64>,
}

/// A range of durations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Range {
    /// The shortest duration in the range, in seconds.
    pub(crate) start: f64,
    /// The end of the range, which does not belong to it, in seconds. `None` for the last range.
    pub(crate) end: Option<f64>,
    /// The number of requests in the range.
    pub(crate) count: u64,
}

/// The ends of all ranges but the last, in seconds. Each range starts at the end of the one before it.
///
/// The quotient of two integers is the nearest number to the decimal fraction, which is also what the parser of filter
/// expressions makes of the fraction's digits.
static ENDS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    #[expect(clippy::cast_precision_loss, reason = "the largest number is below 10^13")]
    let seconds = |tenths_of_microseconds: u64| tenths_of_microseconds as f64 / 1e7;
    (0..DECADES).flat_map(|decade| BOUNDS.map(|bound| seconds(bound * 10_u64.pow(decade)))).collect()
});

impl Ranges {
    /// Counts a duration.
    pub(super) fn add(&mut self, seconds: f64) {
        *self.counts.entry(ENDS.partition_point(|end| *end <= seconds)).or_default() += 1;
    }

    /// Counts the durations of others, too.
    pub(super) fn merge(&mut self, others: &Self) {
        for (range, count) in &others.counts {
            *self.counts.entry(*range).or_default() += count;
        }
    }

    /// Returns the finest ranges of one size, at most `most`, from the shortest duration to the longest.
    pub(super) fn bars(&self, most: usize) -> Vec<Range> {
        let (Some((first, _)), Some((last, _))) = (self.counts.first_key_value(), self.counts.last_key_value()) else {
            return Vec::new();
        };
        // The first range has no bound at its start, so it forms no coarser range with others.
        let group = |range: usize, step: usize| if range == 0 { 0 } else { (range - 1) / step + 1 };
        let number = |step: usize| group(*last, step) - group(*first, step) + 1;
        let step = STEPS.into_iter().find(|step| number(*step) <= most).unwrap_or(STEPS[STEPS.len() - 1]);
        let groups = group(*first, step)..=group(*last, step);
        let end_of = |group: usize| ENDS.get(group * step).copied();
        let mut bars: Vec<_> = groups
            .clone()
            .map(|group| Range {
                start: group.checked_sub(1).and_then(end_of).unwrap_or_default(),
                end: end_of(group),
                count: 0,
            })
            .collect();
        for (range, count) in &self.counts {
            bars[group(*range, step) - groups.start()].count += count;
        }
        bars
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bars(seconds: &[f64], most: usize) -> Vec<Range> {
        let mut ranges = Ranges::default();
        for seconds in seconds {
            ranges.add(*seconds);
        }
        ranges.bars(most)
    }

    #[test]
    fn a_duration_belongs_to_the_range_that_starts_with_it() {
        let range = |start, end, count| Range { start, end: Some(end), count };
        assert_eq!(bars(&[0.1, 0.109], 24), [range(0.1, 0.11, 2)]);
        assert_eq!(bars(&[0.1, 0.11], 24), [range(0.1, 0.11, 1), range(0.11, 0.12, 1)]);
        assert_eq!(bars(&[0.0], 24), [range(0.0, 0.000_001, 1)]);
        assert_eq!(bars(&[f64::MAX], 24), [Range { start: 92_000.0, end: None, count: 1 }]);
        assert_eq!(bars(&[], 24), []);
    }

    #[test]
    fn durations_far_apart_have_few_wide_ranges() {
        let starts: Vec<_> = bars(&[0.0012, 1.0], 24).iter().map(|range| range.start).collect();
        assert_eq!(
            starts,
            [
                0.001, 0.0015, 0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3,
                0.5, 0.7, 1.0
            ]
        );
        assert_eq!(bars(&[0.0, 1e9], 24).len(), 12);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn ranges_follow_each_other_and_count_each_duration_once(
            seconds in proptest::collection::vec((-9..7, 1.0_f64..10.0).prop_map(|(digits, number)| number * 10_f64.powi(digits)), 1..40)
        ) {
            let bars = bars(&seconds, 24);
            prop_assert!(bars.len() <= 24);
            prop_assert!(bars.windows(2).all(|pair| pair[0].end == Some(pair[1].start)));
            for bar in &bars {
                let inside = seconds.iter().filter(|time| **time >= bar.start && bar.end.is_none_or(|end| **time < end));
                prop_assert_eq!(inside.count() as u64, bar.count);
            }
        }
    }
}
