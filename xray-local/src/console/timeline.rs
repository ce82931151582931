//! A trace as nested bars over time.

use std::collections::HashMap;

use maud::{Markup, html};

use super::{entity, format, link, status};
use crate::document::{Document, Kind, Namespace};
use crate::trace::Trace;

/// More would keep a browser busy.
const MAX_ROWS: usize = 5_000;

/// The bars: a row for each segment and subsegment, below the one that it belongs to or that called it.
pub(super) fn timeline(trace: &Trace) -> Markup {
    let (scale, rows) = (Scale::of(trace), rows(trace));
    html! {
        @if rows.len() > MAX_ROWS {
            p.notice { "The first " (format::count(MAX_ROWS as u64)) " of " (format::counted(rows.len(), "bar")) "." }
        }
        div.card.timeline data-scrolls {
            div {
                (axis(&scale))
                ol.rows data-list aria-label="Segments and subsegments, each below its caller" {
                    @for row in rows.iter().take(MAX_ROWS) { (bar(row, &scale)) }
                }
            }
        }
    }
}

/// A place in the tree.
#[derive(Debug)]
struct Row<'a> {
    document: &'a Document,
    depth: usize,
    has_parts: bool,
}

/// The tree, from top to bottom. The segment of a callee stands below the subsegment that calls it.
fn rows(trace: &Trace) -> Vec<Row<'_>> {
    let known: HashMap<&str, &Document> = trace.entities().map(|entity| (entity.id.as_str(), entity)).collect();
    let mut callees = HashMap::<&str, Vec<&Document>>::new();
    let mut roots = Vec::new();
    for segment in &trace.segments {
        match segment.parent_id.as_deref().filter(|parent| known.contains_key(parent)) {
            Some(parent) => callees.entry(parent).or_default().push(segment),
            None => roots.push(segment),
        }
    }
    let mut rows = Vec::with_capacity(known.len());
    place(roots, &mut callees, &mut rows);
    // Segments that are each other's callers: any of them may be first.
    while let Some(id) = callees.keys().next().copied() {
        let rest = callees.remove(id).unwrap_or_default();
        place(rest, &mut callees, &mut rows);
    }
    rows
}

fn place<'a>(roots: Vec<&'a Document>, callees: &mut HashMap<&str, Vec<&'a Document>>, rows: &mut Vec<Row<'a>>) {
    let mut waiting: Vec<_> = roots.into_iter().rev().map(|root| (root, 0)).collect();
    while let Some((document, depth)) = waiting.pop() {
        let called = callees.remove(document.id.as_str()).unwrap_or_default();
        let mut parts: Vec<_> = document.subsegments.iter().chain(called).collect();
        parts.sort_by(|a, b| a.start_time.total_cmp(&b.start_time));
        rows.push(Row { document, depth, has_parts: !parts.is_empty() });
        waiting.extend(parts.into_iter().rev().map(|part| (part, depth + 1)));
    }
}

/// Where moments are, in hundredths of the width.
#[derive(Debug)]
struct Scale {
    start: f64,
    span: f64,
}

impl Scale {
    fn of(trace: &Trace) -> Self {
        let starts = trace.entities().map(|entity| entity.start_time);
        let latest = starts.chain(trace.end()).max_by(f64::total_cmp).unwrap_or_default();
        let start = trace.start();
        Self { start, span: (latest - start).max(1e-6) }
    }

    fn place(&self, moment: f64) -> f64 {
        let place = (moment - self.start) / self.span * 100.0;
        if place.is_finite() { place.clamp(0.0, 100.0) } else { 0.0 }
    }
}

fn axis(scale: &Scale) -> Markup {
    let ticks = [(0, "start"), (25, "middle"), (50, "middle"), (75, "middle"), (100, "end")];
    html! {
        div.axis aria-hidden="true" {
            span { "Name" }
            span.dur { "Duration" }
            svg {
                @for (place, anchor) in ticks {
                    text x={ (place) "%" } y="12" text-anchor=(anchor) {
                        (format::duration(scale.span * f64::from(place) / 100.0))
                    }
                }
            }
        }
    }
}

/// The least width that is seen, in hundredths.
const MIN_WIDTH: f64 = 0.25;

/// From here on rows are not indented further.
const MAX_INDENT: usize = 12;

