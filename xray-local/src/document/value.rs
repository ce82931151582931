//! Lenient readers of JSON values. SDKs send some fields with other types than the documented ones.

use serde_json::Value;

/// Returns a string, or a number or boolean as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Returns a finite number, or a string that contains one.
pub(crate) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// The latest time, in seconds. Differences and sums of times near the largest number would be infinite.
const MAX_TIME: f64 = 1e100;

/// Returns a time in seconds since 1970: a [`number`] from -1e100 to 1e100, or the nearer bound.
pub(crate) fn time(value: &Value) -> Option<f64> {
    number(value).map(|time| time.clamp(-MAX_TIME, MAX_TIME))
}

/// Returns an integer, or the integer part of any other [`number`].
pub(super) fn integer(value: &Value) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast saturates, which is good enough for a malformed number"
    )]
    value.as_i64().or_else(|| number(value).map(|number| number.trunc() as i64))
}

/// Returns a boolean, or whether a string is `true`.
pub(super) fn flag(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => text == "true",
        _ => false,
    }
}

/// Returns the elements of an array, or nothing for any other value.
pub(super) fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}
