//! The rows that the timeline shows: those in the chosen range of time, a page of them at a time.

use std::ops::Range;

use super::find::mentions;
use super::view::View;
use super::window::Scale;
use crate::trace::Row;

/// How many rows a page has. A browser draws this many within a few frames, and the script updates them as often as
/// once a second.
pub(in crate::console) const PAGE_ROWS: usize = 500;

/// The rows in a range of time, and which of them are on the page.
pub(super) struct Rows<'a> {
    /// All rows of the trace, from top to bottom.
    pub(super) all: &'a [Row<'a>],
    /// The indices of the rows in the range of time, including the parents of these rows.
    pub(super) shown: Vec<usize>,
    /// The page, as a part of `shown`.
    pub(super) page: Range<usize>,
    /// For each row of `shown`, whether it contains the text that is searched for. Empty without such a text.
    pub(super) matches: Vec<bool>,
    /// The selected row, as an index of `shown`.
    pub(super) at: Option<usize>,
}

/// A kind of rows to which links and keys lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Error,
    Match,
}

impl<'a> Rows<'a> {
    pub(super) fn of(all: &'a [Row<'a>], view: &View, scale: &Scale, is_zoomed: bool) -> Self {
        let shown = if is_zoomed { within(all, scale) } else { (0..all.len()).collect() };
        let text = view.find.trim().to_lowercase();
        let matches = if text.is_empty() {
            Vec::new()
        } else {
            shown.iter().map(|&row| mentions(all[row].document, &text)).collect()
        };
        let at = shown.iter().position(|&row| !view.at.is_empty() && all[row].document.id == view.at);
        let first = at.unwrap_or_default() / PAGE_ROWS * PAGE_ROWS;
        let page = first..shown.len().min(first + PAGE_ROWS);
        Self { all, shown, page, matches, at }
    }

    /// Returns a row of `shown`.
    pub(super) fn row(&self, shown: usize) -> &'a Row<'a> {
        &self.all[self.shown[shown]]
    }

    pub(super) fn id(&self, shown: usize) -> &'a str {
        &self.row(shown).document.id
    }

    /// Returns whether a child of the row is among the rows that are shown.
    pub(super) fn has_shown_children(&self, shown: usize) -> bool {
        self.shown.get(shown + 1).is_some_and(|&next| self.all[next].depth > self.row(shown).depth)
    }

    /// Returns the rows that contain the first row of the page, outermost first. They are shown above it: a row says
    /// little without its parent.
    pub(super) fn above(&self) -> Vec<usize> {
        let mut above = Vec::new();
        let Some(first) = self.shown.get(self.page.start) else { return above };
        let mut depth = self.all[*first].depth;
        for shown in (0..self.page.start).rev() {
            if depth == 0 {
                break;
            }
            if self.row(shown).depth < depth {
                depth = self.row(shown).depth;
                above.push(shown);
            }
        }
        above.reverse();
        above
    }

    pub(super) fn is(&self, stop: Stop, shown: usize) -> bool {
        match stop {
            Stop::Error => self.row(shown).document.state().is_failure(),
            Stop::Match => self.matches.get(shown).copied().unwrap_or_default(),
        }
    }

    pub(super) fn count(&self, stop: Stop) -> usize {
        self.stops(stop, 0..self.shown.len()).count()
    }

    fn stops(&self, stop: Stop, within: Range<usize>) -> impl DoubleEndedIterator<Item = usize> + '_ {
        within.filter(move |&shown| self.is(stop, shown))
    }

    /// Returns the next stop after the selected row, or the first one. After the last one comes the first.
    pub(super) fn next(&self, stop: Stop) -> Option<usize> {
        let after = self.at.map_or(0, |at| at + 1);
        self.stops(stop, after..self.shown.len()).chain(self.stops(stop, 0..after)).next()
    }

    /// Returns the last stop before the selected row, or the last one. Before the first one comes the last.
    pub(super) fn previous(&self, stop: Stop) -> Option<usize> {
        let before = self.at.unwrap_or(0);
        let earlier = self.stops(stop, 0..before).rev();
        earlier.chain(self.stops(stop, before..self.shown.len()).rev()).next()
    }

    /// Returns the next and the previous stop that are on other pages.
    pub(super) fn beyond(&self, stop: Stop) -> [Option<usize>; 2] {
        let (before, after) = (0..self.page.start, self.page.end..self.shown.len());
        let next = self.stops(stop, after.clone()).chain(self.stops(stop, before.clone())).next();
        let previous = self.stops(stop, before).rev().chain(self.stops(stop, after).rev()).next();
        [next, previous]
    }
}

