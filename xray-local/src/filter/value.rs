//! The values of keys, and their comparison.

use serde_json::Value;

use super::expression::{Operand, Operator};

/// A value of a key.
pub(super) enum KeyValue<'a> {
    Flag(bool),
    Number(f64),
    Text(&'a str),
}

impl<'a> KeyValue<'a> {
    /// Returns the value of an annotation.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Flag(*flag)),
            Value::Number(number) => number.as_f64().map(Self::Number),
            Value::String(text) => Some(Self::Text(text)),
            _ => None,
        }
    }

    /// Returns whether the comparison is true. Values of different types never compare as true.
    pub(super) fn compares(self, operator: Operator, operand: &Operand) -> bool {
        match (self, operand) {
            (Self::Flag(found), Operand::Flag(wanted)) => operator == Operator::Equal && found == *wanted,
            (Self::Number(found), Operand::Number(wanted)) => compare_numbers(found, operator, *wanted),
            (Self::Text(found), Operand::Text(wanted)) => match operator {
                Operator::Equal => found == wanted,
                Operator::Contains => found.contains(wanted.as_str()),
                Operator::BeginsWith => found.starts_with(wanted.as_str()),
                Operator::EndsWith => found.ends_with(wanted.as_str()),
                _ => false,
            },
            _ => false,
        }
    }
}

#[expect(clippy::float_cmp, reason = "the user asks for equality")]
fn compare_numbers(found: f64, operator: Operator, wanted: f64) -> bool {
    // A number that equals the wanted one as an `f32` is neither less nor greater.
    let found = if shortest_of_f32(found) == Some(wanted) { wanted } else { found };
    match operator {
        Operator::Equal => found == wanted,
        Operator::Less => found < wanted,
        Operator::LessOrEqual => found <= wanted,
        Operator::Greater => found > wanted,
        Operator::GreaterOrEqual => found >= wanted,
        _ => false,
    }
}

/// Returns the shortest decimal number that stands for the same `f32`, if the number may have been recorded as an
/// `f32`.
///
/// JSON has one type of number, so an SDK widens an `f32` to an `f64`: `0.1_f32` becomes 0.10000000149011612. The
/// person who searches for it writes `0.1`, as the source code does.
///
/// Comparing both numbers after rounding them to `f32` would find too much: 0.5000000001 rounds to 0.5. The shortest
/// decimal is what Rust and other languages print for the `f32`. Each `f32` has exactly one, so two numbers that differ
/// in the source code are never confused. An integer is left alone: a long id may happen to be a multiple of a large
/// power of two, and its shortest decimal is another id.
fn shortest_of_f32(number: f64) -> Option<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "the next line checks that nothing was lost")]
    let narrow = number as f32;
    #[expect(clippy::float_cmp, reason = "only a number that was an `f32` keeps all its digits")]
    let was_f32 = f64::from(narrow) == number && number.fract() != 0.0;
    if was_f32 { narrow.to_string().parse().ok() } else { None }
}
