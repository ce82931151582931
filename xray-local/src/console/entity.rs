//! How pages describe a segment or subsegment.

use std::hash::{DefaultHasher, Hash, Hasher};

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::format;
use crate::document::{Document, Kind, Namespace, StandIn};
use crate::trace::Trace;

/// Returns what a segment or subsegment stands for, in lower case.
pub(super) fn kind(document: &Document) -> &'static str {
    match (document.kind, document.namespace) {
        (Kind::Segment, _) if document.stand_in.is_some() => "segment that was not received",
        (Kind::Segment, _) if document.inferred => "inferred segment",
        (Kind::Segment, _) => "segment",
        (Kind::Subsegment, Some(Namespace::Aws)) => "AWS call",
        (Kind::Subsegment, Some(Namespace::Remote)) if !document.sql().is_empty() => "database query",
        (Kind::Subsegment, Some(Namespace::Remote)) => "remote call",
        (Kind::Subsegment, _) => "subsegment",
    }
}

/// Renders a tag for each unusual property of a segment or subsegment.
pub(super) fn tags(document: &Document) -> Markup {
    html! {
        @if document.stand_in == Some(StandIn::Lambda) { span.tag.inferred { "not received" } }
        @if document.inferred { span.tag.inferred { "inferred" } }
        @if document.in_progress { span.tag.progress { "in progress" } }
        @if document.is_cancelled() { span.tag.cancelled { "cancelled" } }
        @if document.orphan { span.tag.error { "parent missing" } }
    }
}

/// Returns the segment that names a trace: its root. As long as no root has arrived, the first segment or subsegment
/// takes its place.
pub(super) fn main_segment(trace: &Trace) -> Option<&Document> {
    trace.root().or_else(|| trace.entities().find(|entity| entity.stand_in.is_none()))
}

/// Returns a number that is equal for segments or subsegments that do the same: for those with equal names, kinds, and
/// requests or AWS operations. The query of a URL is left out.
pub(super) fn signature(document: &Document) -> u64 {
    let http = document.http.as_ref();
    let path = http.and_then(|http| http.url.as_deref()).map(|url| format::split_url(url).1).unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let text = |block: &Map<String, Value>, field: &str| block.get(field).and_then(Value::as_str).map(str::to_owned);
    let (aws, sql) = (document.aws(), document.sql());
    let operation = [text(aws, "operation"), text(aws, "table_name"), text(sql, "sanitized_query")];
    hash_of(&(rough_signature(document), path, operation))
}

/// Like [`signature`], but without the path, the operation and the query.
pub(super) fn rough_signature(document: &Document) -> u64 {
    let method = document.http.as_ref().and_then(|http| http.method.as_deref());
    hash_of(&(&document.name, document.kind, document.namespace, method))
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
