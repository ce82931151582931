//! Annotations: indexed values, and the keys that X-Ray accepts for them.

use serde::{Deserialize, Serialize};

use crate::support::text::first_chars;

/// The value of an annotation: a string, a number or a boolean.
///
/// Created by `into()` from Rust's strings, numbers and `bool`. A string is cut at 1,000 characters. An annotation with
/// a number that is not finite is left out. [`Stats::values_rejected`](crate::Stats::values_rejected) counts both.
/// (Developer guide, "X-Ray segment documents", "Annotations"; schema v1.0.0.)
///
/// ```
/// use xray::document::AnnotationValue;
///
/// let ((), documents) = xray::testing::capture_blocking(|| {
///     let segment = xray::Segment::builder("shop").begin();
///     segment.annotate("tier", "gold");
///     segment.annotate("items", 3_u64);
///     segment.annotate("ratio", f64::NAN);
/// });
/// let annotations = &documents[0].annotations;
/// assert_eq!(annotations["tier"], "gold".into());
/// assert_eq!(annotations["items"], AnnotationValue::Integer(3));
/// assert!(!annotations.contains_key("ratio"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum AnnotationValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number beyond the range of `i64`. The document has all its digits.
    Unsigned(u64),
    /// Any other number.
    Number(f64),
    /// Text.
    String(String),
}

impl AnnotationValue {
    /// Limit of X-Ray on the characters of a string. (Developer guide, "Annotations".)
    pub(crate) const MAX_CHARS: usize = 1000;

    /// Returns the value in a form that X-Ray accepts, and whether it was cut; `None` if there is no such form.
    pub(crate) fn accepted(self) -> Option<(Self, bool)> {
        match self {
            // serde_json would write `null`, and X-Ray accepts no `null` as an annotation.
            Self::Number(number) if !number.is_finite() => None,
            Self::String(mut text) => {
                let given = text.len();
                text.truncate(first_chars(&text, Self::MAX_CHARS).len());
                let is_cut = text.len() < given;
                // The memory of the whole text would stay allocated.
                text.shrink_to_fit();
                Some((Self::String(text), is_cut))
            }
            value => Some((value, false)),
        }
    }
}

