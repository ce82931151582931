//! Values that keys have, and how they compare.

use serde_json::Value;

use super::expression::{Operand, Operator};

/// A value that a key has.
pub(super) enum Found<'a> {
    Flag(bool),
    Number(f64),
    Text(&'a str),
}

impl<'a> Found<'a> {
    /// The value of an annotation.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Flag(*flag)),
            Value::Number(number) => number.as_f64().map(Self::Number),
            Value::String(text) => Some(Self::Text(text)),
            _ => None,
        }
    }

    /// Whether the comparison is so; never between values of different kinds.
    pub(super) fn is(self, operator: Operator, operand: &Operand) -> bool {
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
