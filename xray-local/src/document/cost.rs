//! The memory that a document takes while its trace is read.

use serde_json::{Map, Value};

/// The bytes for a segment or subsegment itself: a [`Document`](super::Document), which moves through several lists
/// while a trace is assembled, and its places in the indexes that a page makes.
const ENTITY: usize = 2_600;

/// The bytes for the segment that may stand in for the missing parent of a subsegment.
const STAND_IN: usize = 2_200;

/// The bytes for a node of a map. The maps of `serde_json` are B-trees, and each node of such a tree has room for 11
/// entries from the start. So a map of one entry takes as much memory as one of 11.
const NODE: usize = 640;

/// The bytes for each further entry of a map. A B-tree fills its nodes at least to the half.
const ENTRY: usize = 170;

/// The bytes for a value in the summary of a trace, with the service that recorded it.
const SUMMARIZED: usize = 600;

/// Fields that an inferred segment copies, and fields that are kept both as raw JSON and in a typed form.
const COPIED: [&str; 4] = ["http", "aws", "sql", "cause"];

/// Returns an upper bound of the bytes that a document takes while its trace is read.
///
/// A document of ordinary calls takes forty times its text, and one of many small objects a hundred times. The test
/// `the_memory_of_a_trace_is_never_underestimated` of `tests/memory.rs` compares the bound with the allocator.
pub(crate) fn cost(document: &Map<String, Value>) -> usize {
    let is_subsegment = document.get("type").is_some_and(|kind| kind == "subsegment");
    entity(document) + if is_subsegment { STAND_IN } else { 0 }
}

fn entity(fields: &Map<String, Value>) -> usize {
    let fields_cost = fields.iter().map(|(name, value)| {
        text(name)
            + match value {
                Value::Array(embedded) if name == "subsegments" => list(embedded, subsegment),
                Value::Object(annotations) if name == "annotations" => {
                    self::value(value) + annotations.len() * SUMMARIZED
                }
                Value::String(user) if name == "user" => 3 * text(user) + SUMMARIZED,
                value if COPIED.contains(&name.as_str()) => 3 * self::value(value),
                value => self::value(value),
            }
    });
    ENTITY + nodes(fields.len()) + fields_cost.sum::<usize>()
}

fn subsegment(value: &Value) -> usize {
    match value {
        Value::Object(fields) => entity(fields),
        other => self::value(other),
    }
}

fn value(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => self::text(text),
        Value::Array(values) => list(values, self::value),
        Value::Object(fields) => {
            nodes(fields.len()) + fields.iter().map(|(name, value)| text(name) + self::value(value)).sum::<usize>()
        }
    }
}

/// A growing list has room for twice its elements, and for four from the start.
fn list(values: &[Value], element: fn(&Value) -> usize) -> usize {
    let places = if values.is_empty() { 0 } else { 4.max(2 * values.len()) };
    places * size_of::<Value>() + values.iter().map(element).sum::<usize>()
}

fn nodes(entries: usize) -> usize {
    if entries == 0 { 0 } else { NODE + entries.saturating_sub(11) * ENTRY }
}

/// An allocator rounds lengths up and keeps a header.
fn text(text: &str) -> usize {
    if text.is_empty() { 0 } else { text.len() + 24 }
}
