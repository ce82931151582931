//! Numbers, times, sizes and texts in the form that people read.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Formats a duration with about three digits: `870 µs`, `12.3 ms`, `1.24 s`, `2 min 5 s`, `3 h 20 min`.
pub(super) fn duration(seconds: f64) -> String {
    let three_digits = |value: f64, unit: &str| match value {
        ..9.995 => format!("{value:.2} {unit}"),
        ..99.95 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    };
    // Each bound lies where the smaller unit would round up to the next larger one. With a bound of 0.001, for
    // instance, 0.9996 ms would be shown as "1000 µs".
    match seconds {
        ..0.000_000_5 => "0 s".to_owned(),
        ..0.000_999_5 => format!("{:.0} µs", seconds * 1e6),
        ..0.999_5 => three_digits(seconds * 1e3, "ms"),
        ..99.95 => three_digits(seconds, "s"),
        ..3_599.5 => format!("{:.0} min {:.0} s", (seconds.round() / 60.0).floor(), seconds.round() % 60.0),
        _ => {
            let minutes = (seconds / 60.0).round();
            format!("{:.0} h {:.0} min", (minutes / 60.0).floor(), minutes % 60.0)
        }
    }
}

/// Formats the bound of a range of durations, without digits that are zero: `1.5 ms`, `120 ms`, `1 s`.
pub(super) fn bound(seconds: f64) -> String {
    let (value, unit) = match seconds {
        ..0.001 => (seconds * 1e6, "µs"),
        ..1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    // A bound has two significant digits. The product may differ from it by a rounding error.
    format!("{} {unit}", (value * 10.0).round() / 10.0)
}

/// Formats a share of a whole: `12 %`, `0.4 %`. A share that is not zero is never shown as zero.
pub(super) fn percent(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let percent = part as f64 * 100.0 / whole.max(1) as f64;
    match percent {
        0.0 => "0 %".to_owned(),
        ..0.1 => "< 0.1 %".to_owned(),
        ..9.95 => format!("{percent:.1} %"),
        _ => format!("{percent:.0} %"),
    }
}

/// Formats a number with commas: `12,345`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Formats a number with a noun, which gets a plural `s`: `1 trace`, `1,200 traces`.
pub(super) fn count_of(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Formats a number of bytes: `14.2 MiB`.
pub(super) fn bytes(number: usize) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];

    if number < 1024 {
        return format!("{number} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
    let mut value = number as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Formats a time, in seconds since 1970, for the `datetime` attribute of a `time` element: UTC, with milliseconds.
pub(super) fn rfc3339(seconds: f64) -> String {
    // The last second of the year 9999. A document may hold any number, and `humantime` panics on later times.
    const LAST: f64 = 253_402_300_799.0;

    // `clamp` keeps NaN, for which the conversion fails.
    let since_epoch = Duration::try_from_secs_f64(seconds.clamp(0.0, LAST)).unwrap_or_default();
    humantime::format_rfc3339_millis(UNIX_EPOCH + since_epoch).to_string()
}

/// Converts a time to seconds since 1970.
pub(super) fn unix_seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Formats an age: `12 s ago`. The function `formatAge` in `assets/console.js` must return equal texts, or an age would
/// change its form when the script updates it.
pub(super) fn age(seconds: f64) -> String {
    // A clock that runs ahead gives a time in the future.
    let whole = seconds.max(0.0).floor();
    match whole {
        ..60.0 => format!("{whole:.0} s ago"),
        ..3_600.0 => format!("{:.0} min ago", (whole / 60.0).floor()),
        ..86_400.0 => format!("{:.0} h ago", (whole / 3_600.0).floor()),
        _ => format!("{:.0} d ago", (whole / 86_400.0).floor()),
    }
}

/// Returns the text, cut to at most `limit` characters. A text that is cut ends with an ellipsis.
pub(super) fn truncate(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_never_round_up_to_the_next_unit() {
        let cases = [
            (0.0, "0 s"),
            (0.000_012, "12 µs"),
            (0.001, "1.00 ms"),
            (0.012_34, "12.3 ms"),
            (0.123_4, "123 ms"),
            (0.999_6, "1.00 s"),
            (61.0, "61.0 s"),
            (125.0, "2 min 5 s"),
            (179.7, "3 min 0 s"),
            (3_599.9, "1 h 0 min"),
            (12_000.0, "3 h 20 min"),
        ];
        for (seconds, text) in cases {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn bounds_have_no_digits_that_are_zero() {
        let bounds = [0.0, 0.000_001_2, 0.001_5, 0.092, 0.11, 1.0, 2.5, 85_000.0].map(bound);
        assert_eq!(bounds, ["0 µs", "1.2 µs", "1.5 ms", "92 ms", "110 ms", "1 s", "2.5 s", "85000 s"]);
    }

    #[test]
    fn a_share_that_is_not_zero_is_not_shown_as_zero() {
        let shares = [(0, 9), (1, 5_000), (1, 250), (1, 3), (9, 9), (0, 0)].map(|(part, whole)| percent(part, whole));
        assert_eq!(shares, ["0 %", "< 0.1 %", "0.4 %", "33 %", "100 %", "0 %"]);
    }

    #[test]
    fn counts_have_commas_and_sizes_have_units() {
        assert_eq!([count(0), count(999), count(1_000), count(12_345_678)], ["0", "999", "1,000", "12,345,678"]);
        assert_eq!([bytes(12), bytes(1536), bytes(256 << 20)], ["12 B", "1.5 KiB", "256.0 MiB"]);
        assert_eq!([count_of(1, "trace"), count_of(1_200, "trace")], ["1 trace", "1,200 traces"]);
    }

    #[test]
    fn any_number_is_formatted_as_a_time() {
        assert_eq!(rfc3339(1_484_786_387.131), "2017-01-19T00:39:47.131Z");
        for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
            assert!(rfc3339(seconds).ends_with('Z'), "{seconds}");
        }
    }

    #[test]
    fn ages_are_whole_numbers_of_one_unit() {
        assert_eq!([age(-3.0), age(59.9), age(61.0), age(7_300.0)], ["0 s ago", "59 s ago", "1 min ago", "2 h ago"]);
        assert_eq!(age(200_000.0), "2 d ago");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(truncate("päckchen", 8), "päckchen");
        assert_eq!(truncate("päckchen", 3), "pä…");
    }
}
