//! The memory that the values in a record hold.
//!
//! The memory may be much larger than the JSON: each value of `[null, null]` takes 5 bytes of JSON and over 32 bytes of
//! memory, and a `String` may have more capacity than text.

use serde_json::Value;

use crate::document::{AnnotationValue, Exception, Sql, StackFrame};

/// Bytes that an allocator adds to an allocation for its own data and for alignment.
pub(super) const ALLOCATION_BYTES: usize = 16;

/// Returns the bytes that an annotation adds to a record.
pub(super) fn annotation_entry(key: &String, value: &AnnotationValue) -> usize {
    text(key) + annotation(value) + entry::<AnnotationValue>()
}

/// Returns the bytes that a value of the metadata or of the `aws` block adds to a record.
pub(super) fn value_entry(key: &String, value: &Value) -> usize {
    text(key) + self::value(value) + entry::<Value>()
}

/// Returns the bytes that a new namespace adds to the metadata: its entry, and the first node of its map.
pub(super) fn namespace_entry(name: &String) -> usize {
    text(name) + entry::<serde_json::Map<String, Value>>() + nodes::<String, Value>(1)
}

pub(super) fn text(text: &String) -> usize {
    allocation(text.capacity())
}

pub(super) fn allocation(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes + ALLOCATION_BYTES }
}

pub(super) fn annotation(value: &AnnotationValue) -> usize {
    if let AnnotationValue::String(value) = value { text(value) } else { 0 }
}

pub(super) fn sql(sql: &Sql) -> usize {
    let Sql { url, sanitized_query, database_type, database_version, driver_version, user, preparation: _ } = sql;
    let texts = [url, sanitized_query, database_type, database_version, driver_version, user];
    size_of::<Sql>() + ALLOCATION_BYTES + texts.into_iter().flatten().map(text).sum::<usize>()
}

pub(super) fn exception(exception: &Exception) -> usize {
    let optional = |value: &Option<String>| value.as_ref().map_or(0, text);
    let frames = exception.stack.iter().map(|frame| optional(&frame.path) + optional(&frame.label));
    // The capacity of the vector of exceptions is up to twice its length.
    2 * size_of::<Exception>()
        + optional(&exception.message)
        + optional(&exception.kind)
        + allocation(exception.stack.capacity() * size_of::<StackFrame>())
        + frames.sum::<usize>()
}

/// Returns the bytes that a value holds on the heap.
fn value(value: &Value) -> usize {
    match value {
        Value::String(value) => text(value),
        Value::Array(values) => {
            allocation(values.capacity() * size_of::<Value>()) + values.iter().map(self::value).sum::<usize>()
        }
        Value::Object(values) => entries(values.iter()),
        _ => 0,
    }
}

/// Returns the bytes of a map's entries and of its nodes.
pub(super) fn entries<'a>(values: impl ExactSizeIterator<Item = (&'a String, &'a Value)>) -> usize {
    nodes::<String, Value>(values.len()) + values.map(|(key, value)| text(key) + self::value(value)).sum::<usize>()
}

/// The capacity of a B-tree node, and the fewest entries of a node after a split.
const NODE_ENTRIES: usize = 11;
const MIN_NODE_ENTRIES: usize = 6;

/// Returns the bytes of the nodes of a B-tree with this number of entries.
pub(super) fn nodes<K, V>(entries: usize) -> usize {
    entries.div_ceil(MIN_NODE_ENTRIES) * allocation(NODE_ENTRIES * (size_of::<K>() + size_of::<V>()))
}

/// Returns the share of one entry in the nodes of a B-tree.
fn entry<V>() -> usize {
    nodes::<String, V>(1) / MIN_NODE_ENTRIES
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_value_holds_is_more_than_its_json() {
        assert!(value(&json!(vec![json!(null); 1000])) >= 1000 * size_of::<Value>());
        assert!(value(&json!(vec![json!({"a": 1}); 1000])) >= 1000 * NODE_ENTRIES * 48);
        let mut long = String::with_capacity(1_000_000);
        long.push('x');
        assert!(value(&long.into()) >= 1_000_000, "a text holds its capacity");
    }
}
