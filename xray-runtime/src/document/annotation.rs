//! Annotations: indexed values, and the keys under which X-Ray takes them.

use crate::support::text::first_chars;
use serde::{Deserialize, Serialize};

/// The value of an annotation: a string, a number or a boolean.
///
/// Made with `into()` from Rust's own types. Strings are cut at 1,000 characters; a number that is not finite
/// is left out; both are counted. (Developer guide, "Annotations"; schema v1.0.0.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum AnnotationValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number; also a whole one beyond the range of `i64`.
    Number(f64),
    /// Text.
    String(String),
}

impl AnnotationValue {
    const MAX_CHARS: usize = 1000;

    /// The value as X-Ray takes it, if it does, and whether it had to be cut.
    pub(crate) fn accepted(self) -> Option<(Self, bool)> {
        match self {
            Self::Number(number) if !number.is_finite() => None,
            Self::String(mut text) => {
                let given = text.len();
                text.truncate(first_chars(&text, Self::MAX_CHARS).len());
                let is_cut = text.len() < given;
                Some((Self::String(text), is_cut))
            }
            value => Some((value, false)),
        }
    }
}

/// Whether X-Ray takes an annotation under this key: 1 to 500 ASCII letters, digits and underscores.
pub(crate) fn is_accepted_key(key: &str) -> bool {
    const MAX_CHARS: usize = 500;
    (1..=MAX_CHARS).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

macro_rules! annotation_from {
    ($($type:ty => |$value:ident| $made:expr),* $(,)?) => {$(
        impl From<$type> for AnnotationValue {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )*};
}

#[expect(clippy::cast_precision_loss, reason = "a number of JSON has the precision of f64 for most readers")]
fn from_u64(value: u64) -> AnnotationValue {
    i64::try_from(value).map_or(AnnotationValue::Number(value as f64), AnnotationValue::Integer)
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
    f32 => |value| Self::Number(value.into()),
    f64 => |value| Self::Number(value),
    String => |value| Self::String(value),
    // One character more than is taken, by which it shows that there were more.
    &str => |value| Self::String(first_chars(value, Self::MAX_CHARS + 1).to_owned()),
    &String => |value| Self::from(value.as_str()),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
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
    fn values() {
        assert_eq!(AnnotationValue::from(f64::NAN).accepted(), None);
        assert_eq!(AnnotationValue::from(f64::INFINITY).accepted(), None);
        assert_eq!(AnnotationValue::from(u64::MAX), AnnotationValue::Number(18_446_744_073_709_551_615.0));
        let (exact, long) = ("\u{e9}".repeat(1000), "\u{e9}".repeat(5000));
        assert_eq!(AnnotationValue::from(&exact).accepted(), Some((AnnotationValue::String(exact.clone()), false)));
        for value in [AnnotationValue::from(&long), AnnotationValue::from(long.clone())] {
            assert_eq!(value.accepted(), Some((AnnotationValue::String(exact.clone()), true)));
        }
    }
}
