//! The statistics of each URL or of each operation of the traces that match the filter.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;

use maud::{Markup, html};
use serde::Deserialize;

use crate::console::histogram::PERCENTILES;
use crate::console::label::Label;
use crate::console::range::Range;
use crate::console::{entity, format, link};
use crate::document::{Document, Kind};
use crate::filter::Search;
use crate::graph::{Statistics, Times};
use crate::trace::Trace;
use crate::url;

/// What the statistics are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum By {
    /// The URL of the request that a trace is about.
    Url,
    /// Each subsegment, by its service and its name or request.
    Operation,
}

/// The column that the table is sorted by. The largest number or the first name comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Sort {
    Service,
    Name,
    #[default]
    Requests,
    Errors,
    Throttled,
    Faults,
    P50,
    P90,
    P99,
}

/// The most groups. Requests of further URLs and operations are left out.
const MAX_GROUPS: usize = 1_000;
/// The most rows of the table.
const MAX_ROWS: usize = 200;
/// The longest name of a group, in characters.
const MAX_CHARS: usize = 200;

/// The groups of the traces added so far.
#[derive(Debug)]
pub(super) struct Groups {
    by: By,
    found: HashMap<Key, Group>,
    /// The number of requests of groups beyond [`MAX_GROUPS`].
    left_out: u64,
}

/// The service and the name of a group.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    service: String,
    name: String,
}

#[derive(Debug, Default)]
struct Group {
    statistics: Statistics,
    times: Times,
    /// The condition on the traces with a request of the group.
    condition: String,
}

impl By {
    /// Returns the value as the parameter of an address.
    pub(super) fn value(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Operation => "operation",
        }
    }
}

impl Sort {
    /// All columns, in the order of the table.
    const ALL: [Self; 9] = [
        Self::Service,
        Self::Name,
        Self::Requests,
        Self::Errors,
        Self::Throttled,
        Self::Faults,
        Self::P50,
        Self::P90,
        Self::P99,
    ];

    /// Returns the value as the parameter of an address.
    pub(super) fn value(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Name => "name",
            Self::Requests => "requests",
            Self::Errors => "errors",
            Self::Throttled => "throttled",
            Self::Faults => "faults",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
        }
    }

    /// Returns the heading of the column. `what` is the heading of the groups' names.
    fn heading(self, what: &'static str) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Name => what,
            Self::Requests => "Requests",
            Self::Errors => "Errors",
            Self::Throttled => "Throttled",
            Self::Faults => "Faults",
            Self::P50 | Self::P90 | Self::P99 => self.value(),
        }
    }
}

/// Renders links to the views of the list: the traces, and their statistics.
pub(super) fn views(text: &str, by: Option<By>, range: &Range) -> Markup {
    html! {
        nav.choices.views aria-label="View" {
            @for (view, name) in [(None, "Traces"), (Some(By::Url), "Statistics by URL"), (Some(By::Operation), "Statistics by operation")] {
                a href=(link::statistics(text, view.map_or("", By::value), "", &range.parameters())) aria-current=[(view == by).then_some("true")] { (name) }
            }
        }
    }
}

impl Groups {
    pub(super) fn new(by: By) -> Self {
        Self { by, found: HashMap::new(), left_out: 0 }
    }

    /// Adds the requests of a trace.
    pub(super) fn add(&mut self, trace: &Trace) {
        match self.by {
            By::Url => self.add_url(trace),
            By::Operation => {
                for segment in trace.segments.iter().filter(|segment| !segment.inferred) {
                    let is_segment = segment.kind == Kind::Segment;
                    let service = if is_segment && segment.stand_in.is_none() { &*segment.name } else { "" };
                    // An orphan is a subsegment without its segment.
                    segment.walk().skip(usize::from(is_segment)).for_each(|entity| self.add_operation(service, entity));
                }
            }
        }
    }