fn bar(row: &Row<'_>, scale: &Scale) -> Markup {
    let document = row.document;
    let state = document.state();
    let from = scale.place(document.start_time).min(100.0 - MIN_WIDTH);
    let to = document.end_time.map_or(100.0, |end| scale.place(end));
    let width = (to - from).max(MIN_WIDTH);
    let shade = if document.in_progress { "progress" } else { status::class(state) };
    html! {
        li.{ "d" (row.depth.min(MAX_INDENT)) }.segment[document.kind == Kind::Segment]
            .part[document.kind == Kind::Subsegment].inferred[document.inferred] data-depth=(row.depth) {
            @if row.has_parts {
                button.fold type="button" aria-expanded="true" hidden { span.vh { "Parts of " (document.name) } }
            }
            a #(link::row_id(document)) href=(link::segment(document)) {
                span.name {
                    (status::dot(state))
                    b { (document.name) }
                    span.vh { ", level " (row.depth + 1) ", " (entity::kind(document)) }
                    (entity::tags(document))
                    small { (gist(document)) }
                }
                span.dur { @if let Some(took) = document.duration() { (format::duration(took)) } @else { "…" } }
                span.grid {
                    svg aria-hidden="true" {
                        rect.(shade) x={ (format_args!("{from:.2}")) "%" } width={ (format_args!("{width:.2}")) "%" } {}
                    }
                }
            }
        }
    }
}

/// What was asked for, in few words.
fn gist(document: &Document) -> String {
    const LENGTH: usize = 90;

    let text =
        |value: Option<&serde_json::Value>| value.and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    if document.inferred {
        return String::new();
    }
    if let Some(query) = document.sql().get("sanitized_query") {
        return format::shortened(&text(Some(query)), LENGTH);
    }
    if document.namespace == Some(Namespace::Aws) {
        let aws = document.aws();
        let resource = ["table_name", "bucket_name", "queue_url", "topic_arn", "function_name"];
        let resource = text(resource.into_iter().find_map(|field| aws.get(field)));
        return format::shortened(format!("{} {resource}", text(aws.get("operation"))).trim(), LENGTH);
    }
    let Some(http) = &document.http else { return String::new() };
    // The row has the host already, where it is its name.
    let url = http.url.as_deref().map(|url| match format::split_url(url) {
        (host, path) if host == document.name => path.to_owned(),
        (host, path) => format!("{host}{path}"),
    });
    let parts = [http.method.clone(), url, http.status.map(|status| status.to_string())];
    format::shortened(&parts.into_iter().flatten().collect::<Vec<_>>().join(" "), LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::TraceId;

    const TRACE_ID: &str = "1-5880168b-fd5153bb58284b67678aa78c";

    fn trace(documents: &[serde_json::Value]) -> Trace {
        let documents = documents.iter().map(|document| {
            let mut document = document.clone();
            document["trace_id"] = TRACE_ID.into();
            Document::from_value(document).unwrap()
        });
        Trace::of(TraceId::parse(TRACE_ID).unwrap(), documents)
    }

    fn places(trace: &Trace) -> Vec<(usize, &str)> {
        rows(trace).iter().map(|row| (row.depth, row.document.name.as_str())).collect()
    }

    #[test]
    fn a_callee_stands_below_the_call() {
        let trace = trace(&[
            serde_json::json!({"id": "b000000000000001", "parent_id": "a000000000000002", "name": "stock",
                "start_time": 2, "end_time": 3}),
            serde_json::json!({"id": "a000000000000001", "name": "shop", "start_time": 1, "end_time": 9, "subsegments": [
                {"id": "a000000000000003", "name": "late", "start_time": 5, "end_time": 6},
                {"id": "a000000000000002", "name": "GET", "namespace": "remote", "start_time": 2, "end_time": 4}]}),
        ]);
        assert_eq!(places(&trace), [(0, "shop"), (1, "GET"), (2, "stock"), (1, "late")]);
    }

    #[test]
    fn segments_that_call_each_other_are_all_there_once() {
        let segment = |id: &str, call: &str, caller: &str| {
            serde_json::json!({"id": id, "parent_id": caller, "name": id, "start_time": 1, "end_time": 2, "subsegments": [
                {"id": call, "name": call, "namespace": "remote", "start_time": 1, "end_time": 2}]})
        };
        let trace = trace(&[segment("a1", "a2", "b2"), segment("b1", "b2", "a2"), segment("c1", "c2", "c2")]);
        let mut names: Vec<_> = places(&trace).into_iter().map(|(_, name)| name).collect();
        names.sort_unstable();
        assert_eq!(names, ["a1", "a2", "b1", "b2", "c1", "c2"]);
    }

    #[test]
    fn moments_out_of_order_stay_on_the_scale() {
        let trace = trace(&[
            serde_json::json!({"id": "a1", "name": "a", "start_time": 5, "end_time": 1}),
            serde_json::json!({"id": "a2", "name": "b", "start_time": 1e300, "in_progress": true}),
        ]);
        let scale = Scale::of(&trace);
        for moment in [1.0, 5.0, 1e300, f64::MAX] {
            assert!((0.0..=100.0).contains(&scale.place(moment)), "{moment}");
        }
    }
}
