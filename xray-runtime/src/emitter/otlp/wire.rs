//! Writes the JSON of OTLP.
//!
//! (OTLP 1.x, "JSON Protobuf Encoding": names in camel case, ids as hex digits, 64-bit numbers as strings, enums as
//! numbers.)

use std::borrow::Cow;

use serde::Serialize;

use crate::support::json::{List, Object, write_text, write_value};

/// Writes a time, given in seconds since the Unix epoch, with microsecond precision.
pub(super) fn write_time(object: &mut Object<'_>, key: &'static str, seconds: f64) {
    write_as_text(object.key(key), &nanos(seconds));
}

/// Writes attributes into a list.
pub(super) trait WriteAttribute {
    /// Writes an attribute. The key needs no escape.
    fn attribute<'v>(&mut self, key: &'static str, value: impl Into<Value<'v>>);

    /// Writes an attribute whose key may be any text.
    fn attribute_of<'v>(&mut self, key: &str, value: impl Into<Value<'v>>);
}

impl WriteAttribute for List<'_> {
    fn attribute<'v>(&mut self, key: &'static str, value: impl Into<Value<'v>>) {
        let json = self.item();
        json.extend_from_slice(br#"{"key":""#);
        json.extend_from_slice(key.as_bytes());
        value.into().end_attribute(json);
    }

    fn attribute_of<'v>(&mut self, key: &str, value: impl Into<Value<'v>>) {
        let json = self.item();
        json.extend_from_slice(br#"{"key":"#);
        write_text(json, key);
        // Removes the closing quotation mark, because `end_attribute` begins with it.
        json.pop();
        value.into().end_attribute(json);
    }
}

/// The value of an attribute.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Bool(bool),
    Integer(i64),
    Number(f64),
    Texts(Vec<&'a str>),
}

impl Value<'_> {
    /// Writes the rest of an attribute, from the end of its key on.
    fn end_attribute(&self, json: &mut Vec<u8>) {
        match self {
            Self::Text(text) => {
                json.extend_from_slice(br#"","value":{"stringValue":"#);
                write_text(json, text);
            }
            Self::Bool(value) => {
                json.extend_from_slice(br#"","value":{"boolValue":"#);
                write_value(json, value);
            }
            Self::Integer(number) => {
                json.extend_from_slice(br#"","value":{"intValue":"#);
                write_as_text(json, number);
            }
            // JSON has only finite numbers, and a receiver refuses a whole request that has `null` as a number.
            Self::Number(number) if !number.is_finite() => return Self::from(number.to_string()).end_attribute(json),
            Self::Number(number) => {
                json.extend_from_slice(br#"","value":{"doubleValue":"#);
                write_value(json, number);
            }
            Self::Texts(texts) => {
                json.extend_from_slice(br#"","value":{"arrayValue":{"values":["#);
                for (number, text) in texts.iter().enumerate() {
                    json.extend_from_slice(if number == 0 { br#"{"stringValue":"# } else { br#",{"stringValue":"# });
                    write_text(json, text);
                    json.push(b'}');
                }
                json.extend_from_slice(b"]}");
            }
        }
        json.extend_from_slice(b"}}");
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// Returns a time in nanoseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, and NaN becomes 0")]
fn nanos(seconds: f64) -> u64 {
    // Round to microseconds first. An `f64` with today's date has a precision of a quarter of a microsecond, so further
    // digits are noise.
    ((seconds * 1e6).round() as u64).saturating_mul(1000)
}

/// Appends a 64-bit number as a string: a JSON number is an `f64` for many readers.
fn write_as_text(json: &mut Vec<u8>, number: &impl Serialize) {
    json.push(b'"');
    write_value(json, number);
    json.push(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::support::json::written;

    #[test]
    fn numbers_of_64_bits_are_strings_and_others_are_not() {
        let attributes = written(|object| {
            object.list("attributes", |list| {
                list.attribute("integer", i64::MIN);
                list.attribute("number", 0.5);
                list.attribute("nan", f64::NAN);
                list.attribute("bool", true);
                list.attribute("texts", Value::Texts(vec!["a", "\"\n"]));
                list.attribute_of("\"\\", "\u{1}\u{1f980}\u{7f}");
            });
        });
        let expected = json!({ "attributes": [
            { "key": "integer", "value": { "intValue": "-9223372036854775808" } },
            { "key": "number", "value": { "doubleValue": 0.5 } },
            { "key": "nan", "value": { "stringValue": "NaN" } },
            { "key": "bool", "value": { "boolValue": true } },
            { "key": "texts", "value": { "arrayValue": { "values": [{ "stringValue": "a" }, { "stringValue": "\"\n" }] } } },
            { "key": "\"\\", "value": { "stringValue": "\u{1}\u{1f980}\u{7f}" } },
        ]});
        assert_eq!(attributes, expected);
    }

    #[test]
    fn times_are_exact_to_a_microsecond() {
        for (seconds, nanos) in [
            (1_795_366_420.954_217, "1795366420954217000"),
            (0.000_001, "1000"),
            (-1.0, "0"),
            (f64::NAN, "0"),
            (f64::INFINITY, "18446744073709551615"),
        ] {
            assert_eq!(written(|object| write_time(object, "time", seconds)), json!({ "time": nanos }));
        }
    }
}
