//! Reads a document from JSON.

use serde_json::{Map, Value};

use super::cause::Cause;
use super::http::Http;
use super::value::{flag, text, time};
use super::{Document, Kind, Namespace};

/// Reads a document and the subsegments in it. Returns `None` if the value is not an object, or if the id, name, trace
/// id or start time is missing or has the wrong type.
pub(super) fn document(value: Value) -> Option<Document> {
    let Value::Object(raw) = value else { return None };
    let trace_id = text(raw.get("trace_id")?)?;
    let kind = if raw.get("type").is_some_and(|kind| kind == "subsegment") { Kind::Subsegment } else { Kind::Segment };
    let parent_id = raw.get("parent_id").and_then(text);
    entity(raw, kind, trace_id, parent_id)
}

/// Reads a segment or subsegment and the subsegments in it. Skips subsegments that cannot be read.
fn entity(mut raw: Map<String, Value>, kind: Kind, trace_id: String, parent_id: Option<String>) -> Option<Document> {
    let id = text(raw.get("id")?)?;
    let end_time = raw.get("end_time").and_then(time);
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
    // Senders must not set `inferred`: only X-Ray does, on the segments that it infers. So ignore the field.
    raw.remove("inferred");
    let flag_of = |field: &str| raw.get(field).is_some_and(flag);
    Some(Document {
        name: text(raw.get("name")?)?,
        start_time: time(raw.get("start_time")?)?,
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
        stand_in: None,
        // The developer guide puts `traced` into `http.request`; the schema and some SDKs put it at the top of the
        // document.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::State;

    fn segment(more: Value) -> Option<Document> {
        let mut segment = json!({ "id": "70de5b6f19ff9a0a", "trace_id": "1-581cf771-a006649127e371903a2de979", "name": "shop", "start_time": 1.5, "end_time": 2.5 });
        let Value::Object(more) = more else { unreachable!() };
        segment.as_object_mut()?.extend(more);
        document(segment)
    }

    #[test]
    fn numbers_and_booleans_may_be_strings() {
        let read = segment(json!({
            "start_time": "1.25", "end_time": " 2.75 ", "fault": "true", "error": 1, "name": 7,
            "http": { "request": { "method": "GET", "x_forwarded_for": "true" }, "response": { "status": "404", "content_length": -1 } },
        }));
        let read = read.unwrap();
        assert_eq!((read.start_time, read.duration(), read.name.as_str()), (1.25, Some(1.5), "7"));
        assert_eq!((read.fault, read.error, read.state()), (true, false, State::Fault));
        let http = read.http.unwrap();
        assert_eq!((http.status, http.content_length, http.x_forwarded_for), (Some(404), Some(-1), true));
    }

    #[test]
    fn a_field_of_the_wrong_type_is_none_and_stays_in_raw() {
        let wrong = json!({ "end_time": "soon", "http": 7, "cause": 7, "user": [], "namespace": "here", "annotations": [], "aws": null, "subsegments": {} });
        let read = segment(wrong.clone()).unwrap();
        assert_eq!((read.end_time, read.in_progress, read.duration()), (None, true, None));
        assert!(read.http.is_none() && read.cause.is_none() && read.user.is_none() && read.namespace.is_none());
        assert!(read.annotations().is_empty() && read.aws().is_empty() && read.subsegments.is_empty());
        assert_eq!(read.raw["user"], wrong["user"]);
    }

    #[test]
    fn a_document_without_id_name_trace_id_or_start_is_not_read() {
        for field in ["id", "name", "trace_id", "start_time"] {
            assert!(segment(json!({ field: null })).is_none(), "{field}");
            assert!(segment(json!({ field: {} })).is_none(), "{field}");
        }
        assert!(document(json!([])).is_none());
    }

    #[test]
    fn numbers_out_of_range_saturate() {
        let read =
            segment(json!({ "start_time": 1e308, "end_time": -1e308, "http": { "response": { "status": 1e30 } } }))
                .unwrap();
        assert_eq!((read.duration(), read.http.unwrap().status), (Some(0.0), Some(i64::MAX)));
        let longest = segment(json!({ "start_time": -1.7e308, "end_time": 1.7e308 })).unwrap();
        assert!(longest.duration().is_some_and(f64::is_finite));
    }

    #[test]
    fn an_exception_without_an_id_is_read() {
        let read = segment(json!({ "cause": { "exceptions": [
            { "message": "m", "type": "T", "remote": true, "truncated": "3", "stack": [{ "path": "p", "line": "7", "label": "l" }, 7] }, 7,
        ] } }));
        let cause = read.unwrap().cause.unwrap();
        let exception = &cause.exceptions()[0];
        assert_eq!(
            (exception.id.as_deref(), exception.kind.as_deref(), exception.truncated),
            (None, Some("T"), Some(3))
        );
        assert_eq!((exception.stack[0].line, exception.stack.len(), cause.exceptions().len()), (Some(7), 2, 2));
        let reference = segment(json!({ "cause": "f3ed57bd1fc50693" })).unwrap().cause.unwrap();
        assert_eq!(reference, Cause::Reference("f3ed57bd1fc50693".to_owned()));
    }

    #[test]
    fn embedded_subsegments_get_the_trace_id_and_parent_id() {
        let read = segment(json!({ "subsegments": [
            { "id": "b", "name": "call", "start_time": 1, "namespace": "remote", "subsegments": [{ "id": "c", "name": "deep", "start_time": 1 }, 7, {}] },
        ] }));
        let read = read.unwrap();
        let found: Vec<_> =
            read.walk().map(|entity| (entity.id.as_str(), entity.parent_id.as_deref(), entity.kind)).collect();
        let (segment, subsegment) = (Kind::Segment, Kind::Subsegment);
        assert_eq!(
            found,
            [
                (read.id.as_str(), None, segment),
                ("b", Some(read.id.as_str()), subsegment),
                ("c", Some("b"), subsegment)
            ]
        );
        assert!(read.walk().all(|entity| entity.trace_id == read.trace_id));
    }

    #[test]
    fn times_keep_their_digits() {
        let text =
            r#"{"id":"a","name":"n","trace_id":"t","start_time":1484786387.1260014,"end_time":1484786387.126001123}"#;
        let sent: Value = serde_json::from_str(text).unwrap();
        assert_eq!(sent["start_time"].to_string(), "1484786387.1260014");
        assert_eq!(
            serde_json::to_string(&Document::parse(text).unwrap()).unwrap(),
            text.replace("126001123", "1260011")
        );
    }
}
