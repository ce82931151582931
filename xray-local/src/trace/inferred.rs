//! The segments that X-Ray makes for callees that send none.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

use crate::document::{Document, Kind, Namespace};

/// The blocks and flags that a callee's segment has from the caller's subsegment.
const COPIED: [&str; 9] = ["start_time", "end_time", "in_progress", "error", "throttle", "fault", "http", "aws", "sql"];

/// An inferred segment for each call of another service that no segment of the trace answers. (Developer guide, "Inferred
/// segments".)
///
/// A call that says that its callee is traced has none: the callee's own segment is awaited. The ids are the same each time.
pub(super) fn infer(trace_id: &str, segments: &[Document]) -> Vec<Document> {
    let entities = || segments.iter().flat_map(Document::walk);
    let answered: HashSet<&str> = segments
        .iter()
        .filter(|segment| segment.kind == Kind::Segment)
        .filter_map(|segment| segment.parent_id.as_deref())
        .collect();
    let mut ids: HashSet<String> = entities().map(|entity| entity.id.clone()).collect();
    let calls = entities().filter(|entity| is_call(entity) && !answered.contains(entity.id.as_str()));
    calls.filter_map(|call| callee(call, trace_id, unused_id(trace_id, &call.id, &mut ids))).collect()
}

fn is_call(entity: &Document) -> bool {
    let calls_a_service = matches!(entity.namespace, Some(Namespace::Aws | Namespace::Remote));
    entity.kind == Kind::Subsegment && calls_a_service && !entity.traced
}

/// The segment of what a subsegment calls.
fn callee(call: &Document, trace_id: &str, id: String) -> Option<Document> {
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

/// The type of an AWS resource or of a database; other services have none.
fn origin(call: &Document) -> Option<String> {
    if call.namespace == Some(Namespace::Remote) {
        return (!call.sql().is_empty()).then(|| "Database::SQL".to_owned());
    }
    let names = |field: &str| call.aws().contains_key(field);
    let resource = match call.name.to_ascii_lowercase().as_str() {
        "dynamodb" if names("table_name") || names("table_names") || names("resource_names") => "DynamoDB::Table",
        "dynamodb" => "DynamoDB",
        "s3" if names("bucket_name") => "S3::Bucket",
        "s3" => "S3",
        "sqs" if names("queue_url") => "SQS::Queue",
        "sqs" => "SQS",
        "sns" => "SNS",
        "lambda" => "Lambda",
        _ => call.name.as_str(),
    };
    Some(format!("AWS::{resource}"))
}

/// 16 hexadecimal digits that no entity of the trace has, always the same for the same call.
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
