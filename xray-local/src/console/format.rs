//! Numbers, times and sizes as people read them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `870 µs`, `12.3 ms`, `1.24 s`, `2 min 5 s`, `3 h 20 min`.
pub(super) fn duration(seconds: f64) -> String {
    // Three digits.
    let scaled = |value: f64, unit: &str| match value {
        ..9.995 => format!("{value:.2} {unit}"),
        ..99.95 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    };
    match seconds {
        ..0.000_000_5 => "0 s".to_owned(),
        ..0.000_999_5 => format!("{:.0} µs", seconds * 1e6),
        ..0.999_5 => scaled(seconds * 1e3, "ms"),
        ..99.95 => scaled(seconds, "s"),
        ..3_599.5 => format!("{:.0} min {:.0} s", (seconds.round() / 60.0).floor(), seconds.round() % 60.0),
        _ => {
            let minutes = (seconds / 60.0).round();
            format!("{:.0} h {:.0} min", (minutes / 60.0).floor(), minutes % 60.0)
        }
    }
}

/// `12,345`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 trace`, `2 traces`.
pub(super) fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number as u64))
}

/// `14.2 MiB`.
pub(super) fn bytes(number: usize) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];

    if number < 1024 {
        return format!("{number} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = number as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A moment in seconds since 1970, for the `datetime` of a `time` element: UTC, milliseconds.
pub(super) fn moment(seconds: f64) -> String {
    // The last second of the year 9999; a document may say anything.
    const LAST: f64 = 253_402_300_799.0;

    let since = Duration::try_from_secs_f64(seconds.clamp(0.0, LAST)).unwrap_or_default();
    humantime::format_rfc3339_millis(UNIX_EPOCH + since).to_string()
}

/// A moment in seconds since 1970.
pub(super) fn seconds_of(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// `12 s ago`; the script writes the same.
pub(super) fn age(seconds: f64) -> String {
    let whole = seconds.max(0.0).floor();
    match whole {
        ..60.0 => format!("{whole:.0} s ago"),
        ..3_600.0 => format!("{:.0} min ago", (whole / 60.0).floor()),
        ..86_400.0 => format!("{:.0} h ago", (whole / 3_600.0).floor()),
        _ => format!("{:.0} d ago", (whole / 86_400.0).floor()),
    }
}

/// The first `limit` characters, and an ellipsis where there are more.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Host and path of a URL, both as they stand there; a text that is none is all path.
pub(super) fn split_url(url: &str) -> (&str, &str) {
    match url.split_once("://") {
        Some((_, rest)) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
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
    fn counts_and_sizes() {
        assert_eq!([count(0), count(999), count(1_000), count(12_345_678)], ["0", "999", "1,000", "12,345,678"]);
        assert_eq!([bytes(12), bytes(1536), bytes(256 << 20)], ["12 B", "1.5 KiB", "256.0 MiB"]);
        assert_eq!([counted(1, "trace"), counted(1_200, "trace")], ["1 trace", "1,200 traces"]);
    }

    #[test]
    fn a_moment_may_be_anything() {
        assert_eq!(moment(1_484_786_387.131), "2017-01-19T00:39:47.131Z");
        for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300] {
            assert!(moment(seconds).ends_with('Z'), "{seconds}");
        }
    }

    #[test]
    fn ages() {
        assert_eq!([age(-3.0), age(59.9), age(61.0), age(7_300.0)], ["0 s ago", "59 s ago", "1 min ago", "2 h ago"]);
        assert_eq!(age(200_000.0), "2 d ago");
    }

    #[test]
    fn what_is_long_is_shortened_between_characters() {
        assert_eq!(shortened("päckchen", 8), "päckchen");
        assert_eq!(shortened("päckchen", 3), "pä…");
    }

    #[test]
    fn urls_are_split_for_reading_only() {
        assert_eq!(split_url("https://shop.example.com/cart?x=1"), ("shop.example.com", "/cart?x=1"));
        assert_eq!(split_url("http://shop"), ("shop", ""));
        assert_eq!(split_url("javascript:alert(1)"), ("", "javascript:alert(1)"));
    }
}
