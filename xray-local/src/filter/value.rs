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
            #[expect(clippy::float_cmp, reason = "the user asks for equality")]
            (Self::Number(found), Operand::Number(wanted)) => match operator {
                Operator::Equal => found == *wanted,
                Operator::Less => found < *wanted,
                Operator::LessOrEqual => found <= *wanted,
                Operator::Greater => found > *wanted,
                Operator::GreaterOrEqual => found >= *wanted,
                _ => false,
            },
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
