//! The list of traces, with a filter.

mod form;
mod row;

use std::time::{Duration, Instant};

use maud::{Markup, html};
use serde::Deserialize;

use super::page::{Page, Section};
use super::state::Console;
use super::{format, link, sampling};
use crate::document::TraceId;
use crate::filter::{Filter, Search};
use crate::store::StoredTrace;

use form::{common_filters, found, search_form};
use row::Row;

/// The parameters of the page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    /// The text of the search box: a filter expression, a text to search for, or a trace id. The empty text matches
    /// every trace.
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

/// How long a page goes on counting matches after it is full.
const COUNT_TIME: Duration = Duration::from_millis(500);

impl Query {
    /// Returns the address of the trace that the text names, if the store has the trace.
    pub(super) fn trace_address(&self, console: &Console) -> Option<String> {
        let id = TraceId::find(&self.filter)?.to_string();
        console.store.stored(&id).map(|_| link::trace(&id))
    }
}

/// Renders the page.
pub(super) fn page(console: &Console, query: &Query) -> Markup {
    let revision = console.revision();
    let text = query.filter.trim();
    let named = TraceId::find(text);
    let search = named.is_none().then(|| Search::parse(text)).transpose();
    let stored = console.store.traces();
    let content = html! {
        div.head {
            h1 { "Traces" }
            p { (format::count_of(stored.len() as u64, "trace")) ", newest first" }
        }
        (search_form(text, search.as_ref().err(), &stored))
        (common_filters(text))
        (sampling::note(console))
        @match (named, &search) {
            // Not `data-live`: when the trace arrives, this address leads to the trace, which is no list.
            (Some(id), _) => (no_such_trace(id)),
            (None, Ok(Some(search))) => div data-live { (results(console, query, search, &stored)) },
            _ => {}
        }
    };
    Page::new("Traces", Section::Traces, revision, content).render(console)
}

fn no_such_trace(id: TraceId) -> Markup {
    html! {
        div.card.empty {
            h2 { "No trace with this ID" }
            p {
                span.mono { (id) } " is not stored. The request may not have been sampled, the trace may not have \
                 arrived yet, or it was removed to make room for newer ones."
            }
            a href="/" { "Show all traces" }
        }
    }
}

/// The traces that a page shows.
struct Results {
    rows: Vec<Row>,
    rest: Rest,
    /// The number of traces that match, on this page and on others.
    matches: usize,
    /// Whether every stored trace was compared with the filter.
    is_complete: bool,
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
    let mut rest = Rest::Nothing;
    let mut unread = stored[first..].iter();
    while let Some(stored) = unread.as_slice().first() {
        if let Some(last) = last {
            if rows.len() == PAGE_SIZE {
                rest = Rest::Older(last);
                break;
            }
            // While every trace matches, the page fills up soon and the time is not checked.
            if has_skipped && started.elapsed() > SEARCH_TIME {
                rest = Rest::Unsearched(last);
                break;
            }
        }
        unread.next();
        let trace = stored.trace();
        if filter.matches(&trace) {
            rows.push(Row::of(&trace));
        } else {
            has_skipped = true;
        }
        last = Some(trace.id);
    }
    let mut matches = rows.len();
    let mut is_complete = true;
    if !query.filter.trim().is_empty() {
        for stored in unread.chain(&stored[..first]) {
            if started.elapsed() > COUNT_TIME {
                is_complete = false;
                break;
            }
            matches += usize::from(filter.matches(&stored.trace()));
        }
    }
    Results { rows, rest, matches, is_complete }
}

fn results(console: &Console, query: &Query, search: &Search, stored: &[StoredTrace]) -> Markup {
    let text = query.filter.trim();
    let results = self::search(query, search.filter(), stored);
    html! {
        @if !text.is_empty() { (found(results.matches, results.is_complete, stored.len(), text, search)) }
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
