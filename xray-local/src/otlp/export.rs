//! Converts segments to requests of OTLP in JSON.

use serde_json::{Map, Value, json};

use super::{MAX_SPANS, span};
use crate::document::{Document, Kind, Namespace};

/// Returns the spans of segments and of their subsegments as `ExportTraceServiceRequest`s in JSON. Each request has at
/// most [`MAX_SPANS`] spans, and is on a line of its own. (OpenTelemetry protocol specification, "JSON Protobuf
/// Encoding"; "OpenTelemetry Protocol File Exporter".)
///
/// [`read`](super::read) makes segments and subsegments with equal ids, names, times and annotations from the requests.
/// Two things are lost, because a span cannot express them: an error or a throttle without an HTTP status becomes a
/// fault, and of the `aws` block only the fields remain for which there is an attribute.
pub(crate) fn requests<'a>(segments: impl Iterator<Item = &'a Document>) -> Vec<u8> {
    // The spans are written one by one: as JSON values, all of them would take many times the memory of the trace.
    let (mut lines, mut written) = (Vec::new(), 0);
    for segment in segments {
        let mut is_open = false;
        for entity in segment.walk() {
            let mut span = span(entity, segment);
            let resource = span["resource"]["attributes"].take();
            let is_full = written == MAX_SPANS;
            if is_full {
                lines.extend_from_slice(if is_open { b"]}]}]}\n" } else { b"]}\n" });
                (written, is_open) = (0, false);
            }
            if is_open {
                lines.push(b',');
            } else {
                lines.extend_from_slice(if written == 0 { b"{\"resourceSpans\":[" } else { b"," });
                let resource = json!({ "attributes": attributes(resource) });
                let group =
                    format!("{{\"resource\":{resource},\"scopeSpans\":[{{\"scope\":{{\"name\":\"xray\"}},\"spans\":[");
                lines.extend_from_slice(group.as_bytes());
                is_open = true;
            }
            written += 1;
            serde_json::to_writer(&mut lines, &encoded(span, entity)).expect("a value is written to memory");
        }
        lines.extend_from_slice(b"]}]}");
    }
    lines.extend_from_slice(if written == 0 { b"{\"resourceSpans\":[]}\n" } else { b"]}\n" });
    lines
}

/// Converts a span from the form of the log group of Transaction Search to the encoding of OTLP.
fn encoded(mut span: Value, entity: &Document) -> Value {
    let fields = span.as_object_mut().expect("a span is an object");
    for field in ["resource", "scope", "durationNano"] {
        fields.remove(field);
    }
    // The numbers of the enums `SpanKind` and `StatusCode`.
    let kind = match (entity.kind, entity.namespace) {
        (Kind::Segment, _) => 2,
        (Kind::Subsegment, Some(Namespace::Aws | Namespace::Remote)) => 3,
        (Kind::Subsegment, _) => 1,
    };
    fields.insert("kind".to_owned(), kind.into());
    let is_failed = fields.get("status").is_some_and(|status| status["code"] == "ERROR");
    fields.insert("status".to_owned(), if is_failed { json!({ "code": 2 }) } else { json!({}) });
    // An integer of 64 bits is a text.
    let as_text = |value: &mut Value| *value = value.to_string().into();
    for field in ["startTimeUnixNano", "endTimeUnixNano"] {
        fields.get_mut(field).into_iter().for_each(as_text);
    }

    let mut own = fields.remove("attributes").unwrap_or_default();
    if entity.namespace == Some(Namespace::Remote) && entity.kind == Kind::Subsegment {
        // The name of the service that is called. The name of a span is its operation.
        own["peer.service"] = entity.name.as_str().into();
    }
    if let Some(system) = own["db.system"].as_str().map(str::to_ascii_lowercase) {
        own["db.system"] = system.into();
    }
    fields.insert("attributes".to_owned(), attributes(own));
    for list in ["events", "links"] {
        let parts = fields.get_mut(list).and_then(Value::as_array_mut);
        for part in parts.into_iter().flatten() {
            part["attributes"] = attributes(part["attributes"].take());
            if let Some(time) = part.get_mut("timeUnixNano") {
                as_text(time);
            }
        }
    }
    span
}

/// Converts an object to a list of attributes.
fn attributes(object: Value) -> Value {
    let Value::Object(fields) = object else { return json!([]) };
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    fields.map(|(key, value)| json!({ "key": key, "value": any(value) })).collect()
}

fn any(value: Value) -> Value {
    let (kind, value) = match value {
        Value::Null => return json!({}),
        Value::Bool(flag) => ("boolValue", flag.into()),
        Value::Number(number) if number.is_i64() => ("intValue", number.to_string().into()),
        Value::Number(number) => ("doubleValue", number.into()),
        Value::String(text) => ("stringValue", text.into()),
        Value::Array(values) => ("arrayValue", json!({ "values": values.into_iter().map(any).collect::<Vec<_>>() })),
        object @ Value::Object(_) => ("kvlistValue", json!({ "values": attributes(object) })),
    };
    Value::Object(Map::from_iter([(kind.to_owned(), value)]))
}

// The tests read the requests again.
#[cfg(all(test, feature = "otlp"))]
mod tests {
    use super::*;
    use crate::otlp::{Encoding, read};

    fn segment(number: u32, subsegments: u32) -> Document {
        let id = |index: u32| format!("{:08x}{index:08x}", number + 1);
        let subsegments: Vec<Value> = (1..=subsegments)
            .map(|index| json!({ "id": id(index), "name": "step", "start_time": 1.25, "end_time": 2 }))
            .collect();
        let document = json!({ "id": id(0), "trace_id": "1-581cf771-a006649127e371903a2de979", "name": "shop", "start_time": 1,
            "end_time": 3, "subsegments": subsegments });
        Document::from_value(document).unwrap()
    }

    /// Returns the number of spans on each line.
    fn spans_on_lines(segments: &[Document]) -> Vec<usize> {
        let text = String::from_utf8(requests(segments.iter())).unwrap();
        let spans_on = |line: &str| {
            let mut spans = 0;
            let unread = read(line.as_bytes(), Encoding::Json, |span| spans += usize::from(span.is_ok())).unwrap();
            assert_eq!(unread, 0);
            spans
        };
        text.lines().map(spans_on).collect()
    }

    #[test]
    fn a_line_has_as_many_spans_as_a_request_may_have() {
        assert_eq!(spans_on_lines(&[]), [0]);
        assert_eq!(spans_on_lines(&[segment(0, 2), segment(1, 0)]), [4]);
        assert_eq!(spans_on_lines(&[segment(0, 5_999), segment(1, 6_999)]), [10_000, 3_000]);
        assert_eq!(spans_on_lines(&[segment(0, 9_999), segment(1, 1)]), [10_000, 2]);
        assert_eq!(spans_on_lines(&[segment(0, 25_000)]), [10_000, 10_000, 5_001]);
    }
}
