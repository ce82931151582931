//! All that arrived for one trace id, put together.

mod assemble;
mod calls;
mod inferred;

use std::collections::HashSet;

pub(crate) use calls::{Caller, Calls};

use crate::document::{Document, Kind, TraceId};

/// A trace as X-Ray gives it back: its segments with what belongs to them embedded, and the segments inferred for
/// callees that sent none.
///
/// ```
/// use xray_local::document::{Document, TraceId};
/// use xray_local::trace::Trace;
///
/// let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
/// let arrived = [
///     r#"{"id":"004f72be19cddc2a","type":"subsegment","trace_id":"1-5880168b-fd5153bb58284b67678aa78c","parent_id":"70de5b6f19ff9a0a",
///         "name":"names.example.com","namespace":"remote","start_time":1484786387.131,"end_time":1484786387.501}"#,
///     r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-5880168b-fd5153bb58284b67678aa78c","name":"shop","start_time":1484786387,"end_time":1484786388}"#,
/// ];
/// let trace = Trace::of(id, arrived.into_iter().filter_map(Document::parse));
/// assert_eq!(trace.root().unwrap().subsegments[0].id, "004f72be19cddc2a");
/// let inferred = &trace.segments[1];
/// assert!(inferred.inferred);
/// assert_eq!(inferred.parent_id.as_deref(), Some("004f72be19cddc2a"));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trace {
    /// In the form `1-8 digits-24 digits`, lower case.
    pub id: String,
    /// Segments, and subsegments whose parent is not there (marked as orphans), by start; then the inferred segments.
    pub segments: Vec<Document>,
    /// Whether more arrived than X-Ray keeps of one trace.
    pub limit_exceeded: bool,
    /// How many documents had been taken for it.
    pub revision: u64,
}

impl Trace {
    /// Puts documents together, given in the order in which they arrived; which matters only between two that are the
    /// same entity and equally complete, where the later one counts.
    #[must_use]
    pub fn of(id: TraceId, documents: impl IntoIterator<Item = Document>) -> Self {
        let id = id.to_string();
        let mut segments = assemble::assemble(&id, documents);
        segments.extend(inferred::infer(&id, &segments));
        Self { id, segments, limit_exceeded: false, revision: 0 }
    }

    /// The segment that began it: of those without a parent in the trace the earliest, those that name no parent first.
    #[must_use]
    pub fn root(&self) -> Option<&Document> {
        let real = || self.segments.iter().filter(|segment| segment.kind == Kind::Segment && !segment.inferred);
        let parentless = real().find(|segment| segment.parent_id.is_none());
        parentless.or_else(|| {
            let ids: HashSet<&str> = self.entities().map(|entity| entity.id.as_str()).collect();
            real().find(|segment| segment.parent_id.as_deref().is_none_or(|parent| !ids.contains(parent)))
        })
    }

    /// The segment or subsegment with an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Document> {
        self.entities().find(|entity| entity.id == id)
    }

    /// Every segment and subsegment, inferred ones too, parents first.
    pub fn entities(&self) -> impl Iterator<Item = &Document> {
        self.segments.iter().flat_map(Document::walk)
    }

    /// The earliest start, in seconds since 1970.
    #[must_use]
    pub fn start(&self) -> f64 {
        self.entities().map(|entity| entity.start_time).min_by(f64::total_cmp).unwrap_or_default()
    }

    /// The latest end of what has ended, in seconds since 1970.
    #[must_use]
    pub fn end(&self) -> Option<f64> {
        self.entities().filter_map(|entity| entity.end_time).max_by(f64::total_cmp)
    }

    /// Seconds from the earliest start to the latest end; work after the response counts.
    #[must_use]
    pub fn duration(&self) -> Option<f64> {
        self.end().map(|end| (end - self.start()).max(0.0))
    }

    /// Seconds that the root segment took.
    #[must_use]
    pub fn response_time(&self) -> Option<f64> {
        self.root().and_then(Document::duration)
    }

    /// Whether anything is under way.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.entities().any(|entity| entity.in_progress)
    }
}
