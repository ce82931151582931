//! Infers segments for called services that sent none.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

use crate::document::{Document, Kind, Namespace};

/// The fields that an inferred segment copies from the caller's subsegment.
const COPIED: [&str; 9] = ["start_time", "end_time", "in_progress", "error", "throttle", "fault", "http", "aws", "sql"];

/// Returns an inferred segment for each call to another service that has no segment in the trace. (X-Ray developer
/// guide, "Inferred segments".)
///
/// A call with `traced: true` gets none, because the called service will send its own segment. Inferring again for the
/// same trace gives the same ids.
pub(super) fn infer(trace_id: &str, segments: &[Document]) -> Vec<Document> {
    let entities = || segments.iter().flat_map(Document::walk);
    let answered: HashSet<&str> = segments
        .iter()
        .filter(|segment| segment.kind == Kind::Segment)
        .filter_map(|segment| segment.parent_id.as_deref())
        .collect();
    let mut ids: HashSet<String> = entities().map(|entity| entity.id.clone()).collect();
    let calls = entities().filter(|entity| is_call(entity) && !answered.contains(entity.id.as_str()));
    calls.filter_map(|call| infer_segment(call, trace_id, unused_id(trace_id, &call.id, &mut ids))).collect()
}

/// Returns whether an entity is a call for which a segment may be inferred.
fn is_call(entity: &Document) -> bool {
    let calls_a_service = matches!(entity.namespace, Some(Namespace::Aws | Namespace::Remote));
    entity.kind == Kind::Subsegment && calls_a_service && !entity.traced
}

/// Makes the inferred segment for a call.
fn infer_segment(call: &Document, trace_id: &str, id: String) -> Option<Document> {
    let mut raw = Map::new();
    for field in COPIED {
        if let Some(value) = call.raw.get(field).filter(|value| **value != Value::Bool(false)) {
            raw.insert(field.to_owned(), value.clone());
        }
    }
    let texts = [
        ("id", Some(id)),
        ("name", Some(call.name.clone())),
        ("trace_id", Some(trace_id.to_owned())),
        ("parent_id", Some(call.id.clone())),
        ("origin", origin(call)),
    ];
    raw.extend(texts.into_iter().filter_map(|(field, text)| Some((field.to_owned(), text?.into()))));
    let mut segment = Document::from_value(Value::Object(raw))?;
    segment.raw.insert("inferred".to_owned(), true.into());
    segment.inferred = true;
    Some(segment)
}

/// Returns the origin of the called service: the type of an AWS resource or a database, or `None` for any other
/// service.
fn origin(call: &Document) -> Option<String> {
    if call.namespace == Some(Namespace::Remote) {
        return (!call.sql().is_empty()).then(|| "Database::SQL".to_owned());
    }
    let has = |field: &str| call.aws().contains_key(field);
    let resource = match call.name.to_ascii_lowercase().as_str() {
        "dynamodb" if has("table_name") || has("table_names") || has("resource_names") => "DynamoDB::Table",
        "dynamodb" => "DynamoDB",
        "s3" if has("bucket_name") => "S3::Bucket",
        "s3" => "S3",
        "sqs" if has("queue_url") => "SQS::Queue",
        "sqs" => "SQS",
        "sns" => "SNS",
        "lambda" => "Lambda",
        _ => call.name.as_str(),
    };
    Some(format!("AWS::{resource}"))
}

/// Returns an id that no entity of the trace has. The id is a hash of the call, so the same call always gets the same
/// id.
fn unused_id(trace_id: &str, call: &str, taken: &mut HashSet<String>) -> String {
    for attempt in 0_u64.. {
        let mut hasher = DefaultHasher::new();
        (trace_id, call, attempt).hash(&mut hasher);
        let id = format!("{:016x}", hasher.finish());
        if taken.insert(id.clone()) {
            return id;
        }
    }
    unreachable!("there are more ids than entities")
}
