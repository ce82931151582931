//! Values against the shapes that they should have.

use serde_json::{Map, Value};

use super::field::{Place, excerpt};
use super::finding::{Finding, Findings};
use super::shape::{EXCEPTIONS, Fields, Shape, shape_of};
use crate::document::TraceId;

/// What the strictest receiver does with a value of the wrong type.
const OTHERS_REFUSE: &str =
    "receivers that decode into types, such as the OpenTelemetry collector's, refuse the whole document";

/// The fields of an object, and those that are not known.
fn object(map: &Map<String, Value>, fields: Fields, is_open: bool, at: &Place, findings: &mut Findings) {
    for (name, value) in map {
        let at = at.field(name);
        match shape_of(name, fields) {
            Some(shape) => check(value, shape, &at, findings),
            None if is_open => {}
            None => findings.add(&at, unknown_field),
        }
    }
}

pub(super) fn unknown_field() -> Finding {
    Finding::suspicious(
        "X-Ray does not know this field and drops it",
        "put data of your own under `annotations`, to search by it, or under a namespace of `metadata`",
    )
}

/// A value that is there.
pub(super) fn check(value: &Value, shape: &Shape, at: &Place, findings: &mut Findings) {
    match (shape, value) {
        (Shape::Special, _) | (Shape::Flag, Value::Bool(_)) => {}
        (Shape::Text(most), Value::String(text)) => {
            if text.len() > *most && text.chars().count() > *most {
                findings.add(at, || too_long(text.chars().count(), *most));
            }
        }
        (Shape::Integer(least), Value::Number(number)) if number.is_i64() => {
            if number.as_i64() < Some(*least) {
                findings.add(at, || {
                    Finding::suspicious(format!("is {number}, less than {least}"), "leave out what is not known")
                });
            }
        }
        (Shape::EntityId | Shape::Cause, Value::String(id)) => entity_id(id, at, findings),
        (Shape::TraceId, Value::String(id)) => {
            if TraceId::parse(id).is_none() {
                findings.add(at, || {
                    Finding::suspicious(
                        format!("`{}` is no trace id", excerpt(id)),
                        "give the id of a trace, `1-8 digits-24 digits`",
                    )
                });
            }
        }
        (Shape::OneOf(texts), Value::String(text)) if texts.contains(&text.as_str()) => {}
        (Shape::List(shape, most), Value::Array(values)) => {
            if values.len() > *most {
                findings.add(at, || {
                    Finding::suspicious(
                        format!("has {} elements; X-Ray takes {most}", values.len()),
                        "send the most important ones",
                    )
                });
            }
            for (index, value) in values.iter().enumerate() {
                check(value, shape, &at.element(index), findings);
            }
        }
        (Shape::Object(fields), Value::Object(map)) => object(map, fields, false, at, findings),
        (Shape::OpenObject(fields), Value::Object(map)) => object(map, fields, true, at, findings),
        (Shape::Required(fields, required), Value::Object(map)) => {
            for name in required.iter().filter(|name| !map.contains_key(**name)) {
                findings.add(&at.field(name), || {
                    Finding::suspicious(format!("is missing; {OTHERS_REFUSE} or fail"), "give it one")
                });
            }
            object(map, fields, false, at, findings);
        }
        (Shape::Annotations, Value::Object(map)) => annotations(map, at, findings),
        (Shape::Metadata, Value::Object(map)) => metadata(map, at, findings),
        (Shape::Cause, Value::Object(map)) => object(map, EXCEPTIONS, false, at, findings),
        _ => findings.add(at, || wrong_shape(value, shape)),
    }
}

fn too_long(chars: usize, most: usize) -> Finding {
    Finding::suspicious(format!("has {chars} characters; X-Ray takes {most}"), format!("cut it to {most} characters"))
}

/// An id that refers to something; one that stands for the entity itself is looked at more strictly.
fn entity_id(id: &str, at: &Place, findings: &mut Findings) {
    match id_form(id) {
        IdForm::Good => {}
        IdForm::UpperCase => findings.add(at, || upper_case(id)),
        IdForm::None => findings.add(at, || {
            Finding::suspicious(
                format!("`{}` is no id, and {OTHERS_REFUSE}", excerpt(id)),
                "give 16 hexadecimal digits in lower case, or leave it out",
            )
        }),
    }
}