/// Returns whether X-Ray accepts an annotation under this key: 1 to 500 ASCII letters, digits and underscores.
pub(crate) fn is_accepted_key(key: &str) -> bool {
    // The pattern of schema v1.0.0. Newer pages of the developer guide allow dots too, but the OpenTelemetry collector
    // turns them into underscores, so a search would find one trace and miss the other.
    const MAX_CHARS: usize = 500;
    (1..=MAX_CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

// One `From` for each type, and not a generic one for `Into<f64>` or `Display`: a second generic implementation would
// overlap with it.
macro_rules! annotation_from {
    ($($type:ty => |$value:ident| $made:expr),* $(,)?) => {$(
        impl From<$type> for AnnotationValue {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )*};
}

fn from_u64(value: u64) -> AnnotationValue {
    i64::try_from(value).map_or(AnnotationValue::Unsigned(value), AnnotationValue::Integer)
}

/// Returns the `f64` with the shortest decimal that stands for an `f32`: 0.1 for `0.1_f32`.
///
/// `f64::from(0.1_f32)` is 0.10000000149011612, which no search for 0.1 finds.
pub(crate) fn from_f32(value: f32) -> f64 {
    // The `Display` of a float writes the shortest decimal that reads as the same float.
    value.to_string().parse().unwrap_or_else(|_| value.into())
}

/// Like [`from_f32`], for a number that may have been an `f32`, and was converted by `f64::from`.
#[cfg(feature = "tracing")]
pub(crate) fn of_widened_f32(value: f64) -> f64 {
    /// The fewest digits of a number that is taken for a widened `f32`. A decimal that a person writes has fewer.
    const DIGITS: usize = 16;

    #[expect(clippy::cast_possible_truncation, reason = "the next line tests whether something was lost")]
    let narrow = value as f32;
    #[expect(clippy::float_cmp, reason = "a widened `f32` is exactly that `f32`")]
    let may_be_f32 = f64::from(narrow) == value;
    let digits = || value.to_string().bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
    if may_be_f32 && value.fract() != 0.0 && digits() >= DIGITS { from_f32(narrow) } else { value }
}

annotation_from! {
    bool => |value| Self::Bool(value),
    i8 => |value| Self::Integer(value.into()),
    i16 => |value| Self::Integer(value.into()),
    i32 => |value| Self::Integer(value.into()),
    i64 => |value| Self::Integer(value),
    isize => |value| Self::Integer(value as i64),
    u8 => |value| Self::Integer(value.into()),
    u16 => |value| Self::Integer(value.into()),
    u32 => |value| Self::Integer(value.into()),
    u64 => |value| from_u64(value),
    usize => |value| from_u64(value as u64),
    f32 => |value| Self::Number(from_f32(value)),
    f64 => |value| Self::Number(value),
    String => |value| Self::String(value),
    // One character more than the limit is copied, so that `accepted` sees that the text was longer.
    &str => |value| Self::String(first_chars(value, Self::MAX_CHARS + 1).to_owned()),
    &String => |value| Self::from(value.as_str()),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ascii_words_of_up_to_500_characters() {
        let longest = "k".repeat(500);
        for key in ["a", "A_9", longest.as_str()] {
            assert!(is_accepted_key(key), "{key}");
        }
        let too_long = "k".repeat(501);
        for key in ["", "a-b", "a.b", "\u{e9}", "a b", too_long.as_str()] {
            assert!(!is_accepted_key(key), "{key}");
        }
    }

    #[test]
    fn values_are_cut_or_refused_at_the_limits_of_x_ray() {
        assert_eq!(AnnotationValue::from(f64::NAN).accepted(), None);
        assert_eq!(AnnotationValue::from(f64::INFINITY).accepted(), None);
        for value in [AnnotationValue::from(0.5), AnnotationValue::from(7), AnnotationValue::from(true)] {
            assert_eq!(value.clone().accepted(), Some((value, false)));
        }
        let (exact, long) = ("\u{e9}".repeat(1000), "\u{e9}".repeat(5000));
        assert_eq!(AnnotationValue::from(&exact).accepted(), Some((AnnotationValue::String(exact.clone()), false)));
        for value in [AnnotationValue::from(&long), AnnotationValue::from(long.clone())] {
            assert_eq!(value.accepted(), Some((AnnotationValue::String(exact.clone()), true)));
        }
    }

    #[test]
    fn numbers_keep_their_decimals_and_digits() {
        let json = |value: AnnotationValue| serde_json::to_string(&value).unwrap();
        for (value, text) in [
            (AnnotationValue::from(0.1_f32), "0.1"),
            (AnnotationValue::from(-2.5e-7_f32), "-2.5e-7"),
            (AnnotationValue::from(f32::MAX), "3.4028235e+38"),
            (AnnotationValue::from(0.1_f64), "0.1"),
            (AnnotationValue::from(u64::MAX), "18446744073709551615"),
            (AnnotationValue::from(i64::MIN), "-9223372036854775808"),
            (AnnotationValue::from(usize::MAX), "18446744073709551615"),
        ] {
            assert_eq!(json(value.clone()), text);
            assert_eq!(serde_json::from_str::<AnnotationValue>(text).unwrap(), value, "{text}");
        }
        assert_eq!(AnnotationValue::from(f32::NAN).accepted(), None);
        assert_eq!(AnnotationValue::from(f32::NEG_INFINITY).accepted(), None);
    }

    #[cfg(feature = "tracing")]
    #[test]
    #[expect(clippy::float_cmp, reason = "the numbers are exact")]
    fn only_a_number_that_was_an_f32_becomes_shorter() {
        assert_eq!(of_widened_f32(f64::from(0.1_f32)), 0.1);
        assert_eq!(of_widened_f32(f64::from(16.7_f32)), 16.7);
        for number in
            [0.1, 0.5, 0.333_251_953_125, 1.0 / 3.0, 9.536_743_164_062_5e-7, 1e300, 16_777_216.0, f64::INFINITY]
        {
            assert_eq!(of_widened_f32(number), number);
        }
    }
}
