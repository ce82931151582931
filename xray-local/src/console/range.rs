//! A range of time, chosen by the reader: the last minutes, or from one time to another.

use maud::{Markup, html};
use serde::Deserialize;

use super::{format, link};
use crate::time::TimeRange;

/// The parameters of a page. They are texts, because a mistyped one must not lead to an error page: a parameter that
/// cannot be read counts as absent.
#[derive(Debug, Default, Clone, Deserialize)]
pub(super) struct Range {
    /// How many of the last minutes are in the range.
    #[serde(default)]
    minutes: String,
    /// The start and the end of the range: seconds since 1970, or a date and time of UTC such as `2026-11-29T13:00`.
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// The ranges that are one click away, in minutes. The empty one has every time.
const CHOICES: [(&str, &str); 4] = [("", "Any time"), ("5", "5 min"), ("60", "1 h"), ("1440", "24 h")];

impl Range {
    /// Returns the times in the range, for a page that is rendered at the time `now`.
    pub(super) fn times(&self, now: f64) -> TimeRange {
        if let Some(minutes) = self.minutes() {
            return TimeRange { start: now - minutes * 60.0, ..TimeRange::ALL };
        }
        let (from, to) = (time(&self.from), time(&self.to));
        TimeRange { start: from.unwrap_or(f64::NEG_INFINITY), end: to.unwrap_or(f64::INFINITY) }
    }

    /// Returns whether the range has every time.
    pub(super) fn is_whole(&self) -> bool {
        self.times(0.0) == TimeRange::ALL
    }

    /// Returns the parameters of an address that keeps the range.
    pub(super) fn parameters(&self) -> [(&'static str, &str); 3] {
        [("minutes", &self.minutes), ("from", &self.from), ("to", &self.to)]
    }

    fn minutes(&self) -> Option<f64> {
        self.minutes.trim().parse::<f64>().ok().filter(|minutes| minutes.is_finite() && *minutes > 0.0)
    }

    /// Renders hidden fields that keep the range when a form is sent.
    pub(super) fn hidden(&self) -> Markup {
        html! {
            @for (name, value) in self.parameters() {
                @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
            }
        }
    }

    /// Renders the choices, and a form for other times. The links keep the filter.
    pub(super) fn choices(&self, filter: &str) -> Markup {
        let (chosen, is_free) = (self.minutes().map(|_| self.minutes.trim()).unwrap_or_default(), !self.is_whole());
        let is_current = |minutes: &str| minutes == chosen && (!minutes.is_empty() || !is_free);
        let times = self.times(crate::time::now());
        html! {
            div.times {
                nav.choices aria-label="Range of time" {
                    @for (minutes, name) in CHOICES {
                        a href=(link::with_query("/", &[("filter", filter), ("minutes", minutes)]))
                            aria-current=[is_current(minutes).then_some("true")] { (name) }
                    }
                }
                details #times .folded open[is_free && chosen.is_empty()] {
                    summary { "Other times" }
                    form.line action="/" method="get" {
                        @if !filter.is_empty() { input type="hidden" name="filter" value=(filter); }
                        @for (name, label, time) in [("from", "From", times.start), ("to", "to", times.end)] {
                            label { (label) " " input type="datetime-local" step="1" name=(name) value=(field(time)); }
                        }
                        " UTC "
                        button.small type="submit" { "Show" }
                    }
                }
            }
        }
    }
}

/// Reads a time: seconds since 1970, or a date and time of UTC.
fn time(text: &str) -> Option<f64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds).filter(|seconds| seconds.is_finite());
    }
    // A browser leaves the seconds out if they are 0.
    let whole = if text.len() == "2026-11-29T13:00".len() { format!("{text}:00") } else { text.to_owned() };
    humantime::parse_rfc3339_weak(&whole).ok().map(format::unix_seconds)
}

/// Returns a time as the value of a field for date and time.
fn field(time: f64) -> String {
    if time.is_finite() {
        format::rfc3339(time).chars().take("2026-11-29T13:00:00".len()).collect()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(minutes: &str, from: &str, to: &str) -> Range {
        Range { minutes: minutes.to_owned(), from: from.to_owned(), to: to.to_owned() }
    }

    #[test]
    fn times_are_seconds_or_dates_and_other_texts_count_as_absent() {
        let all = TimeRange::ALL;
        for (chosen, times) in [
            (range("", "", ""), all),
            (range("5", "", ""), TimeRange { start: 700.0, ..all }),
            (range("5", "1", "2"), TimeRange { start: 700.0, ..all }),
            (range("", "1.5", "2"), TimeRange { start: 1.5, end: 2.0 }),
            (range("", "1970-01-01T00:01", "1970-01-02T00:00:01"), TimeRange { start: 60.0, end: 86_401.0 }),
            (range("-5", "x", "1e999"), all),
            (range("NaN", "1970-13-01T00:00", "inf"), all),
        ] {
            assert_eq!(chosen.times(1_000.0), times, "{chosen:?}");
        }
    }

    #[test]
    fn a_field_shows_the_time_that_it_sends() {
        assert_eq!(field(86_401.0), "1970-01-02T00:00:01");
        assert_eq!(time(&field(1_795_600_000.0)), Some(1_795_600_000.0));
        assert_eq!(field(f64::INFINITY), "");
    }
}
