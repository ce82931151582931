//! The flame graph of a trace: where its time goes. Equal calls of one parent are added up.

use std::collections::HashMap;

use maud::{Markup, html};

use super::label::Label;
use super::page::{Page, Section};
use super::state::Console;
use super::timeline::View;
use super::trace::title;
use super::{format, link, status};
use crate::document::{Document, State};
use crate::trace::{Trace, signature, times};

/// The height of a box, with the gap below it, in pixels.
const ROW: usize = 24;
const BOX: usize = 22;
/// The least width of a box, in per cent. A narrower box could not be seen.
const MIN_WIDTH: f64 = 0.1;
/// The most levels. A trace may be a chain of thousands of calls.
const MAX_LEVELS: usize = 200;

/// Renders the page. Returns `None` if the store does not hold the trace.
pub(super) fn page(console: &Console, id: &str) -> Option<Markup> {
    let trace = console.trace(id)?;
    let changes = format!("/changes?trace={}", trace.id);
    let content = html! {
        p.crumbs {
            a href="/" { "Traces" } " / " a href=(link::trace(&trace.id)) { span.mono { (trace.id) } }
        }
        div.head { h1 { "Flame graph of " (title(&trace)) } }
        div data-live { (graph(&trace)) }
    };
    let page =
        Page { title: "Flame graph", section: Some(Section::Traces), changes: (&changes, trace.revision), content };
    Some(page.render(console))
}

fn graph(trace: &Trace) -> Markup {
    let groups = groups(trace);
    let whole: f64 = groups.iter().filter(|group| group.parent.is_none()).map(|group| group.total).sum();
    if whole <= 0.0 {
        return html! { p.notice { "No segment of this trace has ended, or none took any time." } };
    }
    let (boxes, hidden) = boxes(&groups, whole);
    let levels = boxes.iter().map(|drawn| groups[drawn.group].level + 1).max().unwrap_or_default();
    html! {
        p {
            "A box is as wide as the time that it and the boxes below it spend themselves. Equal calls by a parent are one \
             box, and calls that run at the same time add up, so the whole may be longer than the trace."
        }
        div.card.flame data-scrolls {
            svg height=(levels * ROW) role="group" aria-label="Flame graph. Each box leads to a row of the timeline." {
                @for drawn in &boxes { (render(trace, &groups[drawn.group], drawn, whole)) }
            }
        }
        @if hidden > 0 {
            p #hidden {
                (format::count(hidden)) @if hidden == 1 { " box is" } @else { " boxes are" } " too narrow or too deep to be drawn."
            }
        }
    }
}

/// Segments or subsegments of one parent that do the same.
struct Group<'a> {
    /// The first of them.
    document: &'a Document,
    count: u64,
    /// The worst state of them.
    state: State,
    level: usize,
    parent: Option<usize>,
    /// The groups below, in the order of their first start.
    children: Vec<usize>,
    /// The time that these and all groups below spend themselves, in seconds.
    total: f64,
    own: f64,
}

/// Returns the groups of a trace, each after its parent.
fn groups(trace: &Trace) -> Vec<Group<'_>> {
    let rows = trace.rows(false);
    let mut groups = Vec::<Group<'_>>::new();
    let mut known = HashMap::<(Option<usize>, u64), usize>::new();
    // The groups of the rows that contain the current row, outermost first.
    let mut above = Vec::<usize>::new();
    for (row, times) in rows.iter().zip(times(&rows, "")) {
        above.truncate(row.depth);
        let parent = above.last().copied();
        let group = *known.entry((parent, signature(row.document))).or_insert_with(|| {
            let (document, state) = (row.document, row.document.state());
            groups.push(Group {
                document,
                count: 0,
                state,
                level: row.depth,
                parent,
                children: Vec::new(),
                total: 0.0,
                own: 0.0,
            });
            groups.len() - 1
        });
        if groups[group].count == 0 {
            if let Some(parent) = parent {
                groups[parent].children.push(group);
            }
        }
        let own = times.own.unwrap_or_default();
        let entry = &mut groups[group];
        (entry.count, entry.own, entry.total) = (entry.count + 1, entry.own + own, entry.total + own);
        entry.state = entry.state.max(row.document.state());
        above.push(group);
    }
    for index in (0..groups.len()).rev() {
        if let Some(parent) = groups[index].parent {
            groups[parent].total += groups[index].total;
        }
    }
    groups
}

/// A group that is drawn, and its place in per cent of the width.
struct Drawn {
    group: usize,
    left: f64,
    width: f64,
}

