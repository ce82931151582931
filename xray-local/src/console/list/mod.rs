//! The list of traces, with a filter and statistics.

mod form;
mod groups;
mod known;
mod numbers;
mod row;

use std::time::{Duration, Instant};

use maud::{Markup, html};
use serde::Deserialize;

use super::page::{Page, Section};
use super::parameter::choice;
use super::range::Range;
use super::state::Console;
use super::{empty, format, link, sampling};
use crate::document::TraceId;
use crate::filter::{Filter, Search};
use crate::store::StoredTrace;
use crate::trace::Trace;

use form::{common_filters, found, search_form};
use groups::{By, Groups, Sort, views};
use numbers::Numbers;
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
    /// Shows statistics instead of traces.
    #[serde(default, deserialize_with = "choice")]
    by: Option<By>,
    /// The order of the statistics.
    #[serde(default, deserialize_with = "choice")]
    sort: Option<Sort>,
    /// `all` to read all traces for the statistics, even if that takes long.
    #[serde(default)]
    read: String,
    /// When the traces started.
    #[serde(flatten)]
    range: Range,
}

/// How many traces a page shows at most.
const PAGE_SIZE: usize = 50;

/// How long a page searches for matching traces. The store may hold 100,000 traces, each of which is assembled from its
/// documents to be compared with the filter. After this time the page shows what it found and links to a further
/// search.
const SEARCH_TIME: Duration = Duration::from_secs(2);

/// How long a page goes on reading traces for the statistics after it is full. The reader sees the page after that. It
/// links to statistics of all traces, which the script loads then.
const READ_TIME: Duration = Duration::from_millis(60);
const READ_ALL_TIME: Duration = Duration::from_secs(5);

/// Traces that take less memory than this are always read, whatever the time. So the statistics of few traces are
/// complete on a busy machine, too.
const ALWAYS_READ_BYTES: usize = 32 << 20;

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
    let search = named.is_none().then(|| Search::parse_with(text, &console.account.named_filters())).transpose();
    let mut stored = console.store.traces();
    let times = query.range.times(crate::time::now());
    stored.retain(|stored| times.contains(stored.start()));
    let content = html! {
        div.head {
            h1 { "Traces" }
            p { (format::count_of(stored.len() as u64, "trace")) ", newest first" }
            p { a href="/recent" { "Slowest and failing" } }
            p { a href="/load" { "Load a file" } }
        }
        (search_form(text, search.as_ref().err(), &stored, &query.range))
        div.toolbar { (common_filters(text, &query.range)) (views(text, query.by, &query.range)) }
        (query.range.choices(text))
        (sampling::note(console))
        @match (named, &search) {
            // Not `data-live`: when the trace arrives, this address leads to the trace, which is not a list.
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
    /// The numbers of the traces that match, on this page and on others.
    numbers: Numbers,
    /// The statistics, if the page shows them instead of the traces.
    groups: Option<Groups>,
    /// The number of traces that were compared with the filter.
    read: usize,
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
    let (mut numbers, mut groups) = (Numbers::default(), query.by.map(Groups::new));
    let mut add = |trace: &Trace| {
        numbers.add(trace);
        if let Some(groups) = &mut groups {
            groups.add(trace);
        }
    };
    let mut rest = Rest::Nothing;
    let mut unread = stored[first..].iter();
    // A page of statistics has no rows.
    while let Some(stored) = unread.as_slice().first().filter(|_| query.by.is_none()) {
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
        let trace = stored.open();
        if filter.matches(&trace) {
            rows.push(Row::of(&trace));
            add(&trace);
        } else {
            has_skipped = true;
        }
        last = Some(trace.id.clone());
    }
    let mut read = stored.len() - first - unread.len();
    let limit = if query.read == link::READ_ALL { READ_ALL_TIME } else { READ_TIME };
    let mut bytes = 0;
    for stored in unread.chain(&stored[..first]) {
        bytes += stored.open_bytes();
        if bytes > ALWAYS_READ_BYTES && started.elapsed() > limit {
            break;
        }
        let trace = stored.open();
        if filter.matches(&trace) {
            add(&trace);
        }
        read += 1;
    }
    Results { rows, rest, numbers, groups, read }
}

fn results(console: &Console, query: &Query, search: &Search, stored: &[StoredTrace]) -> Markup {
    let text = query.filter.trim();
    let results = self::search(query, search.filter(), stored);
    let (matches, is_complete) = (results.numbers.traces(), results.read == stored.len());
    html! {
        @if !text.is_empty() { (found(matches, is_complete, stored.len(), text, search)) }
        @if matches > 0 { (results.numbers.render(text, search, &query.range)) }
        @if !is_complete { (read_all(query, results.read, stored.len())) }
        div.card {
            @if stored.is_empty() && query.range.is_whole() {
                (empty::first_steps(console))
            } @else if let Some(groups) = results.groups.filter(|groups| !groups.is_empty()) {
                (groups.table(text, search, query.sort.unwrap_or_default(), &query.range))
            } @else if results.rows.is_empty() {
                (no_match(&results.rest))
            } @else {
                (table(&results.rows))
            }
            (pagination(query, &results.rest))
        }
    }
}

/// Renders which traces the statistics cover, and a link to those of all traces.
fn read_all(query: &Query, read: usize, all: usize) -> Markup {
    let (by, sort) = (query.by.map_or("", By::value), query.sort.unwrap_or_default().value());
    html! {
        p.read-all {
            "The statistics cover " (format::count(read as u64)) " of " (format::count_of(all as u64, "trace")) ". "
            @if query.read != link::READ_ALL {
                // The script follows this link.
                a data-complete href=(link::with_all_read(&query.filter, &query.before, by, sort, &query.range.parameters())) { "Read all" }
            }
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
                    th.num scope="col" { "Response time" }
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
                span { @if has_newer { a href=(link::traces_in(&query.filter, &query.range.parameters())) { "← Newest" } } }
                @match rest {
                    Rest::Nothing => {}
                    Rest::Older(last) => a href=(link::older_traces(&query.filter, last, &query.range.parameters())) { "Older →" },
                    Rest::Unsearched(last) => {
                        a href=(link::older_traces(&query.filter, last, &query.range.parameters())) { "Search older traces →" }
                    }
                }
            }
        }
    }
}
