//! JSON in, typed fields out, whatever the sender made of the types.

use serde_json::{Map, Value};

use super::{Cause, Document, Http, Kind, Namespace};

/// What a sender gives as a text: a string, or a number or flag in its place.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// A finite number, or a string that is one.
pub(crate) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// A whole number, or what can be read as one.
pub(super) fn integer(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "a float as an integer saturates")]
    value.as_i64().or_else(|| number(value).map(|number| number.trunc() as i64))
}

/// A flag, or a string that is one.
pub(super) fn flag(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => text == "true",
        _ => false,
    }
}

/// The elements of a list; none of anything else.
pub(super) fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// A document that stands by itself, with what is embedded in it.
pub(super) fn document(value: Value) -> Option<Document> {
    let Value::Object(raw) = value else { return None };
    let trace_id = text(raw.get("trace_id")?)?;
    let kind = if raw.get("type").is_some_and(|kind| kind == "subsegment") { Kind::Subsegment } else { Kind::Segment };
    let parent_id = raw.get("parent_id").and_then(text);
    entity(raw, kind, trace_id, parent_id)
}

fn entity(mut raw: Map<String, Value>, kind: Kind, trace_id: String, parent_id: Option<String>) -> Option<Document> {
    let id = text(raw.get("id")?)?;
    let end_time = raw.get("end_time").and_then(number);
    let subsegments = match raw.remove("subsegments") {
        Some(Value::Array(embedded)) => {
            let objects = embedded.into_iter().filter_map(|value| match value {
                Value::Object(raw) => Some(raw),
                _ => None,
            });
            objects.filter_map(|raw| entity(raw, Kind::Subsegment, trace_id.clone(), Some(id.clone()))).collect()
        }
        _ => Vec::new(),
    };
    // Only X-Ray infers.
    raw.remove("inferred");
    let flag_of = |field: &str| raw.get(field).is_some_and(flag);
    Some(Document {
        name: text(raw.get("name")?)?,
        start_time: number(raw.get("start_time")?)?,
        end_time,
        in_progress: end_time.is_none(),
        namespace: raw.get("namespace").and_then(namespace),
        origin: raw.get("origin").and_then(text),
        http: raw.get("http").and_then(Http::read),
        user: raw.get("user").and_then(text),
        error: flag_of("error"),
        throttle: flag_of("throttle"),
        fault: flag_of("fault"),
        cause: raw.get("cause").and_then(Cause::read),
        inferred: false,
        // The guide puts it with the request, the schema and other SDKs put it at the top.
        traced: flag_of("traced")
            || raw.get("http").and_then(|http| http.get("request")?.get("traced")).is_some_and(flag),
        orphan: false,
        id,
        trace_id,
        parent_id,
        kind,
        subsegments,
        raw,
    })
}

fn namespace(value: &Value) -> Option<Namespace> {
    match value.as_str()? {
        "aws" => Some(Namespace::Aws),
        "remote" => Some(Namespace::Remote),
        "local" => Some(Namespace::Local),
        _ => None,
    }
}