/// Returns the boxes that can be seen, and the number of the others.
fn boxes(groups: &[Group<'_>], whole: f64) -> (Vec<Drawn>, u64) {
    let mut boxes = Vec::new();
    let mut waiting: Vec<_> =
        beside((0..groups.len()).filter(|&group| groups[group].parent.is_none()), 0.0, groups, whole);
    while let Some(drawn) = waiting.pop() {
        let group = &groups[drawn.group];
        if drawn.width < MIN_WIDTH || group.level >= MAX_LEVELS {
            continue;
        }
        waiting.extend(beside(group.children.iter().copied(), drawn.left, groups, whole));
        boxes.push(drawn);
    }
    let hidden = groups.len() - boxes.len();
    (boxes, hidden as u64)
}

/// Places groups beside each other.
fn beside(members: impl Iterator<Item = usize>, mut left: f64, groups: &[Group<'_>], whole: f64) -> Vec<Drawn> {
    let place = |group: usize| {
        let drawn = Drawn { group, left, width: groups[group].total * 100.0 / whole };
        left += drawn.width;
        drawn
    };
    members.map(place).collect()
}

fn render(trace: &Trace, group: &Group<'_>, drawn: &Drawn, whole: f64) -> Markup {
    let label = Label::of(group.document);
    let address = link::at_row(&View::at(&group.document.id, false).address(&trace.id), group.document);
    let text = html! {
        (label.name) @if group.count > 1 { " × " (format::count(group.count)) } " · " (format::duration(group.total))
    };
    let description = format!(
        "{}, {}, {}: {}, {:.1} %, by itself {}",
        label.name,
        format::count_of(group.count, "time"),
        status::word(group.state),
        format::duration(group.total),
        group.total * 100.0 / whole,
        format::duration(group.own),
    );
    let (left, width) = (format!("{:.3}%", drawn.left), format!("{:.3}%", drawn.width));
    html! {
        a href=(address) aria-label=(description) {
            title { (description) }
            // A drawing of its own cuts the text at the edge of the box.
            svg x=(left) y=(group.level * ROW) width=(width) height=(BOX) {
                rect.(status::class(group.state)) width="100%" height="100%" {}
                text x="4" y="15" { (text) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_calls_are_one_box_that_is_as_wide_as_all_of_them() {
        let call = |id: &str, name: &str, start: f64, end: f64| json!({"id": id, "name": name, "namespace": "remote", "start_time": start, "end_time": end});
        let mut failing = call("a4", "stock", 8.0, 9.0);
        failing["fault"] = true.into();
        let trace = Trace::of_values([json!({"id": "a1", "name": "shop", "start_time": 0, "end_time": 10,
            "subsegments": [call("a2", "stock", 1.0, 3.0), call("a3", "cart", 3.0, 4.0), failing]})]);
        let groups = groups(&trace);
        let found: Vec<_> = groups
            .iter()
            .map(|group| (group.document.name.as_str(), group.count, group.own, group.total, group.state))
            .collect();
        let expected =
            [("shop", 1, 6.0, 10.0, State::Ok), ("stock", 2, 3.0, 3.0, State::Fault), ("cart", 1, 1.0, 1.0, State::Ok)];
        assert_eq!(found, expected);
        let (boxes, hidden) = boxes(&groups, 10.0);
        let mut places: Vec<_> = boxes.iter().map(|drawn| (drawn.group, drawn.left, drawn.width)).collect();
        places.sort_by_key(|place| place.0);
        assert_eq!((places, hidden), (vec![(0, 0.0, 100.0), (1, 0.0, 30.0), (2, 30.0, 10.0)], 0));
    }

    #[test]
    fn a_box_has_the_worst_state_of_its_calls() {
        let call = |id: &str, failure: &str| json!({"id": id, "name": "stock", "namespace": "remote", "start_time": 1, "end_time": 2, failure: true});
        let states = |failures: [&str; 2]| {
            let calls = [call("a2", failures[0]), call("a3", failures[1])];
            let trace = Trace::of_values([
                json!({"id": "a1", "name": "shop", "start_time": 0, "end_time": 3, "subsegments": calls}),
            ]);
            groups(&trace)[1].state
        };
        assert_eq!(states(["fault", "error"]), State::Fault);
        assert_eq!(states(["error", "throttle"]), State::Throttle);
    }

    #[test]
    fn the_number_of_boxes_that_are_not_drawn_is_shown() {
        let page = |calls: u32| {
            let call = |number: u32| {
                json!({"id": format!("b{number}"), "name": format!("n{number}"), "namespace": "remote",
                "start_time": 0, "end_time": 0.000_001})
            };
            let calls: Vec<_> = (0..calls).map(call).collect();
            graph(&Trace::of_values([
                json!({"id": "a1", "name": "shop", "start_time": 0, "end_time": 9, "subsegments": calls}),
            ]))
            .into_string()
        };
        assert!(page(1).contains(">1 box is too narrow"), "{}", page(1));
        assert!(page(2).contains(">2 boxes are too narrow"), "{}", page(2));
    }

    #[test]
    fn a_long_chain_of_calls_is_drawn_to_a_depth() {
        let documents = (0..150).map(|number| {
            let mut segment = json!({"id": format!("a{number}"), "name": "n", "start_time": 0,
                "end_time": 1, "subsegments": [{"id": format!("b{number}"), "name": "n", "namespace": "remote",
                "start_time": 0, "end_time": 1}]});
            if number > 0 {
                segment["parent_id"] = format!("b{}", number - 1).into();
            }
            segment
        });
        let trace = Trace::of_values(documents);
        let groups = groups(&trace);
        let (boxes, hidden) = boxes(&groups, 1.0);
        assert_eq!((boxes.len(), hidden), (MAX_LEVELS, 100));
        assert!(boxes.iter().all(|drawn| drawn.width > 99.0), "the innermost call takes all the time");
    }
}
