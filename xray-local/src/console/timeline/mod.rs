//! The timeline of a trace: nested bars over time.

mod find;
mod page;
mod view;
mod window;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::ptr;

use maud::{Markup, html};

use super::label::Label;
use super::{entity, format, link, status};
use crate::document::{Cause, Document, Kind};
use crate::trace::{Row, Times, Trace, retries, times};

pub(super) use page::PAGE_ROWS;
use page::{Rows, Stop};
pub(super) use view::View;
use window::Scale;

/// Renders the search in the trace, and the other parts that a live update must not replace while the reader uses them.
pub(super) fn tools(trace: &Trace, view: &View) -> Markup {
    let length = Scale::of(trace).span;
    html! {
        div.tools {
            form.find role="search" action=(link::trace(&trace.id)) method="get" {
                @for (name, value) in view.kept(&["find"]) { input type="hidden" name=(name) value=(value); }
                label.visually-hidden for="find" { "Search in this trace" }
                input #find name="find" type="search" value=(view.find) data-search autocomplete="off" spellcheck="false"
                    autocapitalize="off" placeholder="Name, URL, annotation or message";
                button.small type="submit" { "Find" }
            }
            button.small #collapse-all type="button" data-script hidden { "Collapse all" }
            button.small #expand-all type="button" data-script hidden { "Expand all" }
            (window::form(trace, view, length, view.range(length)))
            (keys())
        }
    }
}

/// The keys of the page.
const KEYS: [(&[&str], &str); 12] = [
    (&["j", "k"], "next and previous row"),
    (&["Enter"], "show the details of the row"),
    (&["←", "→"], "fold and unfold the row"),
    (&["c", "C"], "collapse and expand all below the row, or all rows"),
    (&["/"], "search in this trace"),
    (&["n", "N"], "next match and previous match"),
    (&["e", "E"], "next error and previous error"),
    (&["+", "-"], "zoom in and out"),
    (&["[", "]"], "earlier and later"),
    (&["z"], "zoom to the selected row"),
    (&["0"], "show the whole trace"),
    (&["?"], "show and hide this list"),
];

/// Renders the list of keys, folded.
fn keys() -> Markup {
    html! {
        details #keys .folded data-help {
            summary { kbd { "?" } " Keys" }
            dl.keys-list {
                @for (keys, effect) in KEYS {
                    dt { @for key in keys { kbd { (key) } " " } } dd { (effect) }
                }
            }
        }
    }
}

/// Renders a row for each segment and subsegment, below the one that contains it or called it.
pub(super) fn timeline(trace: &Trace, view: &View) -> Markup {
    let whole = Scale::of(trace);
    let range = view.range(whole.span);
    let scale = whole.within(range);
    let all = trace.rows(view.shows_inferred());
    let rows = Rows::of(&all, view, &scale, range.is_some());
    let cause = first_cause(trace, &all);
    let selected = match rows.at {
        Some(at) => Some(rows.id(at)),
        None => cause.map(|row| row.document.id.as_str()),
    };
    let bars = Bars { scale, selected, is_chosen: rows.at.is_some(), times: times_of(trace), marks: retries(&all) };
    let links = Links { trace, view, rows: &rows };
    html! {
        (window::overview(&whole, &all, range))
        (window::links(trace, view, whole.span, range))
        p.stops {
            @if let Some((from, to)) = range {
                span #window {
                    (format::duration(from)) " to " (format::duration(to)) " of " (format::duration(whole.span)) ", "
                    (format::count(rows.shown.len() as u64)) " of " (format::count_of(all.len() as u64, "row"))
                }
            }
            (links.matches())
            (links.errors(cause))
            (inferred_switch(trace, view))
            span.legend-critical aria-hidden="true" { "critical path" }
        }
        (links.pages())
        div.card.timeline data-scrolls {
            div {
                (scale.axis())
                ol.rows data-list aria-label="Segments and subsegments, each below its parent"
                    data-next-error=[links.beyond(Stop::Error, 0)] data-previous-error=[links.beyond(Stop::Error, 1)]
                    data-next-match=[links.beyond(Stop::Match, 0)] data-previous-match=[links.beyond(Stop::Match, 1)] {
                    @for above in rows.above() { (bars.bar(&rows, above, true)) }
                    @for shown in rows.page.clone() { (bars.bar(&rows, shown, false)) }
                }
            }
        }
    }
}

/// Returns the times of each segment and subsegment, by its address in memory. Ids may be repeated.
///
/// Inferred segments are left out: each has the time of its call, which would have no time of its own.
fn times_of(trace: &Trace) -> HashMap<*const Document, Times> {
    let rows = trace.rows(false);
    let root = trace.root().map_or_else(|| rows.first().map(|row| row.document.id.as_str()), |root| Some(&root.id));
    let times = times(&rows, root.unwrap_or_default());
    rows.iter().map(|row| ptr::from_ref(row.document)).zip(times).collect()
}

