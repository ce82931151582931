//! The estimated size of a document.
//!
//! The size decides when subsegments leave their parent, and how much a queue holds. It is asked for at each end of a
//! subsegment, and the exact size would cost as much as writing the JSON.

use serde_json::Value;

use super::{AnnotationValue, Cause, Document, Exception, Http, Sql};

/// The size of a tree of subsegments, or a limit on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The number of subsegments.
    pub(crate) subsegments: usize,
    /// The estimated bytes of their JSON.
    pub(crate) bytes: usize,
}

// The constants are the sizes of typical JSON. An error of ten percent does no harm: `Split` measures the real JSON
// before it is sent.

/// Size of the ids, times and flags of a document, and of the names of its fields.
const DOCUMENT_BYTES: usize = 200;
/// Size of the id and flags of an exception, and of the names of its fields.
const EXCEPTION_BYTES: usize = 120;
/// Size of the line of a stack frame, and of the names of its fields.
const FRAME_BYTES: usize = 32;
/// Size of a number, or of the quotes and separators around any other value.
const VALUE_BYTES: usize = 8;

impl Document {
    /// Estimates the bytes of the document's JSON without its subsegments.
    pub(crate) fn own_bytes(&self) -> usize {
        let annotations = self.annotations.iter().map(|(key, value)| key.len() + annotation_bytes(value));
        let metadata = self.metadata.iter().map(|(namespace, values)| namespace.len() + object_bytes(values.iter()));
        let aws = self.aws.as_ref().map_or(0, |aws| object_bytes(aws.other.iter()));
        DOCUMENT_BYTES
            + self.name.len()
            + self.http.as_ref().map_or(0, http_bytes)
            + self.user.as_ref().map_or(0, String::len)
            + self.cause.as_ref().map_or(0, cause_bytes)
            + annotations.sum::<usize>()
            + metadata.sum::<usize>()
            + aws
            + self.sql.as_ref().map_or(0, |sql| sql_bytes(sql))
    }

    /// Estimates the bytes of the document's JSON with all of its subsegments.
    pub(crate) fn total_bytes(&self) -> usize {
        self.own_bytes() + self.subsegments.iter().map(Self::total_bytes).sum::<usize>()
    }
}

fn http_bytes(http: &Http) -> usize {
    // The method, the status and the length are short; `DOCUMENT_BYTES` covers them.
    let Some(request) = &http.request else { return 0 };
    [&request.url, &request.user_agent, &request.client_ip].into_iter().flatten().map(String::len).sum()
}

fn sql_bytes(sql: &Sql) -> usize {
    // The other fields of the block are short. As many bytes as for a document's fixed fields cover them.
    [&sql.url, &sql.sanitized_query].into_iter().flatten().map(String::len).sum::<usize>() + DOCUMENT_BYTES
}

fn annotation_bytes(value: &AnnotationValue) -> usize {
    match value {
        AnnotationValue::String(text) => VALUE_BYTES + text.len(),
        _ => VALUE_BYTES,
    }
}

fn cause_bytes(cause: &Cause) -> usize {
    match cause {
        Cause::Reference(_) => 0,
        Cause::Exceptions(cause) => cause.exceptions.iter().map(exception_bytes).sum(),
    }
}

fn exception_bytes(exception: &Exception) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let frames = exception.stack.iter().map(|frame| FRAME_BYTES + text(&frame.path) + text(&frame.label));
    EXCEPTION_BYTES + text(&exception.message) + text(&exception.kind) + frames.sum::<usize>()
}

fn value_bytes(value: &Value) -> usize {
    VALUE_BYTES
        + match value {
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(value_bytes).sum(),
            Value::Object(values) => object_bytes(values.iter()),
            _ => 0,
        }
}

fn object_bytes<'a>(values: impl Iterator<Item = (&'a String, &'a Value)>) -> usize {
    values.map(|(key, value)| key.len() + value_bytes(value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SegmentId;

    #[test]
    fn an_estimate_is_near_the_json() {
        let mut document = Document::new(SegmentId::random(), "n".repeat(100), 1.0);
        document.record_exceptions(vec![Exception::text(&"m".repeat(900), "kind"); 20]);
        document.annotations.extend((0..20).map(|number| (format!("key{number}"), "v".repeat(500).into())));
        let metadata = serde_json::json!({ "a": "x".repeat(5000), "b": [1, 2, { "c": "y".repeat(3000) }] });
        document.metadata.entry("default".to_owned()).or_default().insert("key".to_owned(), metadata);
        let json = serde_json::to_vec(&document).unwrap().len();
        let estimate = document.own_bytes();
        assert!(estimate.abs_diff(json) < json / 10, "{estimate}, but {json}");

        let whole = Document {
            subsegments: vec![document.clone(), document],
            ..Document::new(SegmentId::random(), String::new(), 1.0)
        };
        assert!(whole.total_bytes().abs_diff(2 * json) < json / 5);
    }
}
