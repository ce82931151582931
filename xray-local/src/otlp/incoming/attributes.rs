//! Values of attributes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use serde_json::{Map, Value};

/// Returns the key and value of an attribute, or `None` if the attribute has no value.
pub(super) fn entry(attribute: KeyValue) -> Option<(String, Any)> {
    Some((attribute.key, attribute.value?.value?))
}

/// Returns the text of a value. Returns `None` if the value is not a text, or if the text is empty.
pub(super) fn text(value: Any) -> Option<String> {
    match value {
        Any::StringValue(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Returns the number of an integer value, or `None` for a value of another type.
pub(super) fn integer(value: &Any) -> Option<i64> {
    match value {
        Any::IntValue(number) => Some(*number),
        _ => None,
    }
}

/// Like [`text`], but also converts integers to text.
pub(super) fn text_or_integer(value: Any) -> Option<String> {
    match value {
        Any::IntValue(number) => Some(number.to_string()),
        value => text(value),
    }
}

/// Returns the texts in a list. A single text counts as a list with one element.
pub(super) fn texts(value: Any) -> Vec<String> {
    match value {
        Any::ArrayValue(list) => list.values.into_iter().filter_map(|element| text(element.value?)).collect(),
        value => text(value).into_iter().collect(),
    }
}

/// Converts a value to JSON.
///
/// Bytes become Base64, as in OTLP's own JSON. Numbers that JSON cannot represent, such as NaN, become texts.
pub(super) fn json(value: Any) -> Value {
    match value {
        Any::StringValue(text) => text.into(),
        Any::BoolValue(flag) => flag.into(),
        Any::IntValue(number) => number.into(),
        Any::DoubleValue(number) if !number.is_finite() => number.to_string().into(),
        Any::DoubleValue(number) => number.into(),
        Any::ArrayValue(list) => list.values.into_iter().map(any_json).collect(),
        Any::KvlistValue(list) => Value::Object(object(list.values)),
        Any::BytesValue(bytes) => STANDARD.encode(bytes).into(),
        // An index into the string table of a profile. Traces have no string table.
        Any::StringValueStrindex(index) => index.into(),
    }
}

/// Converts attributes to a JSON object.
pub(super) fn object(attributes: Vec<KeyValue>) -> Map<String, Value> {
    attributes.into_iter().map(|attribute| (attribute.key, attribute.value.map_or(Value::Null, any_json))).collect()
}

/// Converts a text, a number or a boolean to the value of an annotation. Returns `None` for other types.
pub(super) fn annotation(value: Any) -> Option<Value> {
    matches!(value, Any::StringValue(_) | Any::BoolValue(_) | Any::IntValue(_) | Any::DoubleValue(_))
        .then(|| json(value))
}

fn any_json(value: AnyValue) -> Value {
    value.value.map_or(Value::Null, json)
}
