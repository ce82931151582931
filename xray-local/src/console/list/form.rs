//! The search box with its suggestions, its help and its errors.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use maud::{Markup, html};

use crate::console::elements::with_inline_code;
use crate::console::{format, link, status};
use crate::document::State;
use crate::filter::{FilterError, Search};
use crate::store::StoredTrace;

/// Renders the search box. `error` is the problem of the text in it.
pub(super) fn search_form(text: &str, error: Option<&FilterError>, stored: &[StoredTrace]) -> Markup {
    html! {
        form.search role="search" action="/" method="get" {
            label.visually-hidden for="filter" { "Trace ID, name, path or filter expression" }
            // A screen reader reads the error with the field that it belongs to.
            input #filter name="filter" type="search" value=(text) data-search autocomplete="off" spellcheck="false"
                autocapitalize="off" placeholder="Trace ID, name, /path or filter: responsetime > 0.5"
                list="suggestions" aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "filter-error")];
            datalist #suggestions { @for suggestion in suggestions(stored) { option value=(suggestion) {} } }
            button.button type="submit" { "Search" }
        }
        @if let Some(error) = error { (filter_error(text, error)) }
        (help())
    }
}

/// Renders the expression with the wrong character marked, the message, and the expression with its mistake corrected.
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
            @if let Some(corrected) = error.corrected(filter) {
                p { "Search for " a.mono href=(link::traces(&corrected)) { (corrected) } }
            }
        }
    }
}

/// The grammar of filter expressions: what each part means, and examples.
const GRAMMAR: [(&str, &[&str]); 9] = [
    ("A trace ID, as X-Ray or as W3C writes it, opens the trace.", &[]),
    ("A word or a path finds traces with a name or URL that contains it.", &["checkout", "/items/2"]),
    (
        "Flags of the first segment: `ok`, `error`, `fault`, `throttle`, `partial`, `inferred`.",
        &["fault", "!ok AND partial"],
    ),
    ("Times in seconds: `responsetime`, and `duration` with work after the response.", &["responsetime > 0.5"]),
    (
        "The request: `http.status`, `http.url`, `http.method`, `http.clientip`, `http.useragent`, `user`. A text \
         is in quotation marks and compared with `=`, `!=`, `CONTAINS`, `BEGINSWITH` or `ENDSWITH`.",
        &["http.status >= 400", "http.url BEGINSWITH \"https://shop\"", "user = \"alice\""],
    ),
    ("Annotations: `annotation.KEY`, or `annotation[KEY]` for a key with dots.", &["annotation.tenant = \"acme\""]),
    (
        "A service, and a call from one service to another. Braces hold conditions on its segments.",
        &["service(\"checkout\") { fault }", "edge(\"shop\", \"checkout\") { responsetime > 0.2 }"],
    ),
    (
        "The path of a fault or an error: `rootcause.fault.service`, `rootcause.error.entity`, \
         `rootcause.fault.exception`.",
        &["rootcause.fault.service { name = \"checkout\" }"],
    ),
    ("Combine conditions by `AND`, `OR`, `NOT` or `!`, and parentheses.", &["(fault OR error) AND duration > 1"]),
];

/// Renders the grammar, folded. It opens without a script, and with the key `?`.
fn help() -> Markup {
    html! {
        details #grammar .grammar {
            summary { kbd { "?" } " What can I search for?" }
            ul {
                @for (meaning, examples) in GRAMMAR {
                    li {
                        p { (with_inline_code(meaning)) }
                        @for example in examples { a.mono href=(link::traces(example)) { (example) } " " }
                    }
                }
            }
        }
    }
}

/// The most suggestions of each kind, and the longest one, in characters.
const MAX_SUGGESTIONS: usize = 30;
const MAX_SUGGESTION_CHARS: usize = 200;

/// How many of the newest traces suggestions come from, and how long they are read. A trace may be megabytes large.
const READ_TRACES: usize = 100;
const READ_TIME: Duration = Duration::from_millis(100);

/// Returns what the newest traces offer to search for: services, keys of annotations, and URLs.
fn suggestions(stored: &[StoredTrace]) -> impl Iterator<Item = String> {
    let (mut services, mut keys, mut urls) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let started = Instant::now();
    for stored in stored.iter().take(READ_TRACES).take_while(|_| started.elapsed() < READ_TIME) {
        let trace = stored.trace();
        services.extend(trace.segments.iter().map(|segment| format!("service({})", link::quote(&segment.name))));
        for entity in trace.entities() {
            keys.extend(entity.annotations().keys().map(|key| format!("annotation.{key}")));
            let url = entity.http.as_ref().and_then(|http| http.url.as_deref());
            // The query is cut off: it would make nearly every URL a suggestion of its own.
            urls.extend(url.and_then(|url| url.split('?').next()).map(str::to_owned));
        }
    }
    [services, keys, urls].into_iter().flat_map(|texts| {
        texts.into_iter().filter(|text| text.chars().count() <= MAX_SUGGESTION_CHARS).take(MAX_SUGGESTIONS)
    })
}

/// Renders links to filters that are needed often.
pub(super) fn common_filters(filter: &str) -> Markup {
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

/// The longest text that the line about the number of matches repeats.
const MAX_TEXT_CHARS: usize = 60;

/// Renders how many traces match, what was searched for, and a link that clears the filter.
pub(super) fn found(matches: usize, is_complete: bool, all: usize, text: &str, search: &Search) -> Markup {
    html! {
        p.found {
            span {
                @if !is_complete { "At least " }
                (format::count(matches as u64)) " of " (format::count_of(all as u64, "trace"))
            }
            @if let Search::Text { suggestion, .. } = search {
                span { "in which a name or URL contains " b { (format::truncate(text, MAX_TEXT_CHARS)) } }
                @if let Some(expression) = suggestion {
                    span { "Did you mean " a.mono #suggestion href=(link::traces(expression)) { (expression) } "?" }
                }
            }
            a #clear-filter href="/" { "Clear the filter" }
        }
    }
}
