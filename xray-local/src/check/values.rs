//! Checks values against their shapes.

use serde_json::{Map, Value};

use super::field::{FieldPath, excerpt};
use super::finding::{Finding, Findings};
use super::shape::{EXCEPTIONS, Fields, Shape, shape_of};
use crate::document::TraceId;

/// The consequence of a value of the wrong type in the strictest receivers.
const OTHERS_REJECT: &str =
    "receivers that expect fixed types, such as the OpenTelemetry collector's, reject the whole document";

/// Checks the fields of an object. Unknown fields are findings unless the object `is_open`.
fn check_object(map: &Map<String, Value>, fields: Fields, is_open: bool, at: &FieldPath, findings: &mut Findings) {
    for (name, value) in map {
        let at = at.field(name);
        match shape_of(name, fields) {
            Some(shape) => check(value, shape, &at, findings),
            None if is_open => {}
            None => findings.add(&at, unknown_field),
        }
    }
}

/// Returns the finding for a field that X-Ray does not know.
pub(super) fn unknown_field() -> Finding {
    Finding::suspicious(
        "is not a field that X-Ray knows, so X-Ray drops it",
        "put custom data under `annotations` to search by it, or under a namespace of `metadata`",
    )
}

/// Checks a value against its shape.
pub(super) fn check(value: &Value, shape: &Shape, at: &FieldPath, findings: &mut Findings) {
    match (shape, value) {
        (Shape::CheckedElsewhere, _) | (Shape::Flag, Value::Bool(_)) => {}
        (Shape::Text(most), Value::String(text)) => {
            if text.len() > *most && text.chars().count() > *most {
                findings.add(at, || too_long(text.chars().count(), *most));
            }
        }
        (Shape::Integer(least), Value::Number(number)) if number.is_i64() => {
            if number.as_i64() < Some(*least) {
                findings.add(at, || {
                    Finding::suspicious(
                        format!("is {number}, and X-Ray accepts no number below {least}"),
                        "leave the field out if the number is unknown",
                    )
                });
            }
        }
        (Shape::EntityId | Shape::Cause, Value::String(id)) => check_reference(id, at, findings),
        (Shape::TraceId, Value::String(id)) => {
            if TraceId::parse(id).is_none() {
                findings.add(at, || {
                    Finding::suspicious(
                        format!("`{}` is not a trace id", excerpt(id)),
                        "send an id of the form `1-`, 8 hexadecimal digits, `-`, 24 hexadecimal digits",
                    )
                });
            }
        }
        (Shape::OneOf(texts), Value::String(text)) if texts.contains(&text.as_str()) => {}
        (Shape::List(shape, most), Value::Array(values)) => {
            if values.len() > *most {
                findings.add(at, || {
                    Finding::suspicious(
                        format!("has {} elements, and X-Ray accepts at most {most}", values.len()),
                        format!("send only the {most} most important ones"),
                    )
                });
            }
            for (index, value) in values.iter().enumerate() {
                check(value, shape, &at.element(index), findings);
            }
        }
        (Shape::Object(fields), Value::Object(map)) => check_object(map, fields, false, at, findings),
        (Shape::OpenObject(fields), Value::Object(map)) => check_object(map, fields, true, at, findings),
        (Shape::Required(fields, required), Value::Object(map)) => {
            for name in required.iter().filter(|name| !map.contains_key(**name)) {
                findings.add(&at.field(name), || {
                    Finding::suspicious(format!("is missing; {OTHERS_REJECT} or fail"), "add the field")
                });
            }
            check_object(map, fields, false, at, findings);
        }
        (Shape::Annotations, Value::Object(map)) => check_annotations(map, at, findings),
        (Shape::Metadata, Value::Object(map)) => check_metadata(map, at, findings),
        (Shape::Cause, Value::Object(map)) => check_object(map, EXCEPTIONS, false, at, findings),
        _ => findings.add(at, || wrong_shape(value, shape)),
    }
}

fn too_long(chars: usize, most: usize) -> Finding {
    Finding::suspicious(
        format!("has {chars} characters, and X-Ray accepts at most {most}"),
        format!("shorten the text to {most} characters"),
    )
}

/// Checks an id that refers to another entity or exception. X-Ray accepts the document even if the id is malformed; an
/// entity's own id is checked more strictly, in `entity.rs`.
fn check_reference(id: &str, at: &FieldPath, findings: &mut Findings) {
    match id_form(id) {
        IdForm::Valid => {}
        IdForm::UpperCase => findings.add(at, || upper_case_id(id)),
        IdForm::Invalid => findings.add(at, || {
            Finding::suspicious(
                format!("`{}` is not an id; {OTHERS_REJECT}", excerpt(id)),
                "send 16 hexadecimal digits in lower case, or leave the field out",
            )
        }),
    }
}

