//! The tables of the service map. They hold the same data as the drawing, for readers who cannot see it.

use maud::{Markup, html};

use super::labels::{average, counts, is_client, kind};
use super::query::Query;
use crate::console::format;
use crate::console::histogram::PERCENTILES;
use crate::graph::{ServiceGraph, Statistics, Times};

/// The maximum number of rows in a table. A browser takes too long to lay out more rows.
const MAX_ROWS: usize = 1_000;

/// Renders a row for each service. Clients have no row: they have no statistics, and the table of calls lists their
/// calls.
pub(super) fn services(graph: &ServiceGraph, query: &Query) -> Markup {
    let rows = html! {
        @for service in graph.services.iter().filter(|service| !is_client(service)).take(MAX_ROWS) {
            tr {
                th.name-cell scope="row" { a href=(query.with_node(service)) { (service.name) } }
                td { (kind(service.kind.as_deref())) }
                (statistics_cells(service.summary_statistics.as_ref(), &service.response_times))
            }
        }
    };
    table("services", "Services", ["Service", "Type"], &rows)
}

/// Renders a row for each edge: a service, and a service that it calls.
pub(super) fn calls(graph: &ServiceGraph, query: &Query) -> Markup {
    let calls = graph.services.iter().flat_map(|service| service.edges.iter().map(move |edge| (service, edge)));
    let calls = calls.filter_map(|(from, edge)| Some((from, edge, graph.services.get(edge.reference_id)?)));
    let rows = html! {
        @for (from, edge, to) in calls.take(MAX_ROWS) {
            tr {
                th.name-cell scope="row" { (from.name) @if is_client(from) { small { " clients" } } }
                td.name-cell { a href=(query.with_edge(from, to)) { (to.name) } }
                (statistics_cells(Some(&edge.summary_statistics), &edge.response_times))
            }
        }
    };
    table("calls", "Calls", ["From", "To"], &rows)
}

/// Renders a table of `rows`. `columns` are the headings of the first two cells; the other cells hold statistics.
fn table(id: &str, title: &str, columns: [&str; 2], rows: &Markup) -> Markup {
    let statistics = ["Requests", "OK", "Errors", "Throttled", "Faults", "Average"];
    html! {
        section {
            h2 #(id) { (title) }
            div.card.scroll data-scrolls {
                table aria-labelledby=(id) {
                    thead {
                        tr {
                            @for heading in columns { th scope="col" { (heading) } }
                            @for heading in statistics { th.num scope="col" { (heading) } }
                            @for (heading, _) in PERCENTILES { th.num scope="col" { (heading) } }
                        }
                    }
                    tbody { (rows) }
                }
            }
        }
    }
}

/// Renders the statistics of a row. A service whose segments were not received has no statistics, so each of its cells
/// holds a dash.
fn statistics_cells(statistics: Option<&Statistics>, times: &Times) -> Markup {
    html! {
        @match statistics {
            Some(statistics) => {
                td.num { (format::count(statistics.total_count)) }
                @for (_, number) in counts(statistics) { td.num { (format::count(number)) } }
                td.num { (average(statistics).map_or_else(String::new, format::duration)) }
                @for (_, quantile) in PERCENTILES {
                    td.num { (times.quantile(quantile).map_or_else(String::new, format::duration)) }
                }
            }
            None => @for _ in 0..9 { td.num { "–" } },
        }
    }
}