/// Returns the indices of the rows that run within the scale, and of their parents.
fn within(rows: &[Row<'_>], scale: &Scale) -> Vec<usize> {
    let mut shown = Vec::new();
    // From bottom to top, a parent comes after its children. The depth of the parent of the last shown row is known.
    let mut wanted = None;
    for (index, row) in rows.iter().enumerate().rev() {
        let document = row.document;
        let runs = scale.shows(document.start_time, document.end_time.unwrap_or(f64::INFINITY));
        if runs || wanted.is_some_and(|depth| row.depth <= depth) {
            shown.push(index);
            wanted = row.depth.checked_sub(1);
        }
    }
    shown.reverse();
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::document::{Document, TraceId};
    use crate::trace::Trace;

    fn trace(subsegments: &[Value]) -> Trace {
        let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
        let segment = json!({"id": "root", "trace_id": id.to_string(), "name": "shop", "start_time": 0, "end_time": 100, "subsegments": subsegments});
        Trace::of(id, Document::from_value(segment))
    }

    fn step(id: usize, from: f64, to: f64, fault: bool, children: &[Value]) -> Value {
        json!({"id": id.to_string(), "name": format!("step {id}"), "start_time": from, "end_time": to, "fault": fault, "subsegments": children})
    }

    #[test]
    fn a_range_has_the_rows_that_run_in_it_and_their_parents() {
        // The parent of 2 ends before the range begins.
        let trace = trace(&[
            step(1, 1.0, 2.0, false, &[step(2, 50.0, 60.0, false, &[]), step(3, 1.0, 2.0, false, &[])]),
            step(4, 3.0, 4.0, false, &[step(5, 3.0, 4.0, false, &[])]),
            step(6, 55.0, 56.0, false, &[]),
        ]);
        let rows = trace.rows(false);
        let scale = Scale::of(&trace).within(Some((50.0, 60.0)));
        let shown = Rows::of(&rows, &View::default(), &scale, true);
        let ids: Vec<_> = (0..shown.shown.len()).map(|row| shown.id(row)).collect();
        assert_eq!(ids, ["root", "1", "2", "6"]);
        assert!(shown.has_shown_children(1) && !shown.has_shown_children(3));
    }

    #[test]
    fn stops_go_round_from_the_selected_row_and_those_of_other_pages_are_known() {
        let is_failing = |id: u32| [5, 500, 1_007].contains(&id);
        assert_eq!(PAGE_ROWS, 500, "the ids are on three pages");
        let steps: Vec<_> =
            (1..=1_500).map(|id| step(id as usize, f64::from(id) / 100.0, 50.0, is_failing(id), &[])).collect();
        let trace = trace(&steps);
        let all = trace.rows(false);
        let scale = Scale::of(&trace);
        let at = |id: &str| Rows::of(&all, &View::at(id, false), &scale, false);
        let ids = |rows: &Rows<'_>| {
            let found =
                [rows.next(Stop::Error), rows.previous(Stop::Error)].into_iter().chain(rows.beyond(Stop::Error));
            found.map(|row| row.map(|row| rows.id(row).to_owned())).collect::<Vec<_>>()
        };
        let [first, second, third] = ["5", "500", "1007"].map(|id| Some(id.to_owned()));
        let rows = at("");
        assert_eq!((rows.page.clone(), rows.above()), (0..PAGE_ROWS, vec![]));
        assert_eq!(ids(&rows), [&first, &third, &second, &third].map(Clone::clone));
        let rows = at(second.as_deref().unwrap());
        assert_eq!((rows.page.clone(), rows.above()), (PAGE_ROWS..PAGE_ROWS * 2, vec![0]));
        assert_eq!(ids(&rows), [&third, &first, &third, &first].map(Clone::clone));
        let rows = at(third.as_deref().unwrap());
        assert_eq!(ids(&rows), [&first, &second, &first, &second].map(Clone::clone));
        let rows = at("an id that is not there");
        assert_eq!(rows.page, 0..PAGE_ROWS);
    }
}