/// Returns the times of one segment or subsegment, and the time of the root.
pub(super) fn times_within(trace: &Trace, document: &Document) -> Option<Times> {
    times_of(trace).remove(&ptr::from_ref(document))
}

/// Renders the links to other rows and other parts of the trace.
struct Links<'a> {
    trace: &'a Trace,
    view: &'a View,
    rows: &'a Rows<'a>,
}

impl Links<'_> {
    /// Returns the address of the view that selects a row.
    fn to(&self, shown: usize) -> String {
        let document = self.rows.row(shown).document;
        link::at_row(&self.view.with_row(&document.id).address(&self.trace.id), document)
    }

    /// Returns the address of the next (0) or the previous stop (1) on another page.
    fn beyond(&self, stop: Stop, direction: usize) -> Option<String> {
        self.rows.beyond(stop)[direction].map(|shown| self.to(shown))
    }

    fn matches(&self) -> Markup {
        let number = self.rows.count(Stop::Match) as u64;
        let rows = format::count_of(self.rows.shown.len() as u64, "row");
        html! {
            @if !self.rows.matches.is_empty() {
                span {
                    span #matches role="status" { (format::count(number)) " of " (rows) " match" }
                    (self.steps(Stop::Match, "match"))
                    " " a #clear-find href=(self.view.with_find("").address(&self.trace.id)) { "Clear" }
                }
            }
        }
    }

    fn errors(&self, cause: Option<&Row<'_>>) -> Markup {
        let number = self.rows.count(Stop::Error) as u64;
        let cause = cause.filter(|row| row.document.state().is_failure());
        let cause = cause.and_then(|row| {
            (0..self.rows.shown.len()).find(|&shown| ptr::eq(self.rows.row(shown).document, row.document))
        });
        html! {
            @if number > 0 {
                span {
                    (format::count(number)) @if number == 1 { " failing row" } @else { " failing rows" }
                    (self.steps(Stop::Error, "error"))
                    @if let Some(cause) = cause { " " a #first-cause href=(self.to(cause)) { "First cause" } }
                }
            }
        }
    }

    /// Renders the links to the next and the previous stop. The script moves there without loading the page.
    fn steps(&self, stop: Stop, name: &str) -> Markup {
        let steps = [("previous", "‹", self.rows.previous(stop), -1), ("next", "›", self.rows.next(stop), 1)];
        html! {
            @for (direction, sign, shown, step) in steps {
                @if let Some(shown) = shown {
                    " " a.small #{ (direction) "-" (name) } href=(self.to(shown)) data-step=(step) data-stop=(name) {
                        (sign) span.visually-hidden { " " (direction) " " (name) }
                    }
                }
            }
        }
    }

    fn pages(&self) -> Markup {
        let (page, all) = (&self.rows.page, self.rows.shown.len());
        let [number_from, number_to, all_rows] =
            [page.start + 1, page.end, all].map(|number| format::count(number as u64));
        html! {
            @if all > PAGE_ROWS {
                nav #pages .pager aria-label="Pages of rows" {
                    span { "Rows " (number_from) " to " (number_to) " of " (all_rows) }
                    @if page.start > 0 { a rel="prev" href=(self.page_at(page.start - PAGE_ROWS)) { "← Previous rows" } }
                    @if page.end < all { a rel="next" href=(self.page_at(page.end)) { "Next rows →" } }
                }
            }
        }
    }

    /// Returns the address of the page that starts with a row.
    fn page_at(&self, shown: usize) -> String {
        self.view.with_row(if shown == 0 { "" } else { self.rows.id(shown) }).address(&self.trace.id)
    }
}

/// Renders the link that shows or hides inferred segments. It is a link, so that it needs no script.
fn inferred_switch(trace: &Trace, view: &View) -> Markup {
    let number = trace.segments.iter().filter(|segment| segment.inferred).count() as u64;
    let address = |shows_inferred| view.with_inferred(shows_inferred).address(&trace.id);
    html! {
        @if number > 0 {
            @if view.shows_inferred() {
                a #inferred-switch href=(address(false)) { "Hide inferred segments" }
            } @else {
                a #inferred-switch href=(address(true)) { "Show " (format::count_of(number, "inferred segment")) }
            }
        }
    }
}

