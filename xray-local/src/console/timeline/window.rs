//! The range of time that the timeline shows: its scale, an overview of the whole trace, and the ways to other ranges.

use maud::{Markup, html};

use super::view::{View, text};
use crate::console::format;
use crate::trace::{Row, Trace};

/// The horizontal scale of the timeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// The left edge, in seconds since 1970.
    start: f64,
    /// From the start of the trace to the left edge, in seconds.
    offset: f64,
    /// From the left edge to the right edge, in seconds.
    pub(super) span: f64,
}

impl Scale {
    pub(super) fn of(trace: &Trace) -> Self {
        let starts = trace.entities().map(|entity| entity.start_time);
        // The starts count too: a part that is in progress may begin after everything that has ended.
        let latest = starts.chain(trace.end()).max_by(f64::total_cmp).unwrap_or_default();
        let start = trace.start();
        // At least a microsecond, the resolution of the times: `percent` divides by the span.
        Self { start, offset: 0.0, span: (latest - start).max(1e-6) }
    }

    /// Returns the scale of a range, in seconds from the start of the trace.
    pub(super) fn within(self, range: Option<(f64, f64)>) -> Self {
        match range {
            Some((from, to)) => Self { start: self.start + from, offset: from, span: (to - from).max(1e-6) },
            None => self,
        }
    }

    /// Returns the position of a time, in per cent of the width. It is between 0 and 100 for every time: a document may
    /// hold an end before its start, or a number so large that the span is infinite.
    pub(super) fn percent(&self, time: f64) -> f64 {
        let percent = (time - self.start) / self.span * 100.0;
        if percent.is_finite() { percent.clamp(0.0, 100.0) } else { 0.0 }
    }

    /// Returns whether a part of the time from `start` to `end` is on the scale.
    pub(super) fn shows(&self, start: f64, end: f64) -> bool {
        start <= self.start + self.span && end >= self.start
    }

    /// Renders the line of column headings. A screen reader reads the duration of each row instead.
    pub(super) fn axis(&self) -> Markup {
        let ticks = [(0, "start"), (25, "middle"), (50, "middle"), (75, "middle"), (100, "end")];
        html! {
            div.axis aria-hidden="true" {
                span { "Name" }
                span.dur { "Duration" }
                span.self { "Self time" }
                svg {
                    @for (percent, anchor) in ticks {
                        text x={ (percent) "%" } y="12" text-anchor=(anchor) {
                            (format::duration(self.offset + self.span * f64::from(percent) / 100.0))
                        }
                    }
                }
            }
        }
    }
}

/// How many columns the overview has. Each is about four pixels wide on a wide screen.
const COLUMNS: usize = 240;

/// The height of the overview.
const HEIGHT: f64 = 36.0;

/// A column of the overview: how many rows run in its time, and how many of them failed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Column {
    rows: u32,
    failed: u32,
}

/// Renders the whole trace in a small drawing, with the range that is shown. The script lets the pointer choose another
/// range in it.
pub(super) fn overview(whole: &Scale, rows: &[Row<'_>], range: Option<(f64, f64)>) -> Markup {
    let columns = columns(whole, rows);
    let most = columns.iter().map(|column| column.rows).max().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "there are 240 columns")]
    let percent = |column: usize| column as f64 / COLUMNS as f64 * 100.0;
    html! {
        div.overview data-overview=(text(whole.span)) {
            svg height=(HEIGHT) aria-hidden="true" {
                @for ((from, to), column) in runs(&columns) {
                    @let height = height(column.rows, most);
                    @let failed = height * f64::from(column.failed) / f64::from(column.rows);
                    @for (class, height) in [("all", height), ("failed", failed)] {
                        @if height > 0.0 {
                            rect class=(class) x={ (format_args!("{:.2}", percent(from))) "%" }
                                width={ (format_args!("{:.2}", percent(to - from))) "%" }
                                y=(format_args!("{:.1}", HEIGHT - height)) height=(format_args!("{height:.1}")) {}
                        }
                    }
                }
                @if let Some((from, to)) = range {
                    @let (left, right) = (from / whole.span * 100.0, to / whole.span * 100.0);
                    rect.outside x="0" y="0" height=(HEIGHT) width={ (format_args!("{left:.2}")) "%" } {}
                    rect.outside x={ (format_args!("{right:.2}")) "%" } y="0" height=(HEIGHT)
                        width={ (format_args!("{:.2}", 100.0 - right)) "%" } {}
                }
                rect.drag data-drag x="0" y="0" height=(HEIGHT) width="0" {}
            }
        }
    }
}

