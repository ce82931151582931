//! The words, figures and links that the drawing and the tables share.

use crate::console::{format, link, status};
use crate::document::State;
use crate::graph::{Service, ServiceGraph, Statistics};

/// Returns whether a node stands for the clients of a service, which send no segments themselves.
pub(super) fn is_client(service: &Service) -> bool {
    service.kind.as_deref() == Some("client")
}

/// The most services of a group that a condition names. An expression has at most 5,000 characters.
const MAX_NAMED: usize = 20;

/// Returns the condition on the traces in which a service takes part. `condition` describes its segments and may be
/// empty. No filter finds a service whose segments were not received, or a group of very many services.
pub(super) fn node_condition(graph: &ServiceGraph, service: &Service, condition: &str) -> Option<String> {
    if is_client(service) {
        // No filter finds clients. Their traces are those of the services that they call.
        return any(service.edges.iter().filter_map(|edge| {
            let callee = graph.services.get(edge.reference_id)?;
            Some(link::service_condition(&selectors(graph, callee).next()?, &in_root(condition)))
        }));
    }
    if service.stand_in {
        return None;
    }
    any(selectors(graph, service).map(|selector| link::service_condition(&selector, condition)))
}

/// Returns the condition on the traces in which one service calls another.
pub(super) fn edge_condition(graph: &ServiceGraph, from: &Service, to: &Service, condition: &str) -> Option<String> {
    if to.stand_in {
        return None;
    }
    if is_client(from) {
        return any(selectors(graph, to).map(|to| link::service_condition(&to, &in_root(condition))));
    }
    if from.stand_in {
        return any(selectors(graph, to).map(|to| link::service_condition(&to, condition)));
    }
    let to: Vec<String> = selectors(graph, to).collect();
    let pairs = selectors(graph, from).flat_map(|from| to.iter().map(move |to| (from.clone(), to)));
    any(pairs.map(|(from, to)| link::edge_condition(&from, to, condition)))
}

/// Returns what selects a service in a filter expression: its name, and its type if another service has this name.
/// Returns the names of all services of a group.
fn selectors<'a>(graph: &'a ServiceGraph, service: &'a Service) -> impl Iterator<Item = String> + 'a {
    let others = graph.services.iter().filter(|other| other.name == service.name && !is_client(other));
    let kind = service.kind.as_deref().filter(|_| service.names.len() == 1 && others.count() > 1);
    service.names.iter().map(move |name| match kind {
        Some(kind) => format!("id(name: {}, type: {})", link::quote(name), link::quote(kind)),
        None => link::quote(name),
    })
}

/// Restricts a condition on segments to the requests of clients.
fn in_root(condition: &str) -> String {
    if condition.is_empty() { String::new() } else { format!("root AND {condition}") }
}

fn any(conditions: impl Iterator<Item = String>) -> Option<String> {
    let conditions: Vec<_> = conditions.take(MAX_NAMED + 1).collect();
    match conditions.len() {
        1 => conditions.into_iter().next(),
        2..=MAX_NAMED => Some(format!("({})", conditions.join(" OR "))),
        _ => None,
    }
}

/// Returns the average duration of a request, in seconds. Returns `None` if no request has ended.
pub(super) fn average(statistics: &Statistics) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "three digits of the average are shown")]
    (statistics.total_count > 0).then(|| statistics.total_response_time / statistics.total_count as f64)
}

/// Returns the number of requests in each state, in the order of the ring.
pub(super) fn counts(statistics: &Statistics) -> [(State, u64); 4] {
    [
        (State::Ok, statistics.ok_count),
        (State::Error, statistics.error_statistics.other_count),
        (State::Throttle, statistics.error_statistics.throttle_count),
        (State::Fault, statistics.fault_statistics.total_count),
    ]
}

/// Returns the label of a call, the average duration and the number of requests: `12.3 ms · 1,204`.
pub(super) fn call_label(statistics: &Statistics) -> String {
    match average(statistics) {
        Some(average) => format!("{} · {}", format::duration(average), format::count(statistics.total_count)),
        None => "none ended".to_owned(),
    }
}

/// Returns the label of a service: like [`call_label`], with the number of requests in the worst state that occurred.
pub(super) fn service_label(statistics: &Statistics) -> String {
    let label = call_label(statistics);
    let [_, error, throttle, fault] = counts(statistics);
    match [fault, throttle, error].into_iter().find(|(_, number)| *number > 0) {
        Some((state, number)) => format!("{label} · {}", status::count(number, state)),
        None => label,
    }
}

/// Returns the statistics in words: `18 requests, 12.3 ms on average: 16 OK, 2 faults`.
pub(super) fn description(statistics: &Statistics) -> String {
    let Some(average) = average(statistics) else { return "no request has ended".to_owned() };
    let counts = counts(statistics).into_iter().filter(|(_, number)| *number > 0);
    let counts: Vec<_> = counts.map(|(state, number)| status::count(number, state)).collect();
    format!(
        "{}, {} on average: {}",
        format::count_of(statistics.total_count, "request"),
        format::duration(average),
        counts.join(", ")
    )
}

/// Returns the name of a node's type.
pub(super) fn kind(kind: Option<&str>) -> &str {
    match kind {
        None => "Service",
        Some("client") => "Clients",
        Some("remote") => "Remote",
        Some("host") => "Host",
        Some("namespace") => "Namespace",
        Some("Database::SQL") => "SQL database",
        Some(kind) => kind.strip_prefix("AWS::").unwrap_or(kind),
    }
}
