//! What several pages say of a segment or subsegment.

use maud::{Markup, html};

use crate::document::{Document, Kind, Namespace};
use crate::trace::Trace;

/// What a row stands for.
pub(super) fn kind(document: &Document) -> &'static str {
    match (document.kind, document.namespace) {
        (Kind::Segment, _) if document.inferred => "inferred segment",
        (Kind::Segment, _) => "segment",
        (Kind::Subsegment, Some(Namespace::Aws)) => "call of an AWS service",
        (Kind::Subsegment, Some(Namespace::Remote)) if !document.sql().is_empty() => "database query",
        (Kind::Subsegment, Some(Namespace::Remote)) => "remote call",
        (Kind::Subsegment, _) => "subsegment",
    }
}

pub(super) fn tags(document: &Document) -> Markup {
    html! {
        @if document.inferred { span.tag.inferred { "inferred" } }
        @if document.in_progress { span.tag.progress { "in progress" } }
        @if document.orphan { span.tag.error { "parent missing" } }
    }
}

pub(super) fn main_segment(trace: &Trace) -> Option<&Document> {
    trace.root().or_else(|| trace.segments.first())
}
