//! The timeline of a trace: nested bars over time.

use std::cmp::Reverse;
use std::collections::HashMap;

use maud::{Markup, html};
use serde::Deserialize;

use super::label::Label;
use super::{entity, format, link, status};
use crate::document::{Cause, Document, Kind};
use crate::trace::Trace;

/// How many rows the page shows at most. A browser needs seconds to lay out many more, and the script updates the rows
/// as often as once a second.
const MAX_ROWS: usize = 5_000;

/// The parameters of the page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    /// `show` to show inferred segments. Without it each is folded into its call, of which it is a copy.
    #[serde(default)]
    inferred: String,
}

/// Renders a row for each segment and subsegment, below the one that contains it or called it.
pub(super) fn timeline(trace: &Trace, query: &Query) -> Markup {
    let shows_inferred = query.inferred == link::SHOW_INFERRED;
    let (scale, rows) = (Scale::of(trace), rows(trace, shows_inferred));
    let first = first_cause(trace, &rows).map(|row| row.document.id.as_str());
    html! {
        (inferred_switch(trace, shows_inferred))
        @if rows.len() > MAX_ROWS {
            p.notice {
                "Showing the first " (format::count(MAX_ROWS as u64)) " of " (format::count_of(rows.len() as u64, "bar")) "."
            }
        }
        div.card.timeline data-scrolls {
            div {
                (axis(&scale))
                ol.rows data-list aria-label="Segments and subsegments, each below its parent" {
                    @for row in rows.iter().take(MAX_ROWS) { (bar(row, &scale, first)) }
                }
            }
        }
    }
}

/// Renders the link that shows or hides inferred segments. It is a link, so that it needs no script.
fn inferred_switch(trace: &Trace, shows_inferred: bool) -> Markup {
    let number = trace.segments.iter().filter(|segment| segment.inferred).count() as u64;
    html! {
        @if number > 0 {
            p.switch {
                @if shows_inferred {
                    a #inferred-switch href=(link::trace(&trace.id)) { "Hide inferred segments" }
                } @else {
                    a #inferred-switch href=(link::trace_with_inferred(&trace.id)) {
                        "Show " (format::count_of(number, "inferred segment"))
                    }
                }
            }
        }
    }
}

/// Returns the row to select at the start: where the failure of the trace began, or else the root.
///
/// An innermost failing call ends before its callers do. An entity that records exceptions of its own says more than
/// one that only repeats a status.
fn first_cause<'rows, 'a>(trace: &Trace, rows: &'rows [Row<'a>]) -> Option<&'rows Row<'a>> {
    let root = trace.root();
    let has_failed = |row: &&Row<'_>| match root {
        Some(root) if status::is_failure(root.state()) => row.document.state() == root.state(),
        Some(_) => false,
        None => status::is_failure(row.document.state()),
    };
    let is_silent = |document: &Document| !matches!(&document.cause, Some(Cause::Exceptions(_)));
    let failed = rows.iter().filter(|row| !row.document.inferred).filter(has_failed);
    let order =
        |row: &&Row<'_>| (is_silent(row.document), row.document.end_time.unwrap_or(f64::INFINITY), Reverse(row.depth));
    let cause = failed.min_by(|a, b| {
        let (a, b) = (order(a), order(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
    });
    let is_root = |row: &&Row<'_>| match root {
        Some(root) => row.document.id == root.id,
        None => row.document.stand_in.is_none(),
    };
    cause.or_else(|| rows.iter().find(is_root))
}

/// A segment or subsegment and its position in the tree.
#[derive(Debug)]
struct Row<'a> {
    document: &'a Document,
    depth: usize,
    has_children: bool,
}

/// Returns the tree from top to bottom. The segment of a called service stands below the subsegment that calls it.
fn rows(trace: &Trace, shows_inferred: bool) -> Vec<Row<'_>> {
    let known: HashMap<&str, &Document> = trace.entities().map(|entity| (entity.id.as_str(), entity)).collect();
    let mut callees = HashMap::<&str, Vec<&Document>>::new();
    let mut roots = Vec::new();
    for segment in trace.segments.iter().filter(|segment| shows_inferred || !segment.inferred) {
        match segment.parent_id.as_deref().filter(|parent| known.contains_key(parent)) {
            Some(parent) => callees.entry(parent).or_default().push(segment),
            None => roots.push(segment),
        }
    }
    let mut rows = Vec::with_capacity(known.len());
    push_trees(roots, &mut callees, &mut rows);
    // Documents may claim that segments call each other in a circle. No root leads to such segments, so they are left
    // in `callees`. Any of them can stand at the top of the circle: take the first.
    while let Some(caller) = callees.keys().next().copied() {
        let circle = callees.remove(caller).unwrap_or_default();
        push_trees(circle, &mut callees, &mut rows);
    }
    rows
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

/// The horizontal scale of the timeline.
#[derive(Debug)]
struct Scale {
    /// The left edge, in seconds since 1970.
    start: f64,
    /// From the left edge to the right edge, in seconds.
    span: f64,
}

