//! The search box with its suggestions, its help and its errors.

use maud::{Markup, html};

use super::known::Known;
use crate::console::elements::with_inline_code;
use crate::console::filter_error::filter_error;
use crate::console::range::Range;
use crate::console::{format, link, status};
use crate::document::State;
use crate::filter::{FilterError, Search};
use crate::store::StoredTrace;

/// Renders the search box. `error` is the problem of the text in it.
pub(super) fn search_form(text: &str, error: Option<&FilterError>, stored: &[StoredTrace], range: &Range) -> Markup {
    let known = Known::of(stored);
    html! {
        form.search role="search" action="/" method="get" {
            label.visually-hidden for="filter" { "Trace ID, name, path or filter expression" }
            // A screen reader reads the error with the field that it belongs to.
            input #filter name="filter" type="search" value=(text) data-search data-complete-words autocomplete="off" spellcheck="false"
                autocapitalize="off" placeholder="Trace ID, name, /path or filter: responsetime > 0.5"
                list="suggestions" aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "filter-error")];
            datalist #suggestions { (known.options()) }
            (range.hidden())
            button.button type="submit" { "Search" }
        }
        @if let Some(error) = error { (filter_error(text, error, link::traces)) }
        (help(&known.examples()))
    }
}

/// The grammar of filter expressions: what each part means, and examples.
const GRAMMAR: [(&str, &[&str]); 9] = [
    ("A trace ID, as X-Ray or as W3C writes it, opens the trace.", &[]),
    (
        "A word or a path finds traces with a name or URL that contains it. In an expression it is in quotation marks.",
        &["checkout", "/items/2", "\"checkout\" AND fault"],
    ),
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

/// Renders the grammar, folded. It opens without a script, and with the key `?`. `stored` are examples that find stored
/// traces.
fn help(stored: &[String]) -> Markup {
    html! {
        details #grammar .grammar {
            summary { kbd { "?" } " What can I search for?" }
            ul {
                @if !stored.is_empty() {
                    li #stored-examples {
                        p { "Some of the stored traces:" }
                        @for example in stored { a.mono href=(link::traces(example)) { (example) } " " }
                    }
                }
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

/// Renders links to filters that are needed often.
pub(super) fn common_filters(filter: &str, range: &Range) -> Markup {
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
                a href=(link::traces_in(expression, &range.parameters())) aria-current=[(expression == filter).then_some("true")] {
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
