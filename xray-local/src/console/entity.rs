//! How pages describe a segment or subsegment.

use maud::{Markup, html};

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
