//! Forms of JSON that Protocol Buffers allow and the types of `opentelemetry-proto` refuse.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The fields with integers and enumerations.
const INTEGERS: [&str; 10] = [
    "kind",
    "code",
    "flags",
    "droppedAttributesCount",
    "droppedEventsCount",
    "droppedLinksCount",
    "startTimeUnixNano",
    "endTimeUnixNano",
    "timeUnixNano",
    "intValue",
];

/// Reads a message. Accepts the forms of the JSON format of Protocol Buffers: `null` for an absent field, an object
/// without fields for an empty list, numbers in quotation marks, integers such as `5.0`, the names of enumerations, and
/// Base64 of either alphabet, with or without padding. OTLP itself asks for the numbers of enumerations, but some
/// senders write their names.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
    // Almost every message is read without a tree of its values.
    serde_json::from_str(json).or_else(|refused| {
        let mut message = serde_json::from_str(json)?;
        simplify(&mut message);
        T::deserialize(message).map_err(|_| refused)
    })
}

/// Replaces the forms that are refused by forms that are accepted.
fn simplify(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(simplify),
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(simplify);
            simplify_fields(fields);
        }
        _ => {}
    }
}

fn simplify_fields(fields: &mut Map<String, Value>) {
    for list in ["arrayValue", "kvlistValue"] {
        if let Some(Value::Object(list)) = fields.get_mut(list) {
            list.entry("values").or_insert_with(|| json!([]));
        }
    }
    if let Some(text) = fields.get("doubleValue").and_then(Value::as_str) {
        // JSON has no number for `NaN` and `Infinity`, so they become a text.
        let (field, value) = match text.parse::<f64>() {
            Ok(number) if number.is_finite() => ("doubleValue", number.into()),
            _ => ("stringValue", text.into()),
        };
        fields.remove("doubleValue");
        fields.insert(field.to_owned(), value);
    }
    replace_name(fields, "kind", |name| SpanKind::from_str_name(name).map(i32::from));
    replace_name(fields, "code", |name| StatusCode::from_str_name(name).map(i32::from));
    for field in INTEGERS {
        if let Some(value) = fields.get_mut(field) {
            if let Some(integer) = integer(value) {
                *value = integer;
            }
        }
    }
    if let Some(Value::String(base64)) = fields.get_mut("bytesValue") {
        *base64 = standard_base64(base64);
    }
}

/// Returns an integer that is written in quotation marks, with a fraction of zero, or with an exponent.
fn integer(value: &Value) -> Option<Value> {
    if let Some(text) = value.as_str() {
        let number: Value = serde_json::from_str(text).ok()?;
        return if number.is_i64() || number.is_u64() { Some(number) } else { integer(&number) };
    }
    let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the number is whole and in the range"
    )]
    match number {
        _ if (0.0..u64::MAX as f64).contains(&number) => Some((number as u64).into()),
        _ if (i64::MIN as f64..0.0).contains(&number) => Some((number as i64).into()),
        _ => None,
    }
}

/// Returns Base64 in the standard alphabet and with padding.
fn standard_base64(text: &str) -> String {
    let mut standard = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    while standard.len() % 4 != 0 {
        standard.push('=');
    }
    standard
}