    fn add_url(&mut self, trace: &Trace) {
        let Some(root) = entity::main_segment(trace).filter(|main| main.kind == Kind::Segment) else { return };
        let http = root.http.as_ref();
        let (name, condition) = match http.and_then(|http| http.url.as_deref()) {
            None => (root.name.clone(), link::service_condition(&link::quote(&root.name), "")),
            Some(url) => {
                let pattern = Pattern::of(url);
                let method = http.and_then(|http| http.method.as_deref());
                let of_method = method.map(|method| format!(" AND http.method = {}", link::quote(method)));
                let name = [method, Some(&*pattern.name)].into_iter().flatten().collect::<Vec<_>>().join(" ");
                (name, format!("http.url BEGINSWITH {}{}", link::quote(pattern.start), of_method.unwrap_or_default()))
            }
        };
        self.count(&root.name, &name, root, || condition);
    }

    fn add_operation(&mut self, service: &str, entity: &Document) {
        let label = Label::of(entity);
        let url = entity.http.as_ref().and_then(|http| http.url.as_deref());
        let (name, mention) = match url.map(Pattern::of) {
            Some(pattern) if entity.sql().is_empty() && !entity.aws().contains_key("operation") => {
                let method = entity.http.as_ref().and_then(|http| http.method.as_deref());
                ([method, Some(&*pattern.name)].into_iter().flatten().collect::<Vec<_>>().join(" "), pattern.start)
            }
            _ => (label.name, &*entity.name),
        };
        self.count(service, &name, entity, || {
            let text = link::quote(mention);
            if service.is_empty() {
                text
            } else {
                format!("{} AND {text}", link::service_condition(&link::quote(service), ""))
            }
        });
    }

    /// Counts a request that has ended.
    fn count(&mut self, service: &str, name: &str, entity: &Document, condition: impl FnOnce() -> String) {
        let Some(seconds) = entity.duration() else { return };
        let key = Key { service: format::truncate(service, MAX_CHARS), name: format::truncate(name, MAX_CHARS) };
        if self.found.len() >= MAX_GROUPS && !self.found.contains_key(&key) {
            self.left_out += 1;
            return;
        }
        let group = self.found.entry(key).or_insert_with(|| Group { condition: condition(), ..Group::default() });
        group.statistics.add(entity.state(), seconds);
        group.times.add(seconds);
    }

    /// Renders the groups as a table. `text` is the text of the search box, and `search` its meaning.
    pub(super) fn table(&self, text: &str, search: &Search, sort: Sort, range: &Range) -> Markup {
        let mut rows: Vec<(&Key, &Group)> = self.found.iter().collect();
        let order = |key: &Key| (key.service.clone(), key.name.clone());
        rows.sort_by_cached_key(|(key, group)| (Reverse(rank(group, sort)), order(key)));
        match sort {
            Sort::Service => rows.sort_by_cached_key(|(key, _)| order(key)),
            Sort::Name => rows.sort_by_cached_key(|(key, _)| (key.name.clone(), key.service.clone())),
            _ => {}
        }
        let what = match self.by {
            By::Url => "URL",
            By::Operation => "Operation",
        };
        html! {
            div.scroll data-scrolls {
                table.groups {
                    caption.visually-hidden { "Statistics by " (what) }
                    thead {
                        tr {
                            @for column in Sort::ALL {
                                @let is_name = matches!(column, Sort::Service | Sort::Name);
                                @let order = if is_name { "ascending" } else { "descending" };
                                th.num[!is_name] scope="col" aria-sort=[(column == sort).then_some(order)] {
                                    a #{ "sort-" (column.value()) } href=(link::statistics(text, self.by.value(), column.value(), &range.parameters())) {
                                        (column.heading(what))
                                    }
                                }
                            }
                        }
                    }
                    tbody {
                        @for (key, group) in rows.iter().take(MAX_ROWS) {
                            tr {
                                td.name-cell { (key.service) }
                                th.name-cell scope="row" {
                                    a href=(link::traces_in(&search.narrowed(text, &group.condition), &range.parameters())) { (key.name) }
                                }
                                (cells(group))
                            }
                        }
                    }
                }
            }
            @if rows.len() > MAX_ROWS { p.notice { "Showing " (MAX_ROWS) " of " (format::count(rows.len() as u64)) " rows." } }
            @if self.left_out > 0 {
                p.notice { "There are too many different ones: " (format::count_of(self.left_out, "request")) " left out." }
            }
        }
    }

    /// Returns whether there are no groups.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

