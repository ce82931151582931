//! The parts of a trace that a comparison needs, and the pairs of two traces.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::console::label::Label;
use crate::console::link;
use crate::document::State;
use crate::trace::{Row, Trace, rough_signature, signature};

/// How many rows of a trace are compared at most.
pub(super) const MAX_ROWS: usize = 20_000;

/// A trace as a tree of its rows. It holds copies: a thread must not hold two open traces.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub(super) items: Vec<Item>,
    roots: Vec<usize>,
    /// `true` if the trace has more than [`MAX_ROWS`] rows.
    pub(super) is_cut: bool,
    /// From the first start to the last end, in seconds.
    pub(super) seconds: f64,
}

/// A segment or subsegment.
#[derive(Debug)]
pub(super) struct Item {
    signature: u64,
    rough_signature: u64,
    pub(super) label: Label,
    /// The address of its details.
    pub(super) address: String,
    pub(super) state: State,
    /// From the start of the trace, in seconds.
    pub(super) start: f64,
    /// In seconds. `None` while it is in progress.
    pub(super) seconds: Option<f64>,
    children: Vec<usize>,
}

/// A row of the comparison: an item of A, an item of B, or one of each that do the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) a: Option<usize>,
    pub(super) b: Option<usize>,
    pub(super) depth: usize,
}

/// What differs between the items of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Change {
    None,
    OnlyA,
    OnlyB,
    FailsInA,
    FailsInB,
    Slower,
    Faster,
}

impl Outline {
    pub(super) fn of(trace: &Trace) -> Self {
        let (start, rows) = (trace.start(), trace.rows(false));
        let is_cut = rows.len() > MAX_ROWS;
        let mut outline = Self { is_cut, seconds: trace.duration().unwrap_or_default(), ..Self::default() };
        let mut above = Vec::<usize>::new();
        for (index, row) in rows.iter().take(MAX_ROWS).enumerate() {
            above.truncate(row.depth);
            match above.last() {
                Some(&parent) => outline.items[parent].children.push(index),
                None => outline.roots.push(index),
            }
            above.push(index);
            outline.items.push(Item::of(row, start));
        }
        outline
    }
}

impl Item {
    fn of(row: &Row<'_>, start: f64) -> Self {
        let document = row.document;
        Self {
            signature: signature(document),
            rough_signature: rough_signature(document),
            label: Label::of(document),
            address: link::segment(document),
            state: document.state(),
            start: document.start_time - start,
            seconds: document.duration(),
            children: Vec::new(),
        }
    }
}

/// Pairs the items of two traces, from the roots down. Returns the pairs from top to bottom.
///
/// A stack replaces recursion here: a trace may be a chain of thousands of calls.
pub(super) fn pairs(a: &Outline, b: &Outline) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut stack = matched(a, &a.roots, b, &b.roots, 0);
    stack.reverse();
    while let Some(pair) = stack.pop() {
        pairs.push(pair);
        let children = |outline: &'_ Outline, item: Option<usize>| {
            item.map_or_else(Vec::new, |item| outline.items[item].children.clone())
        };
        let mut below = matched(a, &children(a, pair.a), b, &children(b, pair.b), pair.depth + 1);
        below.reverse();
        stack.append(&mut below);
    }
    pairs
}

/// Pairs siblings: first those that do the same, then those that differ only in the path, the operation or the query,
/// both in the order of their start. Returns the pairs in that order.
fn matched(a: &Outline, a_items: &[usize], b: &Outline, b_items: &[usize], depth: usize) -> Vec<Pair> {
    let mut partner = HashMap::<usize, usize>::new();
    let mut taken = vec![false; b_items.len()];
    for signature in [|item: &Item| item.signature, |item: &Item| item.rough_signature] {
        // The items of B that have no partner, by what they do, the last first.
        let mut free = HashMap::<u64, Vec<usize>>::new();
        for place in (0..b_items.len()).rev().filter(|place| !taken[*place]) {
            free.entry(signature(&b.items[b_items[place]])).or_default().push(place);
        }
        for &item in a_items {
            let Entry::Vacant(vacant) = partner.entry(item) else { continue };
            if let Some(place) = free.get_mut(&signature(&a.items[item])).and_then(Vec::pop) {
                taken[place] = true;
                vacant.insert(b_items[place]);
            }
        }
    }
    let of_a = a_items.iter().map(|&item| Pair { a: Some(item), b: partner.get(&item).copied(), depth });
    let only_b = b_items.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(&item, _)| Pair {
        a: None,
        b: Some(item),
        depth,
    });
    let mut pairs: Vec<Pair> = of_a.chain(only_b).collect();
    let start = |pair: &Pair| match (pair.a, pair.b) {
        (Some(item), _) => a.items[item].start,
        (None, Some(item)) => b.items[item].start,
        (None, None) => 0.0,
    };
    pairs.sort_by(|one, other| start(one).total_cmp(&start(other)));
    pairs
}

/// The least difference of time that counts, as a share of the shorter of the two times.
const LEAST_SHARE: f64 = 0.2;
/// The least difference of time that counts, as a share of the time of the longer trace.
const LEAST_SHARE_OF_TRACE: f64 = 0.01;