fn columns(whole: &Scale, rows: &[Row<'_>]) -> Vec<Column> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "the percentage is between 0 and 100"
    )]
    let column = |time: f64| ((whole.percent(time) / 100.0 * COLUMNS as f64) as usize).min(COLUMNS - 1);
    // The difference of each column to the one before it: a row may run in all columns, and there may be many rows.
    let (mut running, mut failed) = (vec![0_i64; COLUMNS + 1], vec![0_i64; COLUMNS + 1]);
    for document in rows.iter().map(|row| row.document) {
        let (first, last) = (column(document.start_time), document.end_time.map_or(COLUMNS - 1, column));
        let last = last.max(first);
        running[first] += 1;
        running[last + 1] -= 1;
        if document.state().is_failure() {
            failed[first] += 1;
            failed[last + 1] -= 1;
        }
    }
    let (mut rows, mut failures) = (0, 0);
    running[..COLUMNS]
        .iter()
        .zip(&failed)
        .map(|(change, failed)| {
            rows += change;
            failures += failed;
            let [rows, failed] = [rows, failures].map(|number| u32::try_from(number).unwrap_or_default());
            Column { rows, failed }
        })
        .collect()
}

/// Returns neighbouring columns that are equal as one, with the first column and the one after the last.
fn runs(columns: &[Column]) -> Vec<((usize, usize), Column)> {
    let mut runs = Vec::<((usize, usize), Column)>::new();
    for (index, column) in columns.iter().enumerate() {
        match runs.last_mut() {
            Some((range, last)) if last == column => range.1 = index + 1,
            _ => runs.push(((index, index + 1), *column)),
        }
    }
    runs.retain(|(_, column)| column.rows > 0);
    runs
}

/// Returns the height of a column. The square root keeps a single row visible beside a thousand.
fn height(rows: u32, most: u32) -> f64 {
    (f64::from(rows) / f64::from(most.max(1))).sqrt() * (HEIGHT - 4.0)
}

/// Renders the links to other ranges. They need no script. The script follows them when their key is pressed.
pub(super) fn links(trace: &Trace, view: &View, length: f64, range: Option<(f64, f64)>) -> Markup {
    let (from, to) = range.unwrap_or((0.0, length));
    let (middle, quarter) = (f64::midpoint(from, to), (to - from) / 4.0);
    let out = Some(((middle - 4.0 * quarter).max(0.0), (middle + 4.0 * quarter).min(length)));
    let earlier = (from - 2.0 * quarter).max(0.0);
    let later = (from + 2.0 * quarter).min(length - 4.0 * quarter);
    let is_whole = |range: &(f64, f64)| range.0 <= 0.0 && range.1 >= length;
    let links = [
        (true, "+", "Zoom in", Some((middle - quarter, middle + quarter))),
        (range.is_some(), "-", "Zoom out", out.filter(|out| !is_whole(out))),
        (from > 0.0, "[", "Earlier", Some((earlier, earlier + 4.0 * quarter))),
        (to < length, "]", "Later", Some((later, later + 4.0 * quarter))),
        (range.is_some(), "0", "Whole trace", None),
    ];
    html! {
        nav.zooms aria-label="Range of time" {
            @for (is_possible, key, name, range) in links {
                @if is_possible {
                    a.small href=(view.with_range(range).address(&trace.id)) data-key=(key) data-keeps-row { (name) }
                }
            }
        }
    }
}

/// Renders a form for a range in numbers, folded.
pub(super) fn form(trace: &Trace, view: &View, length: f64, range: Option<(f64, f64)>) -> Markup {
    let (from, to) = range.unwrap_or((0.0, length));
    html! {
        details #range .folded {
            summary { "Range of time" }
            form.line action=(crate::console::link::trace(&trace.id)) method="get" {
                @for (name, value) in view.kept(&["from", "to"]) { input type="hidden" name=(name) value=(value); }
                label { "From " input name="from" inputmode="decimal" autocomplete="off" size="9" value=(text(from)); }
                label { "to " input name="to" inputmode="decimal" autocomplete="off" size="9" value=(text(to)); }
                " seconds "
                button.small type="submit" { "Show" }
            }
        }
    }
}
