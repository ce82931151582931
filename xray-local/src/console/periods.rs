//! The number of requests and of failures over time, drawn as SVG.

use maud::{Markup, html};

use super::histogram::{height, share};
use super::{format, status};
use crate::document::State;

/// The most bars.
const MAX_BARS: usize = 48;
/// The height of the tallest bar, in pixels.
const HEIGHT: f64 = 56.0;
const TOP: f64 = 14.0;

/// The lengths of periods, in seconds. A longer period is a power of two of days.
const LENGTHS: [f64; 17] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0,
    86_400.0,
];

/// The states that count as failures, in the order in which their bars stand on each other.
const FAILURES: [State; 3] = [State::Fault, State::Throttle, State::Error];

/// The requests of periods of one length, which follow each other.
#[derive(Debug, PartialEq)]
pub(super) struct Periods {
    /// The start of the first period, in seconds since 1970.
    start: f64,
    /// The length of each period, in seconds.
    length: f64,
    counts: Vec<Period>,
}

/// The requests of one period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Period {
    requests: u64,
    /// The numbers of [`FAILURES`].
    failures: [u64; 3],
}

impl Periods {
    /// Counts requests by their start, in seconds since 1970.
    pub(super) fn of(requests: &[(f64, State)]) -> Self {
        let starts = || requests.iter().map(|(start, _)| *start);
        let (first, last) = (starts().fold(f64::INFINITY, f64::min), starts().fold(f64::NEG_INFINITY, f64::max));
        if requests.is_empty() {
            return Self { start: 0.0, length: LENGTHS[0], counts: Vec::new() };
        }
        #[expect(clippy::cast_precision_loss, reason = "there are few bars")]
        let fits = |length: f64| (last / length).floor() - (first / length).floor() < MAX_BARS as f64;
        let mut length = LENGTHS.into_iter().find(|length| fits(*length)).unwrap_or(LENGTHS[LENGTHS.len() - 1]);
        while !fits(length) {
            length *= 2.0;
        }
        let start = (first / length).floor() * length;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "no request starts before the first period"
        )]
        let index = |time: f64| (((time - start) / length).floor() as usize).min(MAX_BARS - 1);
        let mut periods = vec![Period::default(); index(last) + 1];
        for (time, state) in requests {
            let period = &mut periods[index(*time)];
            period.requests += 1;
            if let Some(failure) = FAILURES.iter().position(|failure| failure == state) {
                period.failures[failure] += 1;
            }
        }
        Self { start, length, counts: periods }
    }

    /// Renders the number of requests over time.
    pub(super) fn throughput(&self) -> Markup {
        let most = self.counts.iter().map(|period| period.requests).max().unwrap_or_default();
        let title = format!("Requests in {}, at most {}", self.length_name(), format::count(most));
        self.chart(&title, |period| html! { (part("requests", period.requests, 0, most)) })
    }

    /// Renders the number of failures over time.
    pub(super) fn failures(&self) -> Markup {
        let most = self.counts.iter().map(|period| period.failures.iter().sum()).max().unwrap_or_default();
        let title = format!("Faults, throttles and errors in {}, at most {}", self.length_name(), format::count(most));
        self.chart(&title, |period| {
            let mut below = 0;
            html! {
                @for (state, count) in FAILURES.into_iter().zip(period.failures) {
                    (part(status::class(state), count, below, most))
                    ({ below += count; "" })
                }
            }
        })
    }

    /// Renders a bar for each period. `parts` renders the parts of a bar.
    fn chart(&self, title: &str, parts: impl Fn(&Period) -> Markup) -> Markup {
        html! {
            figure.chart {
                figcaption { (title) }
                svg height=(TOP + HEIGHT + 16.0) role="img" aria-label=(title) {
                    @for (index, period) in self.counts.iter().enumerate() {
                        svg x=(share(index, self.counts.len())) width=(share(1, self.counts.len())) height=(TOP + HEIGHT) {
                            title { (self.description(index, period)) }
                            rect.hit width="100%" height="100%" {}
                            (parts(period))
                        }
                    }
                    text x="0" y=(TOP + HEIGHT + 13.0) { (self.clock(self.start)) }
                    text x="100%" y=(TOP + HEIGHT + 13.0) text-anchor="end" { (self.clock(self.end())) " UTC" }
                }
            }
        }
    }

    fn end(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "there are few bars")]
        let periods = self.counts.len() as f64;
        self.start + periods * self.length
    }

    fn description(&self, index: usize, period: &Period) -> String {
        #[expect(clippy::cast_precision_loss, reason = "there are few bars")]
        let start = self.start + index as f64 * self.length;
        let failures = FAILURES.into_iter().zip(period.failures).filter(|(_, count)| *count > 0);
        let failures = failures.map(|(state, count)| status::count(count, state));
        let counts: Vec<_> = std::iter::once(format::count_of(period.requests, "request")).chain(failures).collect();
        format!("{} UTC: {}", self.clock(start), counts.join(", "))
    }

    /// Formats a time in UTC, for long periods with the date: `13:20:05`, `2026-11-29 13:20`.
    fn clock(&self, seconds: f64) -> String {
        let part = if self.length < 3_600.0 { 11..19 } else { 0..16 };
        format::rfc3339(seconds).get(part).unwrap_or_default().replace('T', " ")
    }

    fn length_name(&self) -> String {
        match self.length {
            ..59.0 => format!("{} s", self.length),
            ..3_599.0 => format!("{} min", self.length / 60.0),
            ..86_399.0 => format!("{} h", self.length / 3_600.0),
            _ => format!("{} d", self.length / 86_400.0),
        }
    }
}

/// Renders a part of a bar, above the requests of the parts below it.
fn part(class: &str, count: u64, below: u64, most: u64) -> Markup {
    let base = if below == 0 { 0.0 } else { height(below, most) };
    let height = height(count, most);
    html! {
        @if count > 0 { rect class=(class) width="100%" y=((TOP + HEIGHT - base - height).max(0.0)) height=(height) {} }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn periods_have_a_round_length_and_start() {
        let at = 1_795_600_002.0;
        let periods = Periods::of(&[(at, State::Ok), (at + 60.0, State::Fault), (at + 61.0, State::Ok)]);
        assert_eq!((periods.start, periods.length, periods.counts.len()), (1_795_600_002.0, 2.0, 31));
        assert_eq!(periods.counts[0], Period { requests: 1, failures: [0, 0, 0] });
        assert_eq!(periods.counts[30], Period { requests: 2, failures: [1, 0, 0] });
    }

    #[test]
    fn no_request_gives_no_period() {
        assert_eq!(Periods::of(&[]).counts, []);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn each_request_is_in_one_of_few_periods(starts in proptest::collection::vec(prop_oneof![0.0..2e9, -1e300..1e300, 1.79e9..1.790_01e9], 1..40)) {
            let requests: Vec<_> = starts.into_iter().map(|start| (start, State::Error)).collect();
            let periods = Periods::of(&requests).counts;
            prop_assert!(periods.len() <= MAX_BARS);
            prop_assert_eq!(periods.iter().map(|period| period.failures[2]).sum::<u64>(), requests.len() as u64);
        }
    }
}
