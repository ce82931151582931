//! The search in a trace.

use serde_json::Value;

use crate::console::label::Label;
use crate::document::{Cause, Document};

/// Returns whether a segment or subsegment mentions a text, in any case: in its name, id, request, query, operation,
/// annotations, user or exceptions. `text` is in lower case.
pub(super) fn mentions(document: &Document, text: &str) -> bool {
    let contains = |field: &str| field.to_lowercase().contains(text);
    let is_in = |value: &Value| match value {
        Value::String(field) => contains(field),
        Value::Number(_) | Value::Bool(_) => contains(&value.to_string()),
        _ => false,
    };
    let label = Label::of(document);
    let http = document.http.as_ref();
    let url = http.and_then(|http| http.url.as_deref());
    let exceptions = document.cause.iter().flat_map(Cause::exceptions);
    let mut messages = exceptions.flat_map(|exception| [&exception.kind, &exception.message]).flatten();
    contains(&document.name)
        || contains(&label.name)
        || contains(&label.detail)
        || document.id == text
        || url.is_some_and(contains)
        || document.user.as_deref().is_some_and(contains)
        || document.annotations().iter().any(|(key, value)| contains(key) || is_in(value))
        || document.sql().get("sanitized_query").is_some_and(is_in)
        || document.aws().values().any(is_in)
        || messages.any(|message| contains(message))
}
