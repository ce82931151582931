//! Segments whose parent was not received.

use std::collections::{BTreeSet, HashSet};

use super::Trace;
use crate::document::{Document, Kind};

/// The most ids that a sentence names, and the most characters of each. An id has 16, but a document may hold any text.
const MAX_IDS: usize = 3;
const MAX_ID_CHARS: usize = 40;

/// The usual reasons for a missing parent.
const MEANING: &str = "Usually the caller has not ended its segment, sends its documents to another address, or is not \
                       traced by X-Ray. A copied trace header names a parent that no program sends.";

impl Trace {
    /// Returns a sentence with the ids of the parents that received segments name and that were not received, and what
    /// that usually means. Returns `None` if each parent was received.
    ///
    /// Stand-ins explain the missing parents of subsegments ([`with_stand_ins`](Self::with_stand_ins)).
    ///
    /// ```
    /// use xray_local::document::{Document, TraceId};
    /// use xray_local::trace::Trace;
    ///
    /// let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
    /// let worker = r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-5880168b-fd5153bb58284b67678aa78c","name":"worker",
    ///     "parent_id":"53995c3f42cd8ad8","start_time":1,"end_time":2}"#;
    /// let trace = Trace::of(id, Document::parse(worker));
    /// let explanation = trace.missing_parents().unwrap();
    /// assert!(explanation.starts_with("The parent segment `53995c3f42cd8ad8` was not received."));
    /// ```
    #[must_use]
    pub fn missing_parents(&self) -> Option<String> {
        let orphans = self.segments.iter().filter(|segment| segment.kind == Kind::Segment && segment.orphan);
        let ids: BTreeSet<&str> = orphans.filter_map(|segment| segment.parent_id.as_deref()).collect();
        let named: Vec<String> = ids.iter().take(MAX_IDS).map(|id| format!("`{id:.MAX_ID_CHARS$}`")).collect();
        let more = ids.len().saturating_sub(MAX_IDS);
        let missing = match (&named[..], more) {
            ([], _) => return None,
            ([id], _) => format!("The parent segment {id} was not received."),
            (ids, 0) => format!("The parent segments {} were not received.", ids.join(", ")),
            (ids, more) => format!("The parent segments {} and {more} more were not received.", ids.join(", ")),
        };
        Some(format!("{missing} {MEANING}"))
    }

    /// Marks the received segments whose parent is not in the trace as orphans, and removes the mark from the others.
    pub(super) fn mark_orphans(&mut self) {
        let names_parent = |segment: &Document| {
            let has_parent = segment.parent_id.as_deref().is_some_and(|parent| !parent.is_empty());
            has_parent && segment.kind == Kind::Segment && !segment.inferred
        };
        // Most traces have one segment, and collecting ids takes time.
        if !self.segments.iter().any(names_parent) {
            return;
        }
        let known: HashSet<&str> = self.entities().map(|entity| entity.id.as_str()).collect();
        let is_orphan = |segment: &Document| {
            names_parent(segment) && segment.parent_id.as_deref().is_some_and(|parent| !known.contains(parent))
        };
        let are_orphans: Vec<bool> = self.segments.iter().map(is_orphan).collect();
        for (segment, is_orphan) in self.segments.iter_mut().zip(are_orphans) {
            if segment.kind == Kind::Segment {
                segment.orphan = is_orphan;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn segment(id: &str, parent: &str) -> Value {
        json!({"id": id, "parent_id": parent, "name": id, "start_time": 1, "end_time": 2})
    }

    fn explanation(documents: impl IntoIterator<Item = Value>) -> String {
        Trace::of_values(documents).missing_parents().unwrap_or_default()
    }

    #[test]
    fn each_parent_that_was_not_received_is_named_once() {
        assert_eq!(explanation([segment("a", ""), segment("b", "a"), segment("c", "c")]), "");
        let one = explanation([segment("a", "x"), segment("b", "x"), segment("c", "a")]);
        assert!(one.starts_with("The parent segment `x` was not received. Usually "), "{one}");
        let two = explanation([segment("a", "x"), segment("b", "y")]);
        assert!(two.starts_with("The parent segments `x`, `y` were not received."), "{two}");
        let many = explanation((0..9).map(|number| segment(&format!("a{number}"), &format!("x{number}"))));
        assert!(many.starts_with("The parent segments `x0`, `x1`, `x2` and 6 more were not received."), "{many}");
    }

    #[test]
    fn a_stand_in_is_the_parent_of_a_segment_too() {
        let subsegment = json!({"id": "b", "type": "subsegment", "parent_id": "x", "name": "work", "start_time": 1,
            "end_time": 2});
        let trace = Trace::of_values([segment("a", "x"), subsegment]);
        assert!(trace.missing_parents().is_some());
        assert_eq!(trace.with_stand_ins(|_| false).missing_parents(), None);
    }
}
