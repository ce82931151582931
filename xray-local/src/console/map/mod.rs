//! The service map: the service graph as a drawing and as tables, and the details of a service or of calls.

mod column;
mod columns;
mod labels;
mod layout;
mod panel;
mod picture;
mod query;
mod selection;
mod tables;

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use maud::{Markup, html};

use self::labels::is_client;
use self::panel::Panel;
use self::picture::Drawn;
pub(super) use self::query::Query;
use self::query::{Group, ONLY};
use self::selection::{Selection, grouped, shown};
use super::filter_error::filter_error;
use super::page::{Page, Section};
use super::state::{Console, LastGraph};
use super::{format, status};
use crate::document::State;
use crate::filter::{Filter, FilterError, Search};
use crate::graph::{Service, ServiceGraph, service_graph};
use crate::time::TimeRange;

/// The time ranges to choose from, in minutes.
const RANGES: [(Option<u32>, &str); 4] =
    [(Some(5), "5 minutes"), (Some(60), "1 hour"), (Some(360), "6 hours"), (None, "All")];

/// The sizes to choose from, in per cent.
const ZOOMS: [(Option<u32>, &str); 5] =
    [(None, "Fit"), (Some(50), "50 %"), (Some(75), "75 %"), (Some(100), "100 %"), (Some(150), "150 %")];

/// What services can be merged by.
const GROUPS: [(Option<Group>, &str); 3] =
    [(None, "Services"), (Some(Group::Host), "Hosts"), (Some(Group::Namespace), "Namespaces")];

/// How long a page assembles traces. The store may hold 100,000 of them. After this time the map shows the traces read
/// so far, which are the newest.
const READ_TIME: Duration = Duration::from_secs(3);

/// How long the graph of a time range is shown again. The range ends at the time at which the graph was read.
const MAX_AGE: Duration = Duration::from_secs(10);

/// The most services of a graph that is kept. A graph keeps kilobytes for each.
const MAX_KEPT: usize = 1_000;

/// How long before the time range a trace may have begun to be read, in seconds. Its later segments may lie within the
/// range.
const MAX_TRACE_AGE: f64 = 3_600.0;

/// The most services that the line about the services found names, and that the search box suggests.
const MAX_FOUND: usize = 20;
const MAX_SUGGESTIONS: usize = 500;

/// Renders the page.
pub(super) fn page(console: &Console, query: &Query) -> Markup {
    let revision = console.revision();
    let search = Search::parse_with(query.filter.trim(), &console.account.named_filters());
    let everything = Filter::everything();
    let (graph, unread) = graph(console, query, revision, search.as_ref().map_or(&everything, Search::filter));
    let grouped = query.group.map(|group| grouped(&graph, group));
    let graph = grouped.as_ref().unwrap_or(&graph);
    let part = shown(graph, query);
    let content = html! {
        div.head { h1 { "Service map" } p { "Calls between services: how many, how long they take, how often they fail" } }
        (form(query, search.as_ref().err(), graph))
        (choices(query))
        @if let Ok(search) = &search {
            div data-live { (map(query, search, part.as_ref().unwrap_or(graph), graph.services.len(), unread)) }
        }
    };
    Page::new("Service map", Section::Map, revision, content).render(console)
}

/// Renders the map of a graph that is a part of one with `all` services.
fn map(query: &Query, search: &Search, graph: &ServiceGraph, all: usize, unread: u64) -> Markup {
    let found = found(query, graph);
    // The details of the only service found save the reader a click.
    let selection = Selection::of(query, graph).or(match found[..] {
        [service] if query.node.is_empty() => Some(Selection { node: service.reference_id, callee: None }),
        _ => None,
    });
    html! {
        @if unread > 0 {
            p.notice {
                "The map shows only the newest traces. Reading the other " (format::count_of(unread, "trace"))
                " would take too long."
            }
        }
        @if graph.left_out > 0 {
            p.notice {
                "The map has too many different services: " (format::count_of(graph.left_out, "segment")) " left out."
            }
        }
        @if !query.find.is_empty() { (found_services(query, &found, graph.services.len())) }
        @if selection.is_none() && !query.node.is_empty() {
            p.notice #not-shown { "The selected service is not part of this map." }
        }
        @if graph.services.is_empty() {
            div.card.empty {
                @if all == 0 {
                    h2 { "No services yet" }
                    p { "Services appear here as soon as a trace arrives in this time range." }
                    a href="/" { "How to send a trace" }
                } @else {
                    h2 { "Nothing fails" }
                    p { "None of the " (format::count_of(all as u64, "service")) " has an error, a throttle or a fault." }
                    a href=(query.with(|query| query.failing.clear())) { "Show all services" }
                }
            }
        } @else {
            @let panel = selection.map(|selection| Panel { query, search, graph }.render(selection));
            div.map-page.with-panel[panel.is_some()] {
                @if let Some(panel) = &panel { (panel) }
                section.card aria-label="Drawing" {
                    (drawings(graph, query, selection, &found))
                    (legend(query))
                }
            }
            (tables::services(graph, query))
            (tables::calls(graph, query))
        }
    }
}

/// Returns the services whose names contain the text that the reader looks for.
fn found<'a>(query: &Query, graph: &'a ServiceGraph) -> Vec<&'a Service> {
    let text = query.find.trim().to_lowercase();
    if text.is_empty() {
        return Vec::new();
    }
    let services = graph.services.iter().filter(|service| !is_client(service));
    let mut found: Vec<_> = services.filter(|service| service.name.to_lowercase().contains(&text)).collect();
    // A name that is typed in full means this service, even if others contain it.
    if found.iter().filter(|service| service.name.to_lowercase() == text).count() == 1 {
        found.retain(|service| service.name.to_lowercase() == text);
    }
    found
}

