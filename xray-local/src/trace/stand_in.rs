//! Stand-ins for segments that were not received, above the subsegments that name them as their parent.
//!
//! In a Lambda function an SDK sends each subsegment as a document of its own. The function's segment comes from AWS,
//! so it never arrives at a local X-Ray. (Lambda developer guide, "Visualize Lambda function invocations using AWS
//! X-Ray".)

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use super::Trace;
use crate::document::{Document, Kind, Namespace, StandIn};
use crate::url;

impl Trace {
    /// Embeds the orphans in a segment that stands in for their missing parent, one for each parent. `is_rejected`
    /// returns whether a document with this id was received and rejected.
    ///
    /// A stand-in is only drawn. The X-Ray API returns orphans as they are.
    ///
    /// ```
    /// use xray_local::document::{Document, StandIn, TraceId};
    /// use xray_local::trace::Trace;
    ///
    /// let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
    /// let of_function = r#"{"id":"70de5b6f19ff9a0b","type":"subsegment","trace_id":"1-5880168b-fd5153bb58284b67678aa78c",
    ///     "parent_id":"70de5b6f19ff9a0a","name":"title","start_time":1,"end_time":2}"#;
    /// let trace = Trace::of(id, Document::parse(of_function)).with_stand_ins(|_| false);
    /// assert_eq!(trace.segments[0].stand_in, Some(StandIn::Lambda));
    /// assert_eq!(trace.segments[0].subsegments[0].name, "title");
    /// ```
    #[must_use]
    pub fn with_stand_ins(mut self, is_rejected: impl Fn(&str) -> bool) -> Self {
        let groups = self.take_orphans();
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
        // A stand-in may be the parent of a segment.
        self.mark_orphans();
        self
    }

    /// Takes the orphans out of the trace, and returns them by their missing parent.
    fn take_orphans(&mut self) -> BTreeMap<String, Vec<Document>> {
        let is_orphan =
            |document: &Document| document.kind == Kind::Subsegment && document.orphan && document.parent_id.is_some();
        let (orphans, others): (Vec<_>, _) = std::mem::take(&mut self.segments).into_iter().partition(is_orphan);
        self.segments = others;
        let mut sizes = HashMap::<String, usize>::new();
        for orphan in &orphans {
            *sizes.entry(orphan.parent_id.clone().unwrap_or_default()).or_default() += 1;
        }
        let mut groups = BTreeMap::<String, Vec<Document>>::new();
        for orphan in orphans {
            let parent = orphan.parent_id.clone().unwrap_or_default();
            // A growing list would take room for four documents at once, and most groups are smaller.
            let size = sizes.get(&parent).copied().unwrap_or_default();
            groups.entry(parent).or_insert_with(|| Vec::with_capacity(size)).push(orphan);
        }
        groups
    }

