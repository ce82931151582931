//! The page that compares two traces: their rows side by side, and what differs.

mod outline;

use maud::{Markup, html};
use serde::Deserialize;

use super::page::{Page, Section};
use super::recent::{self, Entry, Top};
use super::state::Console;
use super::timeline::MAX_INDENT;
use super::{format, link, status};
use crate::document::TraceId;

use outline::{Change, Item, MAX_ROWS, Outline, Pair, change, pairs};

/// The parameters of the page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    /// The ids of the traces, in the form of X-Ray or W3C.
    #[serde(default)]
    a: String,
    #[serde(default)]
    b: String,
    /// `changes` to leave rows without a difference out.
    #[serde(default)]
    show: String,
}

/// How many rows the page shows at most.
const MAX_SHOWN: usize = 500;

/// Renders the page.
pub(super) fn page(console: &Console, query: &Query) -> Markup {
    let revision = console.revision();
    let content = match (trace(console, &query.a), query.b.trim()) {
        (Err(missing), _) => missing,
        (Ok(_), "") => choice(console, query, &html! {}),
        (Ok(a), _) => match trace(console, &query.b) {
            Err(missing) => choice(console, query, &missing),
            Ok(b) => comparison(&Both { a, b, shows_only_changes: query.show == "changes" }),
        },
    };
    let content = html! { div.head { h1 { "Compare traces" } } (content) };
    Page::new("Compare traces", Section::Traces, revision, content).render(console)
}

/// A trace of the comparison.
struct Compared {
    id: String,
    /// `None` if the trace has no segment.
    entry: Option<Entry>,
    outline: Outline,
}

struct Both {
    a: Compared,
    b: Compared,
    shows_only_changes: bool,
}

/// Reads a trace. Returns a notice if the store does not hold it.
fn trace(console: &Console, id: &str) -> Result<Compared, Markup> {
    let found = TraceId::find(id).and_then(|id| console.trace(&id.to_string()));
    let Some(trace) = found else {
        let id = format::truncate(id, 100);
        return Err(html! { p.notice.bad role="alert" { span { "The trace " span.mono { (id) } " is not stored." } } });
    };
    Ok(Compared { id: trace.id.clone(), entry: Entry::of(&trace), outline: Outline::of(&trace) })
}

/// Renders the traces to compare with: those with an equal request first, and the newest of these first.
fn choice(console: &Console, query: &Query, notice: &Markup) -> Markup {
    let Some(id) = TraceId::find(&query.a).map(|id| id.to_string()) else { return html! { (notice) } };
    let own = console.trace(&id).and_then(|trace| Entry::of(&trace));
    let signature = own.as_ref().map(|own| own.signature);
    let is_other = |entry: &Entry| Some(entry.signature) != signature;
    let order = |a: &Entry, b: &Entry| is_other(a).cmp(&is_other(b)).then(b.start.total_cmp(&a.start));
    let mut candidates = Top::by(order);
    recent::read(console, f64::NEG_INFINITY, |entry| {
        if entry.id != id {
            candidates.add(entry);
        }
    });
    html! {
        (notice)
        div.both {
            div {
                b.side { "A" }
                @match &own {
                    Some(own) => ul.entries { (own.render(&link::trace(&id))) },
                    None => a.mono href=(link::trace(&id)) { (id) },
                }
            }
        }
        form #other .card.line.padded action="/compare" method="get" {
            input type="hidden" name="a" value=(id);
            label for="b" { "Trace B " }
            input #b name="b" type="search" placeholder="Trace ID" autocomplete="off" spellcheck="false" required;
            button.small type="submit" { "Compare" }
        }
        section {
            h2 { "Or choose one" small { " the same request first, newest first" } }
            @if candidates.entries.is_empty() {
                p { "There is no other trace." }
            } @else {
                ol.card.entries.candidates {
                    @for entry in &candidates.entries { (entry.render(&link::compare(&id, &entry.id))) }
                }
            }
        }
    }
}

