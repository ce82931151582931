//! Stand-ins for segments that were not received, above the subsegments that name them as their parent.
//!
//! In a Lambda function an SDK sends each subsegment as a document of its own. The function's segment comes from AWS,
//! so it never arrives at a local X-Ray. (Lambda developer guide, "Visualize Lambda function invocations using AWS
//! X-Ray".)

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use super::Trace;
use crate::document::{Document, Kind, Namespace, StandIn};

impl Trace {
    /// Embeds the orphans in a segment that stands in for their missing parent, one for each parent. `is_rejected`
    /// returns whether a document with this id was received and rejected.
    ///
    /// A stand-in is only drawn. The X-Ray API returns orphans as they are.
    pub(crate) fn with_stand_ins(mut self, is_rejected: impl Fn(&str) -> bool) -> Self {
        let mut groups = BTreeMap::<String, Vec<Document>>::new();
        let mut others = Vec::with_capacity(self.segments.len());
        for document in std::mem::take(&mut self.segments) {
            match &document.parent_id {
                Some(parent) if document.orphan => groups.entry(parent.clone()).or_default().push(document),
                _ => others.push(document),
            }
        }
        self.segments = others;
        let may_be_lambda = !self.is_partial() && !self.is_started_elsewhere(&groups);
        for (id, orphans) in groups {
            let stand_in = if is_rejected(&id) {
                StandIn::Rejected
            } else if is_of_lambda(&orphans) || may_be_lambda && !is_in_progress(&orphans) {
                StandIn::Lambda
            } else {
                StandIn::Unknown
            };
            self.segments.extend(segment(&self.id, &id, orphans, stand_in));
        }
        // Inferred segments stay at the end.
        self.segments.sort_by(|a, b| a.inferred.cmp(&b.inferred).then(a.start_time.total_cmp(&b.start_time)));
        self
    }

    /// Returns whether the trace starts in a segment that arrived and calls no Lambda function. Orphans then belong to
    /// a program outside Lambda whose segment was lost.
    fn is_started_elsewhere(&self, groups: &BTreeMap<String, Vec<Document>>) -> bool {
        let calls: HashSet<&str> =
            groups.values().flatten().flat_map(Document::walk).map(|entity| &*entity.id).collect();
        let is_called = |segment: &Document| segment.parent_id.as_deref().is_some_and(|parent| calls.contains(parent));
        let is_start = |segment: &&Document| !segment.inferred && !is_called(segment);
        self.segments.iter().any(|segment| is_start(&segment)) && !self.entities().any(calls_lambda)
    }
}

/// Returns whether a document shows that it comes from a Lambda function.
///
/// Subsegments carry no origin, so most functions leave no mark. Powertools for AWS Lambda annotates the subsegment of
/// each handler with `ColdStart`.
fn is_of_lambda(orphans: &[Document]) -> bool {
    let is_marked = |entity: &Document| {
        entity.origin.as_deref().is_some_and(|origin| origin.starts_with("AWS::Lambda"))
            || entity.annotations().contains_key("ColdStart")
            || entity.aws().contains_key("function_arn")
    };
    orphans.iter().flat_map(Document::walk).any(is_marked)
}

/// Returns whether any of the work is still running. A program outside Lambda that sends its subsegments early sends
/// its segment last, so the segment may still arrive.
fn is_in_progress(orphans: &[Document]) -> bool {
    orphans.iter().flat_map(Document::walk).any(|entity| entity.in_progress)
}

fn calls_lambda(entity: &Document) -> bool {
    entity.kind == Kind::Subsegment
        && entity.namespace == Some(Namespace::Aws)
        && entity.name.eq_ignore_ascii_case("lambda")
}

/// Makes the segment that stands in for a missing one. It spans its subsegments and has no other values.
fn segment(trace_id: &str, id: &str, mut orphans: Vec<Document>, stand_in: StandIn) -> Option<Document> {
    orphans.sort_by(|a, b| a.start_time.total_cmp(&b.start_time));
    let entities = || orphans.iter().flat_map(Document::walk);
    let start = entities().map(|entity| entity.start_time).min_by(f64::total_cmp)?;
    let end = entities().filter_map(|entity| entity.end_time).max_by(f64::total_cmp).unwrap_or(start);
    let (name, origin) = match stand_in {
        StandIn::Lambda => ("Lambda, sent by AWS", Value::from("AWS::Lambda::Function")),
        StandIn::Rejected | StandIn::Unknown => ("Not received", Value::Null),
    };
    let mut segment = Document::from_value(json!({
        "id": id, "trace_id": trace_id, "name": name, "origin": origin, "start_time": start, "end_time": end,
    }))?;
    segment.stand_in = Some(stand_in);
    for mut orphan in orphans {
        orphan.orphan = stand_in != StandIn::Lambda;
        segment.subsegments.push(orphan);
    }
    Some(segment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::TraceId;

    fn trace(documents: impl IntoIterator<Item = Value>) -> Trace {
        let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
        let documents = documents.into_iter().map(|mut document| {
            document["trace_id"] = id.to_string().into();
            Document::from_value(document).unwrap()
        });
        Trace::of(id, documents)
    }

    fn orphan(number: u32, parent: &str) -> Value {
        json!({"id": format!("{number:016x}"), "type": "subsegment", "parent_id": parent, "name": "work",
            "start_time": 10 - number % 5, "end_time": 11 + number % 5})
    }

    #[test]
    fn a_stand_in_spans_the_subsegments_of_one_parent_in_their_order() {
        let trace = trace([orphan(1, "a"), orphan(3, "a"), orphan(2, "b")]).with_stand_ins(|_| false);
        let found: Vec<_> = trace.segments.iter().map(|segment| (&*segment.id, segment.subsegments.len())).collect();
        assert_eq!(found, [("a", 2), ("b", 1)]);
        let first = &trace.segments[0];
        assert_eq!((first.start_time, first.end_time, first.stand_in), (7.0, Some(14.0), Some(StandIn::Lambda)));
        assert_eq!(first.subsegments[0].id, format!("{:016x}", 3));
        assert!(trace.root().is_none(), "a stand-in says nothing about the outcome of the trace");
    }

    #[test]
    fn a_trace_without_orphans_stays_as_it_is() {
        let complete = trace([json!({"id": "a", "name": "shop", "start_time": 1, "end_time": 2})]);
        assert_eq!(complete.clone().with_stand_ins(|_| true), complete);
    }

    #[test]
    fn a_service_that_the_function_calls_does_not_hide_that_it_is_lambda() {
        let callee =
            json!({"id": "c", "parent_id": format!("{:016x}", 1), "name": "stock", "start_time": 10, "end_time": 11});
        let trace = trace([orphan(1, "a"), callee]).with_stand_ins(|_| false);
        let stand_in = trace.segments.iter().find_map(|segment| segment.stand_in);
        assert_eq!(stand_in, Some(StandIn::Lambda));
    }

    /// Walking the whole trace once for each missing parent would take minutes.
    #[test]
    fn many_missing_parents_are_handled_quickly() {
        let count = 20_000;
        let trace = trace((0..count).map(|number| orphan(number, &format!("{:016x}", count + number))));
        assert_eq!(trace.with_stand_ins(|_| false).segments.len(), 20_000);
    }
}