    /// Returns whether the trace starts in a segment that arrived and calls no Lambda function. Orphans then belong to
    /// a program outside Lambda whose segment was lost.
    ///
    /// A caller shows best that the work behind it is a function's: the documents of a function carry no mark. Fields
    /// such as `origin` belong to segments, and X-Ray drops them from subsegments.
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

/// Returns whether a call may invoke a Lambda function: by the Lambda API, by a function URL, or through API Gateway.
fn calls_lambda(entity: &Document) -> bool {
    if entity.kind != Kind::Subsegment {
        return false;
    }
    match entity.namespace {
        Some(Namespace::Aws) => entity.name.eq_ignore_ascii_case("lambda"),
        Some(Namespace::Remote) => {
            entity.http.as_ref().and_then(|http| http.url.as_deref()).is_some_and(is_url_of_lambda)
        }
        _ => false,
    }
}

/// Returns whether a URL may lead to a Lambda function. It recognizes the hosts of function URLs and API Gateway, and
/// the paths of the Lambda API and `cargo lambda watch`.
fn is_url_of_lambda(url: &str) -> bool {
    let (authority, path) = url::split(url);
    let host = url::host(authority);
    [".lambda-url.", ".execute-api."].into_iter().any(|part| host.contains(part))
        || path.starts_with("/2015-03-31/functions/")
        || path.starts_with("/lambda-url/")
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
    for orphan in &mut orphans {
        orphan.orphan = stand_in != StandIn::Lambda;
    }
    segment.subsegments = orphans;
    Some(segment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::State;

    fn orphan(number: u32, parent: &str) -> Value {
        json!({"id": format!("{number:016x}"), "type": "subsegment", "parent_id": parent, "name": "work",
            "start_time": 10 - number % 5, "end_time": 11 + number % 5})
    }

    #[test]
    fn a_stand_in_spans_the_subsegments_of_one_parent_in_their_order() {
        let trace = Trace::of_values([orphan(1, "a"), orphan(3, "a"), orphan(2, "b")]).with_stand_ins(|_| false);
        let found: Vec<_> = trace.segments.iter().map(|segment| (&*segment.id, segment.subsegments.len())).collect();
        assert_eq!(found, [("a", 2), ("b", 1)]);
        let first = &trace.segments[0];
        assert_eq!((first.start_time, first.end_time, first.stand_in), (7.0, Some(14.0), Some(StandIn::Lambda)));
        assert_eq!(first.subsegments[0].id, format!("{:016x}", 3));
        assert!(trace.root().is_none(), "a stand-in says nothing about the outcome of the trace");
    }

    #[test]
    fn a_stand_in_does_not_change_the_state_of_its_trace() {
        for (topmost, nested, state) in [(true, false, State::Fault), (false, true, State::Ok)] {
            let mut failed = orphan(3, "a");
            failed["fault"] = topmost.into();
            let mut call = orphan(4, "b");
            call["fault"] = nested.into();
            failed["subsegments"] = json!([call]);
            let trace = Trace::of_values([orphan(1, "a"), failed]);
            assert_eq!((trace.state(), trace.with_stand_ins(|_| false).state()), (state, state));
        }
    }

    #[test]
    fn a_trace_without_orphans_stays_as_it_is() {
        let complete = Trace::of_values([json!({"id": "a", "name": "shop", "start_time": 1, "end_time": 2})]);
        assert_eq!(complete.clone().with_stand_ins(|_| true), complete);
    }

    #[test]
    fn a_service_that_the_function_calls_does_not_hide_that_it_is_lambda() {
        let callee =
            json!({"id": "c", "parent_id": format!("{:016x}", 1), "name": "stock", "start_time": 10, "end_time": 11});
        let trace = Trace::of_values([orphan(1, "a"), callee]).with_stand_ins(|_| false);
        let stand_in = trace.segments.iter().find_map(|segment| segment.stand_in);
        assert_eq!(stand_in, Some(StandIn::Lambda));
    }

    #[test]
    fn the_url_of_a_call_shows_that_the_work_behind_it_is_a_function() {
        for (url, is_lambda) in [
            ("https://abc.lambda-url.eu-west-1.on.aws/items", true),
            ("https://abc.execute-api.eu-west-1.amazonaws.com/prod/items", true),
            ("https://user:secret@abc.lambda-url.eu-west-1.on.aws/", true),
            ("http://localhost:9000/lambda-url/shop/items", true),
            ("http://127.0.0.1:3001/2015-03-31/functions/shop/invocations", true),
            ("https://stock.example.com/items", false),
            ("https://stock.example.com/?u=.lambda-url./lambda-url/", false),
            ("https://stock.example.com?u=.lambda-url.", false),
        ] {
            let call = json!({"id": "c", "name": "call", "namespace": "remote", "start_time": 5, "end_time": 15, "http": {"request": {"url": url}}});
            let caller = json!({"id": "b", "name": "shop", "start_time": 5, "end_time": 15, "subsegments": [call]});
            let trace = Trace::of_values([caller, orphan(1, "a")]).with_stand_ins(|_| false);
            let stand_in = trace.segments.iter().find_map(|segment| segment.stand_in);
            assert_eq!(stand_in == Some(StandIn::Lambda), is_lambda, "{url}");
        }
    }

    /// Walking the whole trace once for each missing parent would take minutes.
    #[test]
    fn many_missing_parents_are_handled_quickly() {
        let count = 20_000;
        let trace = Trace::of_values((0..count).map(|number| orphan(number, &format!("{:016x}", count + number))));
        assert_eq!(trace.with_stand_ins(|_| false).segments.len(), 20_000);
    }
}
