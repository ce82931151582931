//! The details of the selected service or calls.

use maud::{Markup, html};

use super::labels::{counts, edge_condition, is_client, kind, node_condition};
use super::query::{ONLY, Query};
use super::selection::Selection;
use crate::console::histogram::{condition, histogram, percentiles};
use crate::console::{format, link, status};
use crate::document::State;
use crate::filter::Search;
use crate::graph::{Edge, Service, ServiceGraph, Statistics, Times};

/// The most rows of a list of calls or of services.
const MAX_ROWS: usize = 100;

/// The map that the panel belongs to.
pub(super) struct Panel<'a> {
    pub(super) query: &'a Query,
    /// The meaning of the map's filter.
    pub(super) search: &'a Search,
    pub(super) graph: &'a ServiceGraph,
}

impl Panel<'_> {
    /// Renders the details.
    pub(super) fn render(&self, selection: Selection) -> Markup {
        let node = &self.graph.services[selection.node];
        let callee = selection.callee.map(|callee| &self.graph.services[callee]);
        let edge = callee.and_then(|callee| node.edges.iter().find(|edge| edge.reference_id == callee.reference_id));
        html! {
            aside.card.segment-card #panel aria-label="Details" {
                @match (callee, edge) {
                    (Some(callee), Some(edge)) => (self.edge(node, callee, edge)),
                    _ => (self.node(node)),
                }
            }
        }
    }

    fn node(&self, service: &Service) -> Markup {
        let callers = self.graph.services.iter().flat_map(|caller| caller.edges.iter().map(move |edge| (caller, edge)));
        let callers = callers.filter(|(_, edge)| edge.reference_id == service.reference_id);
        let called = service.edges.iter().filter_map(|edge| Some((self.graph.services.get(edge.reference_id)?, edge)));
        html! {
            header {
                h2 { (service.name) }
                p { span { (kind(service.kind.as_deref())) } @if service.stand_in { span.tag.inferred { "not received" } } }
            }
            (self.actions(|condition| node_condition(self.graph, service, condition), true))
            @if let Some(statistics) = &service.summary_statistics {
                (self.numbers(statistics, &service.response_times, |condition| node_condition(self.graph, service, condition)))
            }
            (members(service))
            (self.calls("Called by", callers.map(|(caller, edge)| (caller, service, edge, caller))))
            (self.calls("Calls", called.map(|(callee, edge)| (service, callee, edge, callee))))
        }
    }

    fn edge(&self, from: &Service, to: &Service, edge: &Edge) -> Markup {
        let condition = |condition: &str| edge_condition(self.graph, from, to, condition);
        html! {
            header {
                h2 { (from.name) @if is_client(from) { " clients" } " → " (to.name) }
                p {
                    "Calls, as the caller recorded them"
                    @if !edge.aliases.is_empty() {
                        span { "under the name " @for alias in edge.aliases.iter().take(3) { span.mono { (alias.name) } " " } }
                    }
                }
            }
            (self.actions(condition, false))
            (self.numbers(&edge.summary_statistics, &edge.response_times, condition))
            p.block { a href=(self.query.with_node(from)) { (from.name) } " · " a href=(self.query.with_node(to)) { (to.name) } }
        }
    }

    /// Renders links to the traces and to other views of the map.
    fn actions(&self, condition: impl Fn(&str) -> Option<String>, is_node: bool) -> Markup {
        let query = self.query;
        html! {
            p.actions {
                @if let Some(traces) = condition("") {
                    a #traces href=(self.traces(&traces)) { "Traces" }
                    @if is_node {
                        a #only-traces href=(query.with(|query| query.filter = self.search.narrowed(&query.filter, &traces))) {
                            "Map of its traces"
                        }
                    }
                }
                @if query.path == ONLY {
                    a #path href=(query.with(|query| query.path.clear())) { "Show all services" }
                } @else {
                    a #path href=(query.with(|query| ONLY.clone_into(&mut query.path))) { "Hide what is not on its path" }
                }
                a #close href=(query.with(Query::clear_selection)) { "Close" }
            }
        }
    }

    /// Renders numbers, percentiles and the histogram.
    fn numbers(&self, statistics: &Statistics, times: &Times, traces: impl Fn(&str) -> Option<String>) -> Markup {
        let total = statistics.total_count;
        html! {
            div.block {
                dl.facts {
                    div { dt { "Requests" } dd { (format::count(total)) } }
                    @for (state, count) in counts(statistics).into_iter().filter(|(state, count)| *count > 0 && *state != State::Ok) {
                        div { dt { (status::plural(state)) } dd { (format::count(count)) " " small { (format::percent(count, total)) } } }
                    }
                    (percentiles(times))
                }
                @if total > 0 {
                    (histogram("panel", times, |range| traces(&condition(range)).map(|traces| self.traces(&traces))))
                }
            }
        }
    }

    /// Renders calls: their caller, the called service, the edge, and the service that names the row.
    fn calls<'a>(
        &self,
        title: &str,
        calls: impl Iterator<Item = (&'a Service, &'a Service, &'a Edge, &'a Service)>,
    ) -> Markup {
        let calls: Vec<_> = calls.take(MAX_ROWS + 1).collect();
        html! {
            @if !calls.is_empty() {
                div.block {
                    h3 { (title) }
                    table.calls {
                        thead { tr { th scope="col" { "Service" } th.num scope="col" { "Requests" } th.num scope="col" { "p50" } th.num scope="col" { "p99" } } }
                        tbody {
                            @for (from, to, edge, named) in calls.iter().take(MAX_ROWS) {
                                tr {
                                    th scope="row" {
                                        @if edge.summary_statistics.failures() > 0 { (status::dot(worst(&edge.summary_statistics))) " " }
                                        a href=(self.query.with_edge(from, to)) { (named.name) }
                                    }
                                    td.num { (format::count(edge.summary_statistics.total_count)) }
                                    @for quantile in [0.5, 0.99] {
                                        td.num { (edge.response_times.quantile(quantile).map_or_else(String::new, format::duration)) }
                                    }
                                }
                            }
                        }
                    }
                    @if calls.len() > MAX_ROWS { p { "The table of calls has the others." } }
                }
            }
        }
    }

    /// Returns the address of the traces of the map that meet a condition.
    fn traces(&self, condition: &str) -> String {
        link::traces(&self.search.narrowed(&self.query.filter, condition))
    }
}

/// Renders the services of a group.
fn members(service: &Service) -> Markup {
    html! {
        @if service.names.len() > 1 {
            details.block #members {
                summary { (format::count_of(service.names.len() as u64, "service")) }
                ul { @for name in service.names.iter().take(MAX_ROWS) { li { (name) } } }
            }
        }
    }
}

/// Returns the worst state that occurred.
fn worst(statistics: &Statistics) -> State {
    let worst = counts(statistics).into_iter().rev().find(|(_, count)| *count > 0);
    worst.map_or(State::Ok, |(state, _)| state)
}
