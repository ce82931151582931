//! The list of traces.

mod line;

use std::time::{Duration, Instant};

use maud::{Markup, html};
use serde::Deserialize;

use super::elements::worded;
use super::page::{Page, Section};
use super::state::Console;
use super::{format, link, status};
use crate::document::{State, TraceId};
use crate::filter::{Filter, FilterError};
use crate::store::StoredTrace;

use line::Line;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    #[serde(default)]
    filter: String,
    /// A trace's id: those after it in the list.
    #[serde(default)]
    before: String,
}

const PAGE: usize = 50;

/// How long one page looks for traces that match, where not all do.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn page(console: &Console, query: &Query) -> Markup {
    let revision = console.revision();
    let filter = query.filter.trim();
    let parsed = Filter::parse(filter);
    let stored = console.store.traces();
    let content = html! {
        div.head {
            h1 { "Traces" }
            p { (format::counted(stored.len(), "trace")) " here, newest first" }
        }
        (search(filter, parsed.as_ref().err()))
        (shortcuts(filter))
        @if let Ok(parsed) = &parsed {
            div data-live { (results(console, query, parsed, &stored)) }
        }
    };
    Page::new("Traces", Section::Traces, revision, content).render(console)
}

fn search(filter: &str, error: Option<&FilterError>) -> Markup {
    html! {
        form.search role="search" action="/" method="get" {
            label.vh for="filter" { "Filter expression" }
            input #filter name="filter" type="search" value=(filter) data-search autocomplete="off" spellcheck="false"
                autocapitalize="off" placeholder="Filter: service(\"shop\") AND responsetime > 0.5"
                aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "wrong")];
            button.button type="submit" { "Search" }
        }
        @if let Some(error) = error { (complaint(filter, error)) }
        p.hints {
            "Try " (example("http.status = 404")) " " (example("responsetime > 0.2 AND !fault")) " "
            (example("http.url CONTAINS \"/cart\"")) " " (example("annotation.tenant = \"acme\""))
        }
    }
}

fn example(filter: &str) -> Markup {
    html! { a href=(link::filtered(filter)) { (filter) } }
}

/// The expression, and below it what is wrong in which column.
fn complaint(filter: &str, error: &FilterError) -> Markup {
    let at = error.column.saturating_sub(1);
    let before: String = filter.chars().take(at).collect();
    let wrong = filter.chars().nth(at).unwrap_or('\u{a0}');
    let after: String = filter.chars().skip(at + 1).collect();
    html! {
        div #wrong .wrong role="alert" {
            pre { (before) mark { (wrong) } (after) }
            p { "Column " (error.column) ": " (worded(&error.message)) }
        }
    }
}

fn shortcuts(filter: &str) -> Markup {
    let shortcuts = [
        ("", "All", None),
        ("fault", "Faults", Some(State::Fault)),
        ("error", "Errors", Some(State::Error)),
        ("throttle", "Throttled", Some(State::Throttle)),
        ("partial", "In progress", Some(State::InProgress)),
    ];
    html! {
        nav.tallies aria-label="Common filters" {
            @for (expression, name, state) in shortcuts {
                a href=(link::filtered(expression)) aria-current=[(expression == filter).then_some("true")] {
                    @if let Some(state) = state { i class={ "dot " (status::class(state)) } {} }
                    (name)
                }
            }
        }
    }
}

/// One page of what matches.
struct Found {
    lines: Vec<Line>,
    /// The trace after which there may be more, and whether it is known that there are.
    more: Option<(String, bool)>,
}

fn find(query: &Query, filter: &Filter, stored: &[StoredTrace]) -> Found {
    let begun = Instant::now();
    let before = TraceId::parse(&query.before);
    let first = stored.iter().position(|stored| Some(stored.id()) == before).map_or(0, |place| place + 1);
    let (mut lines, mut last, mut is_search) = (Vec::new(), None, false);
    for stored in &stored[first..] {
        let is_full = lines.len() == PAGE;
        if is_full || is_search && begun.elapsed() > PATIENCE {
            return Found { more: last.map(|last: String| (last, is_full)), lines };
        }
        let trace = stored.trace();
        if filter.matches(&trace) {
            lines.push(Line::of(&trace));
        } else {
            is_search = true;
        }
        last = Some(trace.id);
    }
    Found { lines, more: None }
}

fn results(console: &Console, query: &Query, filter: &Filter, stored: &[StoredTrace]) -> Markup {
    let found = find(query, filter, stored);
    let slowest = found.lines.iter().filter_map(|line| line.took).max_by(f64::total_cmp).unwrap_or_default();
    html! {
        div.card {
            @if stored.is_empty() {
                (welcome(console))
            } @else if found.lines.is_empty() {
                div.empty {
                    h2 { "No trace matches" }
                    p { "Of those that were looked at, none is what the filter asks for." }
                    @if found.more.is_none() { a href="/" { "Show all traces" } }
                }
            } @else {
                table.traces data-list {
                    caption.vh { "Traces, newest first" }
                    thead {
                        tr {
                            th scope="col" { "Status" }
                            th scope="col" { "Method" }
                            th scope="col" { "URL" }
                            th.num scope="col" { "Code" }
                            th scope="col" { "Service" }
                            th.num scope="col" { "Duration" }
                            th scope="col" { "Segments" }
                            th.num scope="col" { "Age" }
                        }
                    }
                    tbody { @for line in &found.lines { (line.row(slowest)) } }
                }
            }
            (pages(query, found.more.as_ref()))
        }
    }
}

fn pages(query: &Query, more: Option<&(String, bool)>) -> Markup {
    html! {
        @if more.is_some() || !query.before.is_empty() {
            nav.pages aria-label="Pages of the list" {
                span { @if !query.before.is_empty() { a href=(link::filtered(&query.filter)) { "← Newest" } } }
                @if let Some((last, is_page_full)) = more {
                    a href=(link::older(&query.filter, last)) {
                        @if *is_page_full { "Older →" } @else { "Search older traces →" }
                    }
                }
            }
        }
    }
}

/// What to do first.
fn welcome(console: &Console) -> Markup {
    html! {
        div.empty {
            h2 { "Waiting for the first trace" }
            p { "Point any X-Ray SDK at this address, as if it were the X-Ray daemon. Traces appear here as they arrive." }
            pre { "AWS_XRAY_DAEMON_ADDRESS=" (console.address) " cargo run --example quickstart" }
        }
    }
}
