//! The list of traces, with a filter.

mod row;

use std::time::{Duration, Instant};

use maud::{Markup, html};
use serde::Deserialize;

use super::elements::with_inline_code;
use super::page::{Page, Section};
use super::state::Console;
use super::{format, link, status};
use crate::document::{State, TraceId};
use crate::filter::{Filter, FilterError};
use crate::store::StoredTrace;

use row::Row;

/// The parameters of the page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    /// A filter expression. The empty one matches every trace.
    #[serde(default)]
    filter: String,
    /// The id of a trace. The list starts with the trace after it.
    #[serde(default)]
    before: String,
}

/// How many traces a page shows at most.
const PAGE_SIZE: usize = 50;

/// How long a page searches for matching traces. The store may hold 100,000 traces, each of which is assembled from its
/// documents to be compared with the filter. After this time the page shows what it found and links to a further
/// search.
const SEARCH_TIME: Duration = Duration::from_secs(2);

/// Renders the page.
pub(super) fn page(console: &Console, query: &Query) -> Markup {
    let revision = console.revision();
    let filter = query.filter.trim();
    let parsed = Filter::parse(filter);
    let stored = console.store.traces();
    let content = html! {
        div.head {
            h1 { "Traces" }
            p { (format::count_of(stored.len() as u64, "trace")) ", newest first" }
        }
        (search_form(filter, parsed.as_ref().err()))
        (common_filters(filter))
        @if let Ok(parsed) = &parsed {
            div data-live { (results(console, query, parsed, &stored)) }
        }
    };
    Page::new("Traces", Section::Traces, revision, content).render(console)
}

fn search_form(filter: &str, error: Option<&FilterError>) -> Markup {
    html! {
        form.search role="search" action="/" method="get" {
            label.visually-hidden for="filter" { "Filter expression" }
            // A screen reader reads the error with the field that it belongs to.
            input #filter name="filter" type="search" value=(filter) data-search autocomplete="off" spellcheck="false"
                autocapitalize="off" placeholder="Filter: service(\"shop\") AND responsetime > 0.5"
                aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "filter-error")];
            button.button type="submit" { "Search" }
        }
        @if let Some(error) = error { (filter_error(filter, error)) }
        p.hints {
            "Try " (example("http.status = 404")) " " (example("responsetime > 0.2 AND !fault")) " "
            (example("http.url CONTAINS \"/cart\"")) " " (example("annotation.tenant = \"acme\""))
        }
    }
}

fn example(filter: &str) -> Markup {
    html! { a href=(link::traces(filter)) { (filter) } }
}

/// Renders the expression with the wrong character marked, and the message.
fn filter_error(filter: &str, error: &FilterError) -> Markup {
    let index = error.column.saturating_sub(1);
    let before: String = filter.chars().take(index).collect();
    // An error at the end of the expression marks the place after the last character. An empty mark would have no
    // width.
    let wrong = filter.chars().nth(index).unwrap_or('\u{a0}');
    let after: String = filter.chars().skip(index + 1).collect();
    html! {
        div #filter-error .filter-error role="alert" {
            pre { (before) mark { (wrong) } (after) }
            p { "Column " (error.column) ": " (with_inline_code(&error.message)) }
        }
    }
}

fn common_filters(filter: &str) -> Markup {
    let filters = [
        ("", "All", None),
        ("fault", "Faults", Some(State::Fault)),
        ("error", "Errors", Some(State::Error)),
        ("throttle", "Throttled", Some(State::Throttle)),
        ("partial", "In progress", Some(State::InProgress)),
    ];
    html! {
        nav.choices aria-label="Common filters" {
            @for (expression, name, state) in filters {
                a href=(link::traces(expression)) aria-current=[(expression == filter).then_some("true")] {
                    @if let Some(state) = state { (status::decorative_dot(state)) }
                    (name)
                }
            }
        }
    }
}

/// The traces that a page shows.
struct Results {
    rows: Vec<Row>,
    rest: Rest,
}

/// The traces after those that a page shows.
enum Rest {
    /// All traces were searched.
    Nothing,
    /// The page is full. More traces may follow the one with this id.
    Older(String),
    /// [`SEARCH_TIME`] was over after the trace with this id.
    Unsearched(String),
}

fn search(query: &Query, filter: &Filter, stored: &[StoredTrace]) -> Results {
    let started = Instant::now();
    let before = TraceId::parse(&query.before);
    // If the trace has left the store in the meantime, the list starts at the top.
    let first = stored.iter().position(|stored| Some(stored.id()) == before).map_or(0, |index| index + 1);
    let (mut rows, mut last, mut has_skipped) = (Vec::new(), None, false);
    for stored in &stored[first..] {
        if let Some(last) = last {
            if rows.len() == PAGE_SIZE {
                return Results { rows, rest: Rest::Older(last) };
            }
            // While every trace matches, the page fills up soon and the time is not checked.
            if has_skipped && started.elapsed() > SEARCH_TIME {
                return Results { rows, rest: Rest::Unsearched(last) };
            }
        }
        let trace = stored.trace();
        if filter.matches(&trace) {
            rows.push(Row::of(&trace));
        } else {
            has_skipped = true;
        }
        last = Some(trace.id);
    }
    Results { rows, rest: Rest::Nothing }
}

fn results(console: &Console, query: &Query, filter: &Filter, stored: &[StoredTrace]) -> Markup {
    let results = search(query, filter, stored);
    html! {
        div.card {
            @if stored.is_empty() {
                (first_steps(console))
            } @else if results.rows.is_empty() {
                (no_match(&results.rest))
            } @else {
                (table(&results.rows))
            }
            (pagination(query, &results.rest))
        }
    }
}

fn table(rows: &[Row]) -> Markup {
    let longest = rows.iter().filter_map(|row| row.duration).max_by(f64::total_cmp).unwrap_or_default();
    html! {
        table.traces data-list {
            caption.visually-hidden { "Traces, newest first" }
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
            tbody { @for row in rows { (row.render(longest)) } }
        }
    }
}

fn no_match(rest: &Rest) -> Markup {
    html! {
        div.empty {
            h2 { "No matching traces" }
            @if let Rest::Nothing = rest {
                p { "No trace matches this filter." }
                a href="/" { "Show all traces" }
            } @else {
                p { "No trace searched so far matches this filter." }
            }
        }
    }
}

fn pagination(query: &Query, rest: &Rest) -> Markup {
    let has_newer = !query.before.is_empty();
    html! {
        @if has_newer || !matches!(rest, Rest::Nothing) {
            nav.pages aria-label="Result pages" {
                // The element stays when it is empty: it keeps the other link on the right.
                span { @if has_newer { a href=(link::traces(&query.filter)) { "← Newest" } } }
                @match rest {
                    Rest::Nothing => {}
                    Rest::Older(last) => a href=(link::older_traces(&query.filter, last)) { "Older →" },
                    Rest::Unsearched(last) => {
                        a href=(link::older_traces(&query.filter, last)) { "Search older traces →" }
                    }
                }
            }
        }
    }
}

/// Renders what to do while there are no traces.
fn first_steps(console: &Console) -> Markup {
    html! {
        div.empty {
            h2 { "Waiting for the first trace" }
            p {
                "Traces appear here as they arrive. To send some, set " code { "AWS_XRAY_DAEMON_ADDRESS" }
                " for a program that uses an X-Ray SDK, for example:"
            }
            pre { "AWS_XRAY_DAEMON_ADDRESS=" (console.address) " cargo run -p example-quickstart" }
        }
    }
}