/// The form of a segment's, subsegment's or exception's id.
pub(super) enum IdForm {
    /// 16 hexadecimal digits in lower case.
    Valid,
    /// 16 hexadecimal digits, some in upper case.
    UpperCase,
    /// Anything else.
    Invalid,
}

pub(super) fn id_form(id: &str) -> IdForm {
    let is_hex = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_hex {
        true if id.bytes().any(|byte| byte.is_ascii_uppercase()) => IdForm::UpperCase,
        true => IdForm::Valid,
        false => IdForm::Invalid,
    }
}

pub(super) fn upper_case_id(id: &str) -> Finding {
    Finding::suspicious(
        format!(
            "`{}` has upper-case digits; some receivers do not recognize it as the same id in lower case",
            excerpt(id)
        ),
        "send the id in lower case",
    )
}

fn check_annotations(map: &Map<String, Value>, at: &FieldPath, findings: &mut Findings) {
    const MAX_INDEXED: usize = 50;
    const MAX_KEY_CHARS: usize = 500;
    const MAX_VALUE_CHARS: usize = 1000;

    if map.len() > MAX_INDEXED {
        findings.add(at, || {
            Finding::suspicious(
                format!("has {} keys, and X-Ray indexes at most {MAX_INDEXED} per trace", map.len()),
                "move data that nobody searches by to `metadata`",
            )
        });
    }
    for (key, value) in map {
        let at = at.field(key);
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        if !((1..=MAX_KEY_CHARS).contains(&key.len()) && key.bytes().all(is_legal)) {
            findings.add(&at, || {
                Finding::suspicious(
                    "has a key that X-Ray does not accept, so X-Ray drops the annotation",
                    "use a key of 1 to 500 ASCII letters, digits and underscores",
                )
            });
        }
        match value {
            Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) if text.len() <= MAX_VALUE_CHARS || text.chars().count() <= MAX_VALUE_CHARS => {}
            Value::String(text) => findings.add(&at, || too_long(text.chars().count(), MAX_VALUE_CHARS)),
            _ => findings.add(&at, || {
                let reason = format!(
                    "is {}, and X-Ray drops an annotation that is not a string, number or boolean",
                    describe(value)
                );
                Finding::suspicious(reason, "move the value to `metadata`")
            }),
        }
    }
}

fn check_metadata(map: &Map<String, Value>, at: &FieldPath, findings: &mut Findings) {
    for (namespace, value) in map {
        let at = at.field(namespace);
        if namespace.starts_with("AWS.") {
            findings.add(&at, || {
                Finding::suspicious(
                    "is a namespace that starts with `AWS.`, and X-Ray reserves those",
                    "choose another namespace",
                )
            });
        }
        if !value.is_object() {
            findings.add(&at, || {
                let reason = format!(
                    "is {}, not an object; `metadata` must hold one object per namespace, and {OTHERS_REJECT}",
                    describe(value)
                );
                Finding::suspicious(reason, "put the value under a namespace: `\"metadata\": {\"default\": {..}}`")
            });
        }
    }
}

/// Returns the finding for a value that does not have the type of its shape.
fn wrong_shape(value: &Value, shape: &Shape) -> Finding {
    match shape {
        Shape::Flag => wrong_type(value, "`true` or `false`"),
        Shape::Text(_) | Shape::EntityId | Shape::TraceId => wrong_type(value, "a string"),
        Shape::Integer(_) if value.is_u64() => wrong_type(value, "an integer below 2^63"),
        Shape::Integer(_) => wrong_type(value, "an integer"),
        Shape::OneOf(texts) => wrong_type(value, &format!("`{}`", texts.join("` or `"))),
        Shape::List(..) => wrong_type(value, "an array"),
        Shape::Cause => wrong_type(value, "an object or the id of an exception"),
        _ => wrong_type(value, "an object"),
    }
}

/// Returns the finding for a value of the wrong type. `expected` describes the right type, such as "a string".
pub(super) fn wrong_type(value: &Value, expected: &str) -> Finding {
    let advice = match value {
        Value::Null => "leave the field out".to_owned(),
        Value::String(text) if text.parse::<f64>().is_ok() || matches!(text.as_str(), "true" | "false") => {
            "send the value without quotation marks".to_owned()
        }
        _ => format!("send {expected}"),
    };
    Finding::suspicious(format!("is {}, not {expected}; {OTHERS_REJECT}", describe(value)), advice)
}

/// Describes the type of a value, such as "a string".
pub(super) fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a floating-point number",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