pub(super) enum IdForm {
    Good,
    UpperCase,
    None,
}

/// Whether a text is 16 hexadecimal digits.
pub(super) fn id_form(id: &str) -> IdForm {
    let is_hex = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_hex {
        true if id.bytes().any(|byte| byte.is_ascii_uppercase()) => IdForm::UpperCase,
        true => IdForm::Good,
        false => IdForm::None,
    }
}

pub(super) fn upper_case(id: &str) -> Finding {
    Finding::suspicious(
        format!(
            "`{}` has upper-case digits, by which other receivers tell it from the same id in lower case",
            excerpt(id)
        ),
        "write it in lower case",
    )
}

fn annotations(map: &Map<String, Value>, at: &Place, findings: &mut Findings) {
    const MAX_INDEXED: usize = 50;
    const MAX_KEY_CHARS: usize = 500;
    const MAX_VALUE_CHARS: usize = 1000;

    if map.len() > MAX_INDEXED {
        findings.add(at, || {
            Finding::suspicious(
                format!("has {} keys; X-Ray indexes {MAX_INDEXED} of a trace", map.len()),
                "put what is not searched for under `metadata`",
            )
        });
    }
    for (key, value) in map {
        let at = at.field(key);
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        if !((1..=MAX_KEY_CHARS).contains(&key.len()) && key.bytes().all(is_legal)) {
            findings.add(&at, || {
                Finding::suspicious(
                    "X-Ray drops an annotation with such a key",
                    "use 1 to 500 letters, digits and underscores",
                )
            });
        }
        match value {
            Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) if text.len() <= MAX_VALUE_CHARS || text.chars().count() <= MAX_VALUE_CHARS => {}
            Value::String(text) => findings.add(&at, || too_long(text.chars().count(), MAX_VALUE_CHARS)),
            _ => findings.add(&at, || {
                let reason = format!("is {}; X-Ray drops an annotation that is no string, number or flag", kind(value));
                Finding::suspicious(reason, "put it under `metadata`")
            }),
        }
    }
}

fn metadata(map: &Map<String, Value>, at: &Place, findings: &mut Findings) {
    for (namespace, value) in map {
        let at = at.field(namespace);
        if namespace.starts_with("AWS.") {
            findings.add(&at, || {
                Finding::suspicious("namespaces that begin with `AWS.` are X-Ray's own", "choose another namespace")
            });
        }
        if !value.is_object() {
            findings.add(&at, || {
                let reason =
                    format!("is {}, not an object: metadata is an object of objects, and {OTHERS_REFUSE}", kind(value));
                Finding::suspicious(reason, "put it under a namespace: `\"metadata\": {\"default\": {..}}`")
            });
        }
    }
}

fn wrong_shape(value: &Value, shape: &Shape) -> Finding {
    match shape {
        Shape::Flag => wrong_type(value, "`true` or `false`"),
        Shape::Text(_) | Shape::EntityId | Shape::TraceId => wrong_type(value, "a string"),
        Shape::Integer(_) => wrong_type(value, "a whole number"),
        Shape::OneOf(texts) => wrong_type(value, &format!("`{}`", texts.join("` or `"))),
        Shape::List(..) => wrong_type(value, "an array"),
        Shape::Cause => wrong_type(value, "an object or the id of an exception"),
        _ => wrong_type(value, "an object"),
    }
}

/// `wanted` is what it should be, in words.
pub(super) fn wrong_type(value: &Value, wanted: &str) -> Finding {
    let advice = match value {
        Value::Null => "leave it out".to_owned(),
        Value::String(text) if text.parse::<f64>().is_ok() || matches!(text.as_str(), "true" | "false") => {
            "send it without quotes".to_owned()
        }
        _ => format!("send {wanted}"),
    };
    Finding::suspicious(format!("is {}, not {wanted}; {OTHERS_REFUSE}", kind(value)), advice)
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a flag",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