fn comparison(both: &Both) -> Markup {
    let Both { a, b, shows_only_changes } = both;
    let pairs: Vec<(Pair, Change)> =
        pairs(&a.outline, &b.outline).into_iter().map(|pair| (pair, change(pair, &a.outline, &b.outline))).collect();
    let shown: Vec<_> = pairs
        .iter()
        // The root names both traces.
        .filter(|(pair, change)| !shows_only_changes || *change != Change::None || pair.depth == 0)
        .collect();
    let address = |first: &Compared, second: &Compared, show: &str| {
        link::with_query("/compare", &[("a", &first.id), ("b", &second.id), ("show", show)])
    };
    let show = if *shows_only_changes { "changes" } else { "" };
    html! {
        div.both {
            @for (name, trace) in [("A", a), ("B", b)] {
                div {
                    b.side { (name) } " "
                    @match &trace.entry {
                        Some(entry) => ul.entries { (entry.render(&link::trace(&trace.id))) },
                        None => a.mono href=(link::trace(&trace.id)) { (trace.id) },
                    }
                }
            }
        }
        p.stops {
            span #summary { (summary(&pairs)) }
            @if *shows_only_changes {
                a href=(address(a, b, "")) { "All rows" }
            } @else {
                a href=(address(a, b, "changes")) { "Only differences" }
            }
            a href=(address(b, a, show)) { "Swap" }
            a href=(link::compare(&a.id, "")) { "Another trace" }
        }
        @if a.outline.is_cut || b.outline.is_cut {
            p.notice { "Only the first " (format::count(MAX_ROWS as u64)) " rows of each trace are compared." }
        }
        @if shown.len() > MAX_SHOWN {
            p.notice {
                "Showing the first " (format::count(MAX_SHOWN as u64)) " of " (format::count_of(shown.len() as u64, "row")) "."
            }
        }
        div.card.scroll data-scrolls {
            table.compared {
                caption.visually-hidden { "The rows of both traces" }
                thead {
                    tr {
                        th scope="col" { "Name" }
                        th.num scope="col" { "A" }
                        th.num scope="col" { "B" }
                        th.num scope="col" { "Difference" }
                        th scope="col" { "Change" }
                        th.bars scope="col" { "Time, A above B" }
                    }
                }
                tbody { @for (pair, change) in shown.iter().take(MAX_SHOWN) { (row(both, *pair, *change)) } }
            }
        }
    }
}

/// Returns how many rows differ in each way.
fn summary(pairs: &[(Pair, Change)]) -> String {
    let changes = [Change::FailsInB, Change::FailsInA, Change::Slower, Change::Faster, Change::OnlyA, Change::OnlyB];
    let count = |change: &Change| pairs.iter().filter(|(_, other)| other == change).count() as u64;
    let parts: Vec<String> = changes
        .iter()
        .filter(|change| count(change) > 0)
        .map(|change| format!("{} {}", format::count(count(change)), word(*change).replace("fails", "fail")))
        .collect();
    if parts.is_empty() {
        "Each row is in both traces, fails in both or in neither, and takes about the same time in both".to_owned()
    } else {
        parts.join(", ")
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::None => "",
        Change::OnlyA => "only in A",
        Change::OnlyB => "only in B",
        Change::FailsInA => "fails in A",
        Change::FailsInB => "fails in B",
        Change::Slower => "slower in B",
        Change::Faster => "faster in B",
    }
}

fn class(change: Change) -> &'static str {
    match change {
        Change::FailsInA | Change::FailsInB => "tag fault",
        Change::Slower => "tag error",
        Change::Faster => "tag progress",
        Change::None | Change::OnlyA | Change::OnlyB => "tag",
    }
}

fn row(both: &Both, pair: Pair, change: Change) -> Markup {
    let (a, b) = (pair.a.map(|item| &both.a.outline.items[item]), pair.b.map(|item| &both.b.outline.items[item]));
    let length = both.a.outline.seconds.max(both.b.outline.seconds);
    html! {
        @if let Some(item) = a.or(b) {
            tr {
                th.name.{ "d" (pair.depth.min(MAX_INDENT)) } scope="row" {
                    span.indented {
                        span.visually-hidden { "level " (pair.depth + 1) ", " }
                        b { (item.label.name) } " " small { (item.label.detail) }
                    }
                }
                (side(a))
                (side(b))
                td.num {
                    @if let (Some(before), Some(after)) = (a.and_then(|item| item.seconds), b.and_then(|item| item.seconds)) {
                        (difference(after - before))
                    }
                }
                td { span.change { @if change != Change::None { span class=(class(change)) { (word(change)) } } } }
                td.bars { svg height="14" aria-hidden="true" { (bar(a, length, 0)) (bar(b, length, 8)) } }
            }
        }
    }
}

fn side(item: Option<&Item>) -> Markup {
    html! {
        td.num {
            @match item {
                Some(item) => a href=(item.address) {
                    (status::dot(item.state)) " "
                    @if let Some(seconds) = item.seconds { (format::duration(seconds)) } @else { "…" }
                },
                None => { "–" },
            }
        }
    }
}

fn difference(seconds: f64) -> String {
    let sign = if seconds < 0.0 { '−' } else { '+' };
    match format::duration(seconds.abs()).as_str() {
        "0 s" => "0 s".to_owned(),
        text => format!("{sign}{text}"),
    }
}

/// Renders the bar of an item. Both traces have one scale, and both start at the left edge.
fn bar(item: Option<&Item>, length: f64, y: u32) -> Markup {
    let percent = |seconds: f64| {
        let percent = seconds / length * 100.0;
        if percent.is_finite() { percent.clamp(0.0, 99.0) } else { 0.0 }
    };
    html! {
        @if let Some(item) = item {
            @let left = percent(item.start);
            @let right = item.seconds.map_or(100.0, |seconds| percent(item.start + seconds));
            rect class=(status::class(item.state)) x={ (format_args!("{left:.2}")) "%" } y=(y) height="6"
                width={ (format_args!("{:.2}", (right - left).max(0.5))) "%" } {}
        }
    }
}
