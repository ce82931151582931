//! Compares the time in a trace id with the start of the document.
//!
//! The first 8 digits of an id are the start of the trace. X-Ray no longer validates them, because the digits of a W3C
//! trace id, which OpenTelemetry makes, are random. (X-Ray API reference, `PutTraceSegments`.)

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::field::FieldPath;
use super::finding::{Finding, Findings};
use crate::document::{TraceId, number};

const DAY: f64 = 86_400.0;

/// For how long X-Ray keeps a trace.
const OLDEST: f64 = 30.0 * DAY;

/// How far the clocks of two machines may differ.
const SKEW: f64 = DAY;

/// How far an id may be ahead and still be read as a time: a year. Most random numbers lie further ahead.
const LATEST: f64 = 365.0 * DAY;

/// The start of 2016, the first year of X-Ray. No id has an earlier time.
const FIRST: f64 = 1_451_606_400.0;

/// The meaning of the first eight digits of a trace id.
#[derive(Debug, PartialEq)]
enum Digits {
    /// A time that suits the document, or the start of the document says nothing.
    Suitable,
    /// A time before the document, by so many seconds. X-Ray has no trace that is that old.
    Old(f64),
    /// A time after the document, by so many seconds. A trace cannot start after its documents.
    Ahead(f64),
    /// A number that cannot be a time of X-Ray.
    Random,
}

impl Digits {
    fn of(id: TraceId, start: f64) -> Self {
        let time = f64::from(id.epoch());
        // The digits hold times up to 2106. Another start is not in seconds, or made up.
        if !(FIRST..f64::from(u32::MAX)).contains(&start) {
            return Self::Suitable;
        }
        match time - start {
            _ if time < FIRST => Self::Random,
            ahead if ahead > LATEST => Self::Random,
            ahead if ahead > SKEW => Self::Ahead(ahead),
            ahead if ahead < -OLDEST => Self::Old(-ahead),
            _ => Self::Suitable,
        }
    }
}

/// Returns whether the first digits of a trace id are surely no time. `start` is the start of a document of the trace.
pub(crate) fn is_random(id: TraceId, start: f64) -> bool {
    Digits::of(id, start) == Digits::Random
}

/// Checks the time in the trace id of a document.
///
/// Eight of a hundred random numbers look like times since 2016. The store does not call this function once it has
/// received ids that are surely random, and the documents of OpenTelemetry are left out here.
pub(super) fn check(document: &Map<String, Value>, at: &FieldPath, findings: &mut Findings) {
    let id = document.get("trace_id").and_then(Value::as_str).and_then(TraceId::parse);
    let start = document.get("start_time").and_then(number);
    let (Some(id), Some(start)) = (id, start) else { return };
    if is_of_opentelemetry(document) {
        return;
    }
    match Digits::of(id, start) {
        Digits::Suitable | Digits::Random => {}
        Digits::Old(seconds) => findings.add(at, || {
            let reason = format!(
                "contains the time {}, {} days before `start_time`; X-Ray keeps a trace for 30 days, and collectors reject an \
                 id older than 28 days",
                date(id),
                whole_days(seconds)
            );
            let advice = "start each trace with a new id; an id that is fixed in the program or copied from an example puts \
                          all runs into one trace, and belongs in tests only";
            Finding::suspicious(reason, advice)
        }),
        Digits::Ahead(seconds) => findings.add(at, || {
            let reason = format!(
                "contains the time {}, {} days after `start_time`, but no part of a trace starts before the trace; \
                 collectors reject an id from the future",
                date(id),
                whole_days(seconds)
            );
            let advice = "start each trace with a new id, made from the current time, and compare the clocks of the machines";
            Finding::suspicious(reason, advice)
        }),
    }
}

/// Returns whether the exporter of OpenTelemetry made the document.
fn is_of_opentelemetry(document: &Map<String, Value>) -> bool {
    let sdk = document.get("aws").and_then(|aws| aws.get("xray")?.get("sdk")?.as_str());
    sdk.is_some_and(|sdk| sdk.starts_with("opentelemetry"))
}

/// Returns the date in an id: `2016-06-09`.
fn date(id: TraceId) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(u64::from(id.epoch()));
    humantime::format_rfc3339_seconds(time).to_string().chars().take_while(|character| *character != 'T').collect()
}

fn whole_days(seconds: f64) -> String {
    format!("{:.0}", (seconds / DAY).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_an_id_are_a_time_only_if_x_ray_may_have_traces_of_that_time() {
        let start = 1_795_600_000.25;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds from 1970 to 2106")]
        let digits = |time: f64, start: f64| Digits::of(TraceId::from(u128::from(time as u32) << 96 | 7), start);
        for fits in [start - OLDEST + 1.0, start, start + SKEW - 1.0] {
            assert_eq!(digits(fits, start), Digits::Suitable, "{fits}");
        }
        assert!(matches!(digits(start - OLDEST - 1.0, start), Digits::Old(_)));
        assert!(matches!(digits(FIRST, start), Digits::Old(_)));
        assert!(matches!(digits(start + SKEW + 1.0, start), Digits::Ahead(_)));
        for random in [0.0, FIRST - 1.0, start + LATEST + 1.0, f64::from(u32::MAX)] {
            assert_eq!(digits(random, start), Digits::Random, "{random}");
        }
        for no_time in [1.5, -1.0, 1e12, f64::NAN] {
            assert_eq!(digits(start, no_time), Digits::Suitable, "{no_time}");
        }
    }
}