fn found_services(query: &Query, found: &[&Service], all: usize) -> Markup {
    html! {
        p.found #found-services {
            span { (format::count(found.len() as u64)) " of " (format::count_of(all as u64, "service")) " found" }
            @for service in found.iter().take(MAX_FOUND) { a href=(query.with_node(service)) { (service.name) } }
            @if found.len() > MAX_FOUND { span { "…" } }
            a href=(query.with(|query| query.find.clear())) { "Clear" }
        }
    }
}

/// Renders the search for services and the filter of traces.
fn form(query: &Query, error: Option<&FilterError>, graph: &ServiceGraph) -> Markup {
    html! {
        // The fragment makes the browser scroll to the service that is found.
        form.search.map-search role="search" action="/map#selected" method="get" {
            @for (name, value) in query.parameters() {
                // A service that is looked for takes the place of the selected one.
                @if ["minutes", "zoom", "group", "failing"].contains(&name) { input type="hidden" name=(name) value=(value); }
            }
            label.visually-hidden for="find" { "Name of a service" }
            input #find name="find" type="search" value=(query.find) autocomplete="off" spellcheck="false" data-search
                placeholder="Find a service" list="service-names";
            datalist #service-names {
                @for service in graph.services.iter().filter(|service| !is_client(service)).take(MAX_SUGGESTIONS) {
                    option value=(service.name) {}
                }
            }
            label.visually-hidden for="filter" { "Trace filter expression" }
            input #filter name="filter" type="search" value=(query.filter) autocomplete="off" spellcheck="false"
                autocapitalize="off" placeholder="Only traces with: service(\"checkout\")"
                aria-invalid=[error.map(|_| "true")] aria-describedby=[error.map(|_| "filter-error")];
            button.button type="submit" { "Show" }
        }
        @if let Some(error) = error {
            (filter_error(&query.filter, error, |filter| query.with(|query| filter.clone_into(&mut query.filter))))
        }
    }
}

/// Renders links to other time ranges and to other parts and groups of the graph.
fn choices(query: &Query) -> Markup {
    html! {
        div.toolbar {
            nav.choices aria-label="Time range" {
                @for (minutes, name) in RANGES {
                    (choice(&query.with(|query| query.minutes = minutes), name, minutes == query.minutes))
                }
            }
            nav.choices aria-label="Services" {
                @let is_failing = query.failing == ONLY;
                (choice(&query.with(|query| query.failing.clear()), "All", !is_failing))
                (choice(&query.with(|query| ONLY.clone_into(&mut query.failing)), "Only failing", is_failing))
            }
            nav.choices aria-label="Nodes" {
                @for (group, name) in GROUPS {
                    @let address = query.with(|query| {
                        // The selected service is not a node of the other map.
                        query.clear_selection();
                        query.group = group;
                    });
                    (choice(&address, name, group == query.group))
                }
            }
        }
    }
}

fn choice(address: &str, name: &str, is_current: bool) -> Markup {
    html! { a href=(address) aria-current=[is_current.then_some("true")] { (name) } }
}

/// Renders the drawing for wide screens, and another for narrow ones. A reader who chooses a size gets the wide one.
fn drawings(graph: &ServiceGraph, query: &Query, selection: Option<Selection>, found: &[&Service]) -> Markup {
    let drawn = Drawn::of(graph, query, selection, found);
    html! {
        (picture::picture(&drawn))
        @if query.zoom.is_none() { (column::column(&drawn)) }
    }
}

/// Returns the service graph of the traces that match the filter, and the number of traces that were not read within
/// [`READ_TIME`].
fn graph(console: &Console, query: &Query, revision: u64, filter: &Filter) -> (Arc<ServiceGraph>, u64) {
    let of = (query.minutes, query.filter.trim().to_owned());
    let last = || console.last_graph.lock().unwrap_or_else(PoisonError::into_inner);
    let is_current = |last: &LastGraph| {
        last.revision == revision && last.of == of && (of.0.is_none() || last.read.elapsed() < MAX_AGE)
    };
    if let Some(last) = last().clone().filter(is_current) {
        return (last.graph, last.unread);
    }
    let started = Instant::now();
    let range = query.minutes.map_or(TimeRange::ALL, |minutes| TimeRange {
        start: crate::time::now() - f64::from(minutes) * 60.0,
        ..TimeRange::ALL
    });
    let mut stored = console.store.traces();
    stored.retain(|stored| stored.start() + MAX_TRACE_AGE >= range.start);
    let rejected = console.rejected_ids();
    let mut read = 0;
    let traces = stored.iter().take_while(|_| started.elapsed() < READ_TIME).filter_map(|stored| {
        read += 1;
        let trace = stored.open();
        filter.matches(&trace).then(|| trace.map(|trace| trace.with_stand_ins(|id| rejected.contains(id))))
    });
    let graph = Arc::new(service_graph(traces, range));
    let unread = (stored.len() - read) as u64;
    *last() = (graph.services.len() <= MAX_KEPT).then(|| LastGraph {
        revision,
        of,
        read: started,
        graph: Arc::clone(&graph),
        unread,
    });
    (graph, unread)
}

fn legend(query: &Query) -> Markup {
    let states =
        [(State::Ok, "OK"), (State::Error, "errors"), (State::Throttle, "throttled"), (State::Fault, "faults")];
    html! {
        div.legend {
            @for (state, name) in states { span { (status::decorative_dot(state)) (name) } }
            span {
                "A ring shows how the requests of a service ended. The figures are the average duration and the number of \
                 requests. Dashed lines are calls with faults."
            }
            nav.zoom aria-label="Zoom" {
                @for (zoom, name) in ZOOMS {
                    (choice(&query.with(|query| query.zoom = zoom), name, zoom == query.zoom))
                }
            }
        }
    }
}
