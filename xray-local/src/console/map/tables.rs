//! What the picture shows, as tables.

use maud::{Markup, html};

use super::labels::{average, is_client, kind, traces_of_call};
use crate::console::{format, link};
use crate::graph::{HistogramEntry, ServiceGraph, Statistics};

/// More would keep a browser busy.
const MAX_ROWS: usize = 1_000;

pub(super) fn services(graph: &ServiceGraph) -> Markup {
    html! {
        section {
            h2 #services { "Services" }
            div.card.scroll data-scrolls {
                table aria-labelledby="services" {
                    thead { tr { th scope="col" { "Service" } th scope="col" { "Type" } (headings()) } }
                    tbody {
                        @for service in graph.services.iter().take(MAX_ROWS) {
                            tr {
                                th.name-cell scope="row" { a href=(link::through_service(&service.name)) { (service.name) } }
                                td { (kind(service.kind.as_deref())) }
                                (figures(service.summary_statistics.as_ref(), &service.response_time_histogram))
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn calls(graph: &ServiceGraph) -> Markup {
    let calls = graph.services.iter().flat_map(|service| service.edges.iter().map(move |edge| (service, edge)));
    let calls = calls.filter_map(|(from, edge)| Some((from, edge, graph.services.get(edge.reference_id)?)));
    html! {
        section {
            h2 #calls { "Calls" }
            div.card.scroll data-scrolls {
                table aria-labelledby="calls" {
                    thead { tr { th scope="col" { "From" } th scope="col" { "To" } (headings()) } }
                    tbody {
                        @for (from, edge, to) in calls.take(MAX_ROWS) {
                            tr {
                                th.name-cell scope="row" {
                                    (from.name) @if is_client(from) { small { " clients" } }
                                }
                                td.name-cell { a href=(traces_of_call(from, to)) { (to.name) } }
                                (figures(Some(&edge.summary_statistics), &edge.response_time_histogram))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn headings() -> Markup {
    html! {
        @for heading in ["Requests", "OK", "Errors", "Throttled", "Faults", "Average", "95 %"] {
            th.num scope="col" { (heading) }
        }
    }
}

fn figures(statistics: Option<&Statistics>, times: &[HistogramEntry]) -> Markup {
    html! {
        @match statistics {
            Some(statistics) => {
                td.num { (format::count(statistics.total_count)) }
                td.num { (format::count(statistics.ok_count)) }
                td.num { (format::count(statistics.error_statistics.other_count)) }
                td.num { (format::count(statistics.error_statistics.throttle_count)) }
                td.num { (format::count(statistics.fault_statistics.total_count)) }
                td.num { (average(statistics).map_or_else(String::new, format::duration)) }
                td.num { (quantile(times, 0.95).map_or_else(String::new, format::duration)) }
            }
            None => @for _ in 0..7 { td.num { "–" } },
        }
    }
}

/// The time that a share of the requests did not exceed.
fn quantile(times: &[HistogramEntry], share: f64) -> Option<f64> {
    let total: u64 = times.iter().map(|entry| entry.count).sum();
    let mut sorted = times.to_vec();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
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
    fn quantiles_are_of_all_requests() {
        let times = [HistogramEntry { value: 2.0, count: 1 }, HistogramEntry { value: 1.0, count: 19 }];
        assert_eq!(quantile(&times, 0.95), Some(1.0));
        assert_eq!(quantile(&times, 0.96), Some(2.0));
        assert_eq!(quantile(&[], 0.95), None);
    }
}