impl Scale {
    fn of(trace: &Trace) -> Self {
        let starts = trace.entities().map(|entity| entity.start_time);
        // The starts count too: a part that is in progress may begin after everything that has ended.
        let latest = starts.chain(trace.end()).max_by(f64::total_cmp).unwrap_or_default();
        let start = trace.start();
        // At least a microsecond, the resolution of the times: `percent` divides by the span.
        Self { start, span: (latest - start).max(1e-6) }
    }

    /// Returns the position of a time, in per cent of the width. It is between 0 and 100 for every time: a document may
    /// hold an end before its start, or a number so large that the span is infinite.
    fn percent(&self, time: f64) -> f64 {
        let percent = (time - self.start) / self.span * 100.0;
        if percent.is_finite() { percent.clamp(0.0, 100.0) } else { 0.0 }
    }
}

/// Renders the line of column headings. A screen reader reads the duration of each row instead.
fn axis(scale: &Scale) -> Markup {
    let ticks = [(0, "start"), (25, "middle"), (50, "middle"), (75, "middle"), (100, "end")];
    html! {
        div.axis aria-hidden="true" {
            span { "Name" }
            span.dur { "Duration" }
            svg {
                @for (percent, anchor) in ticks {
                    text x={ (percent) "%" } y="12" text-anchor=(anchor) {
                        (format::duration(scale.span * f64::from(percent) / 100.0))
                    }
                }
            }
        }
    }
}

/// The least width of a bar, in per cent: about two pixels on a wide screen. A narrower bar could not be seen.
const MIN_WIDTH: f64 = 0.25;

/// Rows below this depth are not indented further, so that their names keep some room. The style sheet has a class for
/// each depth up to this one (`.d1` to `.d12`), because the content security policy forbids `style` attributes.
const MAX_INDENT: usize = 12;

fn bar(row: &Row<'_>, scale: &Scale, first: Option<&str>) -> Markup {
    let document = row.document;
    let state = document.state();
    let start = scale.percent(document.start_time).min(100.0 - MIN_WIDTH);
    // The bar of an entity in progress reaches the right edge.
    let end = document.end_time.map_or(100.0, |end| scale.percent(end));
    let width = (end - start).max(MIN_WIDTH);
    let shade = if document.in_progress { "progress" } else { status::class(state) };
    let label = Label::of(document);
    html! {
        li.{ "d" (row.depth.min(MAX_INDENT)) }.segment[document.kind == Kind::Segment]
            .subsegment[document.kind == Kind::Subsegment].inferred[document.inferred]
            .stand-in[document.stand_in.is_some()] data-depth=(row.depth) data-failed[status::is_failure(state)] {
            @if row.has_children {
                button.fold type="button" aria-expanded="true" hidden {
                    span.visually-hidden { "Children of " (label.name) }
                }
            }
            a #(link::row_id(document)) href=(link::segment(document)) data-first[first == Some(document.id.as_str())] {
                span.name {
                    @if document.stand_in.is_some() { (status::unknown_dot()) } @else { (status::dot(state)) }
                    b { (label.name) }
                    // A screen reader does not see the indentation.
                    span.visually-hidden { ", level " (row.depth + 1) ", " (entity::kind(document)) }
                    (entity::tags(document))
                    small { (label.detail) }
                }
                span.dur {
                    @if let Some(seconds) = document.duration() { (format::duration(seconds)) } @else { "…" }
                }
                span.grid {
                    svg aria-hidden="true" {
                        rect.(shade) x={ (format_args!("{start:.2}")) "%" } width={ (format_args!("{width:.2}")) "%" } {}
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::document::TraceId;

    const TRACE_ID: &str = "1-5880168b-fd5153bb58284b67678aa78c";

    fn trace(documents: &[Value]) -> Trace {
        let documents = documents.iter().map(|document| {
            let mut document = document.clone();
            document["trace_id"] = TRACE_ID.into();
            Document::from_value(document).unwrap()
        });
        Trace::of(TraceId::parse(TRACE_ID).unwrap(), documents)
    }

    fn depths_and_names(trace: &Trace) -> Vec<(usize, &str)> {
        rows(trace, true).iter().map(|row| (row.depth, row.document.name.as_str())).collect()
    }

    #[test]
    fn a_called_segment_stands_below_its_call() {
        let trace = trace(&[
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
        let trace = trace(&[segment("a1", "a2", "b2"), segment("b1", "b2", "a2"), segment("c1", "c2", "c2")]);
        let mut names: Vec<_> = depths_and_names(&trace).into_iter().map(|(_, name)| name).collect();
        names.sort_unstable();
        assert_eq!(names, ["a1", "a2", "b1", "b2", "c1", "c2"]);
    }

    #[test]
    fn every_time_lies_on_the_scale() {
        let trace = trace(&[
            json!({"id": "a1", "name": "a", "start_time": 5, "end_time": 1}),
            json!({"id": "a2", "name": "b", "start_time": 1e300, "in_progress": true}),
        ]);
        let scale = Scale::of(&trace);
        for time in [1.0, 5.0, 1e300, f64::MAX] {
            assert!((0.0..=100.0).contains(&scale.percent(time)), "{time}");
        }
    }
}
