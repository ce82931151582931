//! The rows of a trace that is shown as a tree.

use std::collections::{HashMap, HashSet};

use super::Trace;
use crate::document::Document;

/// A segment or subsegment and its position in the tree.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Row<'a> {
    /// The segment or subsegment.
    pub document: &'a Document,
    /// The number of rows above that contain this one or called it; 0 at the top of the tree.
    pub depth: usize,
    /// `true` if the next row is one level deeper.
    pub has_children: bool,
}

impl Trace {
    /// Returns the tree from top to bottom. A subsegment is below the segment or subsegment that contains it, and a
    /// called segment is below its call. Each is there once, even if segments call each other in a circle.
    ///
    /// Without `shows_inferred`, inferred segments are left out.
    ///
    /// ```
    /// use xray_local::document::{Document, TraceId};
    /// use xray_local::trace::Trace;
    ///
    /// let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
    /// let document = r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-5880168b-fd5153bb58284b67678aa78c","name":"shop",
    ///     "start_time":1,"end_time":9,"subsegments":[{"id":"70de5b6f19ff9a0b","name":"pay","start_time":2,"end_time":3}]}"#;
    /// let trace = Trace::of(id, Document::parse(document));
    /// let rows: Vec<_> = trace.rows(true).iter().map(|row| (row.depth, row.document.name.as_str())).collect();
    /// assert_eq!(rows, [(0, "shop"), (1, "pay")]);
    /// ```
    #[must_use]
    pub fn rows(&self, shows_inferred: bool) -> Vec<Row<'_>> {
        let known: HashSet<&str> = self.entities().map(|entity| entity.id.as_str()).collect();
        let shown = || self.segments.iter().filter(|segment| shows_inferred || !segment.inferred);
        let mut callees = HashMap::<&str, Vec<&Document>>::new();
        let mut roots = Vec::new();
        for segment in shown() {
            match segment.parent_id.as_deref().filter(|parent| known.contains(parent)) {
                Some(parent) => callees.entry(parent).or_default().push(segment),
                None => roots.push(segment),
            }
        }
        let mut rows = Vec::with_capacity(known.len());
        push_trees(roots, &mut callees, &mut rows);
        // Documents may claim that segments call each other in a circle. No root leads to such segments, so they are
        // left in `callees`. Any of them can stand at the top of the circle: take the earliest.
        for caller in shown().filter_map(|segment| segment.parent_id.as_deref()) {
            if let Some(circle) = callees.remove(caller) {
                push_trees(circle, &mut callees, &mut rows);
            }
        }
        rows
    }
}

/// Appends trees to the rows. `callees` holds the called segments by the id of their caller. A segment that is appended
/// is removed from it, so the loop ends even if segments call each other in a circle.
///
/// A stack replaces recursion here: a trace may be a chain of thousands of calls, each in a segment of its own.
fn push_trees<'a>(roots: Vec<&'a Document>, callees: &mut HashMap<&str, Vec<&'a Document>>, rows: &mut Vec<Row<'a>>) {
    let mut stack: Vec<_> = roots.into_iter().rev().map(|root| (root, 0)).collect();
    while let Some((document, depth)) = stack.pop() {
        let called = callees.remove(document.id.as_str()).unwrap_or_default();
        let mut children: Vec<_> = document.subsegments.iter().chain(called).collect();
        children.sort_by(|a, b| a.start_time.total_cmp(&b.start_time));
        rows.push(Row { document, depth, has_children: !children.is_empty() });
        // In reverse, so that the first child is popped first.
        stack.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn depths_and_names(trace: &Trace) -> Vec<(usize, &str)> {
        trace.rows(true).iter().map(|row| (row.depth, row.document.name.as_str())).collect()
    }

    #[test]
    fn a_called_segment_stands_below_its_call() {
        let trace = Trace::of_values([
            json!({"id": "b000000000000001", "parent_id": "a000000000000002", "name": "stock",
                "start_time": 2, "end_time": 3}),
            json!({"id": "a000000000000001", "name": "shop", "start_time": 1, "end_time": 9, "subsegments": [
                {"id": "a000000000000003", "name": "late", "start_time": 5, "end_time": 6},
                {"id": "a000000000000002", "name": "GET", "namespace": "remote", "start_time": 2, "end_time": 4}]}),
        ]);
        assert_eq!(depths_and_names(&trace), [(0, "shop"), (1, "GET"), (2, "stock"), (1, "late")]);
    }

    #[test]
    fn segments_that_call_each_other_appear_once_each() {
        let segment = |id: &str, call: &str, caller: &str| {
            json!({"id": id, "parent_id": caller, "name": id, "start_time": 1, "end_time": 2, "subsegments": [
                {"id": call, "name": call, "namespace": "remote", "start_time": 1, "end_time": 2}]})
        };
        let trace = Trace::of_values([segment("a1", "a2", "b2"), segment("b1", "b2", "a2"), segment("c1", "c2", "c2")]);
        let mut names: Vec<_> = depths_and_names(&trace).into_iter().map(|(_, name)| name).collect();
        names.sort_unstable();
        assert_eq!(names, ["a1", "a2", "b1", "b2", "c1", "c2"]);
    }
}