fn cells(group: &Group) -> Markup {
    let statistics = &group.statistics;
    let total = statistics.total_count;
    let counts = [
        (statistics.error_statistics.other_count, "error"),
        (statistics.error_statistics.throttle_count, "throttle"),
        (statistics.fault_statistics.total_count, "fault"),
    ];
    html! {
        td.num { (format::count(total)) }
        @for (count, class) in counts {
            td.num {
                @if count > 0 { span class={ "tag " (class) } { (format::count(count)) } " " small { (format::percent(count, total)) } }
                @else { "0" }
            }
        }
        @for (_, quantile) in PERCENTILES {
            td.num { (group.times.quantile(quantile).map_or_else(String::new, format::duration)) }
        }
    }
}

/// Returns the number that a group is sorted by. Times are in microseconds.
fn rank(group: &Group, sort: Sort) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "durations are not negative, and the cast saturates"
    )]
    let time = |quantile: f64| (group.times.quantile(quantile).unwrap_or_default() * 1e6) as u64;
    match sort {
        Sort::Service | Sort::Name => 0,
        Sort::Requests => group.statistics.total_count,
        Sort::Errors => group.statistics.error_statistics.other_count,
        Sort::Throttled => group.statistics.error_statistics.throttle_count,
        Sort::Faults => group.statistics.fault_statistics.total_count,
        Sort::P50 => time(0.5),
        Sort::P90 => time(0.9),
        Sort::P99 => time(0.99),
    }
}

/// A URL without its query, in which asterisks stand for ids. Without that, each id would have statistics of its own.
struct Pattern<'a> {
    name: Cow<'a, str>,
    /// The part of the URL before the first asterisk.
    start: &'a str,
}

impl<'a> Pattern<'a> {
    fn of(url: &'a str) -> Self {
        let whole = url.split(['?', '#']).next().unwrap_or_default();
        let (_, path) = url::split(whole);
        let host = &whole[..whole.len() - path.len()];
        let first_id = path.split('/').scan(host.len(), |at, part| {
            let start = *at;
            *at += part.len() + 1;
            Some((start, part))
        });
        let first_id = first_id.into_iter().find(|(_, part)| is_id(part));
        let Some((at, _)) = first_id else { return Self { name: whole.into(), start: whole } };
        let parts: Vec<_> = path.split('/').map(|part| if is_id(part) { "*" } else { part }).collect();
        Self { name: format!("{host}{}", parts.join("/")).into(), start: &whole[..at] }
    }
}

/// Returns whether a part of a path is an id: a number, a UUID or another long hexadecimal number.
fn is_id(part: &str) -> bool {
    let is_hexadecimal = || part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let has_digit = part.bytes().any(|byte| byte.is_ascii_digit());
    has_digit && (part.bytes().all(|byte| byte.is_ascii_digit()) || (part.len() >= 16 && is_hexadecimal()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asterisks_stand_for_the_ids_in_a_url() {
        for (url, name, start) in [
            ("https://shop/items/42?x=1", "https://shop/items/*", "https://shop/items/"),
            ("https://shop/items/42/reviews/7", "https://shop/items/*/reviews/*", "https://shop/items/"),
            ("https://shop/v2/cart", "https://shop/v2/cart", "https://shop/v2/cart"),
            ("http://10.0.0.1/a", "http://10.0.0.1/a", "http://10.0.0.1/a"),
            ("/orders/6b076a21-a006-4912-8e37-1903a2de9790", "/orders/*", "/orders/"),
            ("/cafe/decade", "/cafe/decade", "/cafe/decade"),
            ("42", "*", ""),
            ("", "", ""),
        ] {
            let pattern = Pattern::of(url);
            assert_eq!((&*pattern.name, pattern.start), (name, start), "{url}");
        }
    }
}
