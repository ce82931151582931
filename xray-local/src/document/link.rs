//! Links between traces.

use serde_json::{Map, Value};

/// A link to a segment or subsegment of another trace.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Link<'a> {
    /// The id of the other trace, as it was received.
    pub trace_id: &'a str,
    /// The id of the segment or subsegment.
    pub id: Option<&'a str>,
    /// The attributes that the link has.
    pub attributes: Option<&'a Map<String, Value>>,
}

impl<'a> Link<'a> {
    /// Reads a link. Returns `None` if it has no trace id.
    pub(super) fn of(link: &'a Value) -> Option<Self> {
        let trace_id = link.get("trace_id")?.as_str()?;
        let id = link.get("id").and_then(Value::as_str);
        Some(Self { trace_id, id, attributes: link.get("attributes").and_then(Value::as_object) })
    }
}
