//! The tables of the service map. They hold the same data as the drawing, for readers who cannot see it.

use maud::{Markup, html};

use super::labels::{average, counts, is_client, kind, traces_with_call};
use crate::console::{format, link};
use crate::graph::{HistogramEntry, ServiceGraph, Statistics};

/// The maximum number of rows in a table. A browser takes too long to lay out more rows.
const MAX_ROWS: usize = 1_000;

/// Renders a row for each service.
pub(super) fn services(graph: &ServiceGraph) -> Markup {
    let rows = html! {
        @for service in graph.services.iter().take(MAX_ROWS) {
            tr {
                th.name-cell scope="row" { a href=(link::traces_through_service(&service.name)) { (service.name) } }
                td { (kind(service.kind.as_deref())) }
                (statistics_cells(service.summary_statistics.as_ref(), &service.response_time_histogram))
            }
        }
    };
    table("services", "Services", ["Service", "Type"], &rows)
}

/// Renders a row for each edge: a service, and a service that it calls.
pub(super) fn calls(graph: &ServiceGraph) -> Markup {
    let calls = graph.services.iter().flat_map(|service| service.edges.iter().map(move |edge| (service, edge)));
    let calls = calls.filter_map(|(from, edge)| Some((from, edge, graph.services.get(edge.reference_id)?)));
    let rows = html! {
        @for (from, edge, to) in calls.take(MAX_ROWS) {
            tr {
                th.name-cell scope="row" { (from.name) @if is_client(from) { small { " clients" } } }
                td.name-cell { a href=(traces_with_call(from, to)) { (to.name) } }
                (statistics_cells(Some(&edge.summary_statistics), &edge.response_time_histogram))
            }
        }
    };
    table("calls", "Calls", ["From", "To"], &rows)
}

/// Renders a table of `rows`. `columns` are the headings of the first two cells; the other cells hold statistics.
fn table(id: &str, title: &str, columns: [&str; 2], rows: &Markup) -> Markup {
    let statistics = ["Requests", "OK", "Errors", "Throttled", "Faults", "Average", "95th percentile"];
    html! {
        section {
            h2 #(id) { (title) }
            div.card.scroll data-scrolls {
                table aria-labelledby=(id) {
                    thead {
                        tr {
                            @for heading in columns { th scope="col" { (heading) } }
                            @for heading in statistics { th.num scope="col" { (heading) } }
                        }
                    }
                    tbody { (rows) }
                }
            }
        }
    }
}

/// Renders the statistics of a row. A node of clients has no statistics, so each of its cells holds a dash.
fn statistics_cells(statistics: Option<&Statistics>, times: &[HistogramEntry]) -> Markup {
    html! {
        @match statistics {
            Some(statistics) => {
                td.num { (format::count(statistics.total_count)) }
                @for (_, number) in counts(statistics) { td.num { (format::count(number)) } }
                td.num { (average(statistics).map_or_else(String::new, format::duration)) }
                td.num { (quantile(times, 0.95).map_or_else(String::new, format::duration)) }
            }
            None => @for _ in 0..7 { td.num { "–" } },
        }
    }
}

/// Returns the smallest response time that at least `share` of the requests did not exceed, or `None` if there are no
/// requests.
fn quantile(times: &[HistogramEntry], share: f64) -> Option<f64> {
    let total: u64 = times.iter().map(|entry| entry.count).sum();
    let mut sorted = times.to_vec();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of requests is far below 2^53, and a share is not negative"
    )]
    let rank = (total as f64 * share).ceil() as u64;
    let mut counted = 0;
    sorted.into_iter().find_map(|entry| {
        counted += entry.count;
        (counted >= rank).then_some(entry.value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_counts_every_request() {
        let times = [HistogramEntry { value: 2.0, count: 1 }, HistogramEntry { value: 1.0, count: 19 }];
        assert_eq!(quantile(&times, 0.95), Some(1.0));
        assert_eq!(quantile(&times, 0.96), Some(2.0));
        assert_eq!(quantile(&[], 0.95), None);
    }
}