/// Replaces the name of an enumeration's value by its number.
fn replace_name(fields: &mut Map<String, Value>, field: &str, number: impl FnOnce(&str) -> Option<i32>) {
    if let Some(value) = fields.get_mut(field) {
        if let Some(number) = value.as_str().and_then(number) {
            *value = number.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::trace::v1::Span;

    use super::*;

    fn with(fields: &Value) -> Result<Span, String> {
        let mut span = json!({
            "traceId": "5759e988bd862e3fe1be46a994272793", "spanId": "53995c3f42cd8ad8", "name": "GET /", "kind": 2,
            "startTimeUnixNano": "1", "endTimeUnixNano": 2,
        });
        span.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        read(&span.to_string()).map_err(|error| error.to_string())
    }

    fn value(value: &Value) -> Value {
        let span = with(&json!({ "attributes": [{ "key": "a", "value": value }] })).unwrap();
        serde_json::to_value(&span.attributes[0].value).unwrap()
    }

    #[test]
    fn every_form_of_a_field_is_read() {
        let plain = with(&json!({})).unwrap();
        for field in ["attributes", "events", "links", "traceState", "parentSpanId", "status", "flags"] {
            assert_eq!(with(&json!({ field: null })).as_ref(), Ok(&plain), "{field}");
        }
        assert_eq!(with(&json!({ "kind": "SPAN_KIND_SERVER" })), Ok(plain));
        let failed = with(&json!({ "status": { "code": "STATUS_CODE_ERROR", "message": null } })).unwrap();
        assert_eq!(failed.status.unwrap().code, 2);
        assert!(with(&json!({ "kind": "SPAN_KIND_OTHER" })).is_err());
        assert!(
            with(&json!({ "spanId": 7 })).unwrap_err().contains("invalid type"),
            "the first error is the clearer one"
        );
    }

    #[test]
    fn every_form_of_an_integer_is_read() {
        let counted = with(&json!({ "flags": 257, "droppedAttributesCount": 3, "links": [], "events": [] }));
        for (flags, count) in [(json!("257"), json!("3")), (json!(257.0), json!(3.0)), (json!("2.57e2"), json!("3.0"))]
        {
            assert_eq!(with(&json!({ "flags": flags, "droppedAttributesCount": count })), counted);
        }
        let late = with(&json!({ "startTimeUnixNano": 1.7e18, "endTimeUnixNano": "1.8e18" })).unwrap();
        let nanoseconds = [1_700_000_000_000_000_000, 1_800_000_000_000_000_000];
        assert_eq!([late.start_time_unix_nano, late.end_time_unix_nano], nanoseconds);
        assert_eq!(with(&json!({ "kind": "2" })), with(&json!({})));
        for wrong in [json!("x"), json!("5.5"), json!(1e30), json!(-1), json!({})] {
            assert!(with(&json!({ "flags": wrong })).is_err(), "{wrong}");
        }
        for (written, read) in
            [(json!(5.0), "5"), (json!("-5.0"), "-5"), (json!("9223372036854775807"), "9223372036854775807")]
        {
            assert_eq!(value(&json!({ "intValue": written })), json!({ "intValue": read }));
        }
    }

    #[test]
    fn every_form_of_base64_is_read() {
        for text in ["+/8=", "-_8=", "-_8", "+/8"] {
            assert_eq!(value(&json!({ "bytesValue": text })), json!({ "bytesValue": "+/8=" }), "{text}");
        }
        assert!(with(&json!({ "attributes": [{ "key": "a", "value": { "bytesValue": "-_8!" } }] })).is_err());
    }

    #[test]
    fn every_form_of_an_attribute_is_read() {
        assert_eq!(value(&json!({ "arrayValue": {} })), json!({ "arrayValue": { "values": [] } }));
        assert_eq!(value(&json!({ "kvlistValue": {} })), json!({ "kvlistValue": { "values": [] } }));
        assert_eq!(value(&json!({ "doubleValue": "NaN" })), json!({ "stringValue": "NaN" }));
        assert_eq!(value(&json!({ "doubleValue": "-1.5e3" })), json!({ "doubleValue": -1500.0 }));
        assert_eq!(value(&json!({ "doubleValue": "1e999" })), json!({ "stringValue": "1e999" }));
        let nested = json!({ "arrayValue": { "values": [{ "doubleValue": "Infinity" }, { "arrayValue": {} }] } });
        let expected =
            json!({ "arrayValue": { "values": [{ "stringValue": "Infinity" }, { "arrayValue": { "values": [] } }] } });
        assert_eq!(value(&nested), expected);
    }
}
