//! The selected part of the graph, and the parts that the reader wants to see.

use super::labels::is_client;
use super::query::{Group, ONLY, Query};
use crate::graph::{Edge, Service, ServiceGraph};

/// The selected service, or the calls from it to another, by reference ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) node: usize,
    pub(super) callee: Option<usize>,
}

impl Selection {
    /// Returns what the parameters select, if the graph has it.
    pub(super) fn of(query: &Query, graph: &ServiceGraph) -> Option<Self> {
        let node = graph.services.iter().find(|service| query.is_node(service))?;
        if query.to.is_empty() {
            return Some(Self { node: node.reference_id, callee: None });
        }
        let callees = node.edges.iter().filter_map(|edge| graph.services.get(edge.reference_id));
        let callee = callees.into_iter().find(|callee| query.is_callee(callee))?;
        Some(Self { node: node.reference_id, callee: Some(callee.reference_id) })
    }

    /// Returns whether these calls are selected, or the service at one of their ends.
    pub(super) fn touches(self, from: usize, to: usize) -> bool {
        match self.callee {
            None => self.node == from || self.node == to,
            Some(callee) => self.node == from && callee == to,
        }
    }
}

/// Merges services as the reader wants it.
pub(super) fn grouped(graph: &ServiceGraph, group: Group) -> ServiceGraph {
    graph.grouped(|service| {
        if is_client(service) {
            return ("Clients".to_owned(), service.kind.clone());
        }
        match group {
            Group::Host if service.host.is_empty() => (service.name.clone(), Some("host".to_owned())),
            Group::Host => (service.host.clone(), Some("host".to_owned())),
            Group::Namespace => (namespace(service).to_owned(), Some("namespace".to_owned())),
        }
    })
}

/// Returns the namespace of the calls to a service. Services that send segments are called by others of their kind.
fn namespace(service: &Service) -> &'static str {
    match service.kind.as_deref() {
        _ if service.state == "active" => "services",
        Some(kind) if kind.starts_with("AWS::") => "aws",
        _ => "remote",
    }
}

/// Returns the part of the graph that the reader wants to see.
pub(super) fn shown(graph: &ServiceGraph, query: &Query) -> Option<ServiceGraph> {
    let mut shown = None;
    if query.failing == ONLY {
        shown = Some(failing(graph));
    }
    if query.path == ONLY {
        let graph = shown.as_ref().unwrap_or(graph);
        if let Some(selection) = Selection::of(query, graph) {
            shown = Some(path(graph, selection));
        }
    }
    shown
}

/// Returns the services and calls with failures, and the services at the ends of these calls.
fn failing(graph: &ServiceGraph) -> ServiceGraph {
    let is_failing = |edge: &Edge| edge.summary_statistics.failures() > 0;
    let mut kept: Vec<bool> = graph
        .services
        .iter()
        .map(|service| service.summary_statistics.as_ref().is_some_and(|statistics| statistics.failures() > 0))
        .collect();
    for service in &graph.services {
        for edge in service.edges.iter().filter(|edge| is_failing(edge)) {
            kept[service.reference_id] = true;
            kept[edge.reference_id] = true;
        }
    }
    graph.part(|service| kept[service.reference_id], |_, edge| is_failing(edge))
}

/// Returns the services that call the selected one and those that it calls, directly or through others.
fn path(graph: &ServiceGraph, selection: Selection) -> ServiceGraph {
    let mut callers = vec![Vec::new(); graph.services.len()];
    let mut called = vec![Vec::new(); graph.services.len()];
    for service in &graph.services {
        for edge in &service.edges {
            callers[edge.reference_id].push(service.reference_id);
            called[service.reference_id].push(edge.reference_id);
        }
    }
    let before = reachable(&callers, selection.node);
    let after = reachable(&called, selection.callee.unwrap_or(selection.node));
    graph.part(
        |service| before[service.reference_id] || after[service.reference_id],
        |from, edge| {
            let to = edge.reference_id;
            (before[from] && before[to])
                || (after[from] && after[to])
                || (selection.node == from && selection.callee == Some(to))
        },
    )
}

/// Returns which nodes are reached from a node, itself included.
fn reachable(next: &[Vec<usize>], start: usize) -> Vec<bool> {
    let mut reached = vec![false; next.len()];
    let mut waiting = vec![start];
    while let Some(node) = waiting.pop() {
        if !std::mem::replace(&mut reached[node], true) {
            waiting.extend(&next[node]);
        }
    }
    reached
}