/// Returns the row to select at the start: where the failure of the trace began, or else the root.
///
/// An innermost failing call ends before its callers do. An entity that records exceptions of its own says more than
/// one that only repeats a status.
fn first_cause<'rows, 'a>(trace: &Trace, rows: &'rows [Row<'a>]) -> Option<&'rows Row<'a>> {
    let (root, state) = (trace.root(), trace.state());
    let has_failed = |row: &&Row<'_>| state.is_failure() && row.document.state() == state;
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

/// The least width of a bar, in per cent: about two pixels on a wide screen. A narrower bar could not be seen.
const MIN_WIDTH: f64 = 0.25;

/// Parts of the critical path that are closer to each other are drawn as one, in per cent. A row with thousands of
/// children has as many parts.
const MIN_GAP: f64 = 0.2;

/// Rows below this depth are not indented further, so that their names keep some room. The style sheet has a class for
/// each depth up to this one (`.d1` to `.d12`), because the content security policy forbids `style` attributes.
pub(super) const MAX_INDENT: usize = 12;

/// What the bars of a page share.
struct Bars<'a> {
    scale: Scale,
    /// The id of the row that is selected at the start.
    selected: Option<&'a str>,
    /// `true` if the address names that row.
    is_chosen: bool,
    times: HashMap<*const Document, Times>,
    /// The mark of each row, by its index among all rows.
    marks: Vec<Option<String>>,
}

impl Bars<'_> {
    /// Renders a row. `is_again` is `true` for a row of an earlier page that is repeated above its children.
    fn bar(&self, rows: &Rows<'_>, shown: usize, is_again: bool) -> Markup {
        let row = rows.row(shown);
        let document = row.document;
        let state = document.state();
        let shade = if document.in_progress { "progress" } else { status::class(state) };
        let label = Label::of(document);
        let times = self.times.get(&ptr::from_ref(document));
        let critical = times.map_or_else(Vec::new, |times| self.critical(times));
        let is_selected = self.selected == Some(document.id.as_str());
        let is_failed = !is_again && rows.is(Stop::Error, shown);
        let (start, width) = self.extent(document);
        html! {
            li.{ "d" (row.depth.min(MAX_INDENT)) }.segment[document.kind == Kind::Segment]
                .subsegment[document.kind == Kind::Subsegment].inferred[document.inferred].again[is_again]
                .stand-in[document.stand_in.is_some()] data-depth=(row.depth) data-failed[is_failed]
                data-match[!is_again && rows.is(Stop::Match, shown)] {
                @if rows.has_shown_children(shown) {
                    button.fold type="button" aria-expanded="true" hidden {
                        span.visually-hidden { "Children of " (label.name) }
                    }
                }
                a #(link::row_id(document)) href=(link::segment(document)) data-first[is_selected]
                    aria-current=[(is_selected && self.is_chosen).then_some("true")] {
                    span.name {
                        @if document.stand_in.is_some() { (status::unknown_dot()) } @else { (status::dot(state)) }
                        b { (label.name) }
                        // A screen reader does not see the indentation.
                        span.visually-hidden {
                            ", level " (row.depth + 1) ", " (entity::kind(document))
                            @if !critical.is_empty() { ", on the critical path" }
                        }
                        (entity::tags(document))
                        @if let Some(mark) = &self.marks[rows.shown[shown]] { span.tag.retry { (mark) } }
                        small { (label.detail) }
                    }
                    span.dur {
                        @if let Some(seconds) = document.duration() { (format::duration(seconds)) } @else { "…" }
                    }
                    span.self { @if let Some(own) = times.and_then(|times| times.own) { (format::duration(own)) } }
                    span.grid {
                        svg aria-hidden="true" {
                            rect.(shade) x={ (format_args!("{start:.2}")) "%" } width={ (format_args!("{width:.2}")) "%" } {}
                            @for (start, end) in &critical {
                                rect.critical x={ (format_args!("{start:.2}")) "%" }
                                    width={ (format_args!("{:.2}", end - start)) "%" } {}
                            }
                        }
                    }
                }
            }
        }
    }

    /// Returns the left edge and the width of a bar, in per cent.
    fn extent(&self, document: &Document) -> (f64, f64) {
        let start = self.scale.percent(document.start_time).min(100.0 - MIN_WIDTH);
        // The bar of an entity in progress reaches the right edge.
        let end = document.end_time.map_or(100.0, |end| self.scale.percent(end));
        (start, (end - start).max(MIN_WIDTH))
    }

    /// Returns the parts of the critical path as left and right edges in per cent, from left to right.
    fn critical(&self, times: &Times) -> Vec<(f64, f64)> {
        let mut parts = Vec::<(f64, f64)>::new();
        for &(start, end) in times.critical.iter().rev().filter(|(start, end)| self.scale.shows(*start, *end)) {
            let (start, end) = (self.scale.percent(start), self.scale.percent(end));
            match parts.last_mut() {
                Some(last) if start - last.1 < MIN_GAP => last.1 = end,
                _ => parts.push((start, end)),
            }
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_time_lies_on_the_scale() {
        let trace = Trace::of_values([
            json!({"id": "a1", "name": "a", "start_time": 5, "end_time": 1}),
            json!({"id": "a2", "name": "b", "start_time": 1e300, "in_progress": true}),
        ]);
        let scale = Scale::of(&trace);
        for time in [1.0, 5.0, 1e300, f64::MAX] {
            assert!((0.0..=100.0).contains(&scale.percent(time)), "{time}");
        }
    }
}