/// Returns what differs in a pair.
pub(super) fn change(pair: Pair, a: &Outline, b: &Outline) -> Change {
    let (Some(in_a), Some(in_b)) = (pair.a, pair.b) else {
        return if pair.a.is_some() { Change::OnlyA } else { Change::OnlyB };
    };
    let (in_a, in_b) = (&a.items[in_a], &b.items[in_b]);
    match (in_a.state.is_failure(), in_b.state.is_failure()) {
        (false, true) => return Change::FailsInB,
        (true, false) => return Change::FailsInA,
        _ => {}
    }
    let (Some(before), Some(after)) = (in_a.seconds, in_b.seconds) else { return Change::None };
    let difference = after - before;
    let is_large = difference.abs() > before.min(after) * LEAST_SHARE
        && difference.abs() > a.seconds.max(b.seconds) * LEAST_SHARE_OF_TRACE;
    match is_large {
        true if difference > 0.0 => Change::Slower,
        true => Change::Faster,
        false => Change::None,
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use serde_json::{Value, json};

    use super::*;
    use crate::document::{Document, TraceId};

    fn outline(children: &[Value]) -> Outline {
        let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
        let segment = json!({"id": "root", "trace_id": id.to_string(), "name": "shop", "start_time": 0, "end_time": 10, "subsegments": children});
        Outline::of(&Trace::of(id, Document::from_value(segment)))
    }

    fn call(id: u32, name: &str, path: &str, start: u32) -> Value {
        json!({"id": id.to_string(), "name": name, "namespace": "remote", "start_time": start, "end_time": start + 1,
            "http": {"request": {"method": "GET", "url": format!("http://{name}{path}?q={id}")}}})
    }

    /// Returns the labels in A and B of each pair but the root.
    fn shown(a: &[Value], b: &[Value]) -> Vec<(String, String)> {
        let (a, b) = (outline(a), outline(b));
        let name = |outline: &Outline, item: Option<usize>| {
            item.map_or_else(
                || "-".to_owned(),
                |item| {
                    format!(
                        "{}@{}",
                        outline.items[item].label.name.split('?').next().unwrap(),
                        outline.items[item].start
                    )
                },
            )
        };
        pairs(&a, &b)[1..].iter().map(|pair| (name(&a, pair.a), name(&b, pair.b))).collect()
    }

    fn texts(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn calls_of_one_path_are_paired_before_calls_of_other_paths_of_the_host() {
        let a = [call(1, "h", "/x", 1), call(2, "h", "/y", 2), call(3, "h", "/y", 3)];
        let b = [call(4, "h", "/y", 1), call(5, "h", "/z", 2), call(6, "other", "/", 5)];
        assert_eq!(
            shown(&a, &b),
            texts(&[("GET /x@1", "GET /z@2"), ("GET /y@2", "GET /y@1"), ("GET /y@3", "-"), ("-", "GET /@5")])
        );
    }

    #[test]
    fn children_of_a_row_that_only_one_trace_has_are_only_in_that_trace() {
        let mut parent = call(1, "h", "/x", 1);
        parent["subsegments"] = json!([{"id": "9", "name": "inner", "start_time": 1, "end_time": 2}]);
        assert_eq!(shown(&[parent.clone()], &[]), texts(&[("GET /x@1", "-"), ("inner@1", "-")]));
        assert_eq!(shown(&[], &[parent]), texts(&[("-", "GET /x@1"), ("-", "inner@1")]));
    }

    #[test]
    fn a_failure_counts_more_than_a_time_and_a_small_difference_of_time_does_not_count() {
        let of = |seconds: f64, fault: bool| json!({"id": "1", "name": "a", "start_time": 0, "end_time": seconds, "fault": fault});
        for (before, after, expected) in [
            (of(1.0, false), of(1.0, false), Change::None),
            (of(1.0, false), of(1.15, false), Change::None),
            (of(1.0, false), of(2.0, false), Change::Slower),
            (of(2.0, false), of(1.0, false), Change::Faster),
            (of(0.001, false), of(0.01, false), Change::None),
            (of(1.0, false), of(2.0, true), Change::FailsInB),
            (of(1.0, true), of(2.0, false), Change::FailsInA),
            (of(1.0, true), of(1.0, true), Change::None),
        ] {
            let (a, b) = (outline(from_ref(&before)), outline(from_ref(&after)));
            assert_eq!(change(pairs(&a, &b)[1], &a, &b), expected, "{before} {after}");
        }
    }

    #[test]
    fn a_chain_of_many_calls_is_paired_without_deep_recursion() {
        let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
        let chain = (0..30_000_u32).map(|number| {
            let parent = number.checked_sub(1).map(|parent| parent.to_string());
            let document = json!({"id": number.to_string(), "parent_id": parent, "trace_id": id.to_string(), "name": "a", "start_time": number, "end_time": 40_000});
            Document::from_value(document).unwrap()
        });
        let outline = Outline::of(&Trace::of(id, chain));
        assert!(outline.is_cut);
        assert_eq!(pairs(&outline, &outline).len(), MAX_ROWS);
    }
}
