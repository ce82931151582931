//! Traces: the documents of one trace id, assembled.

mod assemble;
mod calls;
mod inferred;
mod missing;
mod retries;
mod rows;
mod signature;
mod stand_in;
mod times;

use std::collections::HashSet;

pub(crate) use calls::{Caller, Calls};
pub use retries::retries;
pub use rows::Row;
pub(crate) use signature::{rough_signature, signature};
pub(crate) use times::{Times, times};

use crate::document::{Document, Kind, State, TraceId};

/// A trace as X-Ray returns it.
///
/// Subsegments are embedded in their segments, even if they were sent separately. Called services that sent no segment
/// have an inferred one.
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
    /// The trace id: `1-`, 8 hexadecimal digits, `-`, 24 hexadecimal digits, in lower case.
    pub id: String,
    /// The segments and the orphans, ordered by start, followed by the inferred segments. An orphan is a subsegment
    /// whose parent is missing.
    pub segments: Vec<Document>,
    /// `true` if the trace is larger than X-Ray allows.
    pub limit_exceeded: bool,
    /// The number of documents that the trace was assembled from.
    pub revision: u64,
}

impl Trace {
    /// Assembles a trace from documents in the order of their arrival.
    ///
    /// If two documents describe the same segment or subsegment, the complete one replaces the one in progress. The
    /// order matters only if both are complete or both are in progress: then the later one wins.
    #[must_use]
    pub fn of(id: TraceId, documents: impl IntoIterator<Item = Document>) -> Self {
        let id = id.to_string();
        let mut segments = assemble::assemble(&id, documents);
        segments.extend(inferred::infer(&id, &segments));
        let mut trace = Self { id, segments, limit_exceeded: false, revision: 0 };
        trace.mark_orphans();
        trace
    }

    /// Returns the segment that started the trace: the earliest segment without a `parent_id`, or else the earliest one
    /// whose parent is missing from the trace.
    #[must_use]
    pub fn root(&self) -> Option<&Document> {
        let real = || {
            self.segments
                .iter()
                .filter(|segment| segment.kind == Kind::Segment && !segment.inferred && segment.stand_in.is_none())
        };
        let parentless = real().find(|segment| segment.parent_id.is_none());
        parentless.or_else(|| {
            let ids: HashSet<&str> = self.entities().map(|entity| entity.id.as_str()).collect();
            real().find(|segment| segment.parent_id.as_deref().is_none_or(|parent| !ids.contains(parent)))
        })
    }

    /// Returns the documents whose flags are those of the trace: the root segment. Without one, returns the received
    /// segments and subsegments that no other one contains or calls. They are what arrives of a Lambda function, whose
    /// segment only AWS has.
    pub(crate) fn heads(&self) -> Vec<&Document> {
        if let Some(root) = self.root() {
            return vec![root];
        }
        let mut is_below_stand_in = false;
        let mut is_head = |row: &Row<'_>| {
            if row.depth == 0 {
                is_below_stand_in = row.document.stand_in.is_some();
                return !is_below_stand_in;
            }
            row.depth == 1 && is_below_stand_in
        };
        // An inferred segment repeats the flags of its call, which the caller may have handled.
        self.rows(false).into_iter().filter(|row| is_head(row)).map(|row| row.document).collect()
    }

    /// Returns the state of the root segment. Without one, returns the worst state of the received segments and
    /// subsegments that no other one contains or calls.
    #[must_use]
    pub fn state(&self) -> State {
        self.heads().into_iter().map(Document::state).max().unwrap_or(State::Ok)
    }

    /// Returns the segment or subsegment with an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Document> {
        self.entities().find(|entity| entity.id == id)
    }

    /// Returns every segment and subsegment, including inferred segments, parents before their children.
    pub fn entities(&self) -> impl Iterator<Item = &Document> {
        self.segments.iter().flat_map(Document::walk)
    }

    /// Returns the earliest start, in seconds since 1970.
    #[must_use]
    pub fn start(&self) -> f64 {
        self.entities().map(|entity| entity.start_time).min_by(f64::total_cmp).unwrap_or_default()
    }

    /// Returns the latest end, in seconds since 1970, or `None` if everything is in progress.
    #[must_use]
    pub fn end(&self) -> Option<f64> {
        self.entities().filter_map(|entity| entity.end_time).max_by(f64::total_cmp)
    }

    /// Returns the seconds from the earliest start to the latest end. This includes work after the root segment's
    /// response.
    #[must_use]
    pub fn duration(&self) -> Option<f64> {
        self.end().map(|end| (end - self.start()).max(0.0))
    }

    /// Returns the duration of the root segment in seconds.
    #[must_use]
    pub fn response_time(&self) -> Option<f64> {
        self.root().and_then(Document::duration)
    }

    /// Returns whether any segment or subsegment is in progress.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.entities().any(|entity| entity.in_progress)
    }
}

#[cfg(test)]
impl Trace {
    /// Assembles a trace from documents, and sets their `trace_id`.
    pub(crate) fn of_values(documents: impl IntoIterator<Item = serde_json::Value>) -> Self {
        let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
        let documents = documents.into_iter().map(|mut document| {
            document["trace_id"] = id.to_string().into();
            Document::from_value(document).unwrap()
        });
        Self::of(id, documents)
    }
}
