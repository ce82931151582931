//! Builds the service graph from traces.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::statistics::{Histogram, Statistics};
use super::{Alias, Edge, Service, ServiceGraph, Times};
use crate::document::{Document, Kind};
use crate::service::ServiceId;
use crate::time::TimeRange;
use crate::trace::{Caller, Trace};
use crate::url;

/// The type of a node that represents the clients of a service at which traces start.
const CLIENT: &str = "client";

/// The most nodes and edges of a graph. Segments of further services, and further calls, are left out: a graph keeps
/// kilobytes for each, and traces may hold a million names.
const MAX_NODES: usize = 5_000;
const MAX_EDGES: usize = 20_000;

/// The most names that a caller's calls to one service keep.
const MAX_ALIASES: usize = 100;

/// The longest host that a node keeps, in characters. A host name has at most 253.
const MAX_HOST_CHARS: usize = 253;

/// The nodes and edges of the traces added so far.
#[derive(Default)]
pub(super) struct Builder {
    nodes: BTreeMap<ServiceId, Node>,
    /// The edges, by caller and callee.
    edges: BTreeMap<(ServiceId, ServiceId), Calls>,
    /// The number of segments that were left out.
    left_out: u64,
}

#[derive(Default)]
struct Node {
    is_root: bool,
    is_active: bool,
    /// `Some(true)` if all segments of the node are stand-ins for segments that were not received. `None` if the node
    /// has no segment.
    is_stand_in: Option<bool>,
    span: Span,
    statistics: Statistics,
    durations: Histogram,
    response_time_histogram: Histogram,
    response_times: Times,
    host: String,
}

#[derive(Default)]
struct Calls {
    span: Span,
    statistics: Statistics,
    response_time_histogram: Histogram,
    response_times: Times,
    aliases: BTreeSet<String>,
}

/// The time from the earliest start to the latest end.
struct Span {
    start: f64,
    end: f64,
}

impl Builder {
    /// Adds the segments of a trace that start in the range.
    pub(super) fn add(&mut self, trace: &Trace, range: TimeRange) {
        let calls = trace.calls();
        let mut counted = HashSet::new();
        let segments = trace.segments.iter().filter(|segment| segment.kind == Kind::Segment);
        for segment in segments.filter(|segment| range.contains(segment.start_time)) {
            let service = ServiceId::of(segment);
            let is_full = self.nodes.len() >= MAX_NODES || self.edges.len() >= MAX_EDGES;
            if is_full && !self.nodes.contains_key(&service) {
                self.left_out += 1;
                continue;
            }
            let node = self.nodes.entry(service.clone()).or_default();
            node.add(segment);
            match calls.caller(segment) {
                // Whether anything calls a segment that was not received is unknown.
                Caller::Outside if segment.stand_in.is_some() => {}
                Caller::Outside => {
                    node.is_root = true;
                    let client = ServiceId { kind: Some(CLIENT.to_owned()), account_id: None, ..service.clone() };
                    self.nodes.entry(client.clone()).or_default().span.cover(segment);
                    if let Some(calls) = self.calls(client, service) {
                        calls.add(segment);
                    }
                }
                Caller::Unknown => {}
                // A call that was counted already: one call can lead to several segments, for example when a proxy
                // retries.
                Caller::Segment { call, .. } if !counted.insert((call.id.as_str(), service.clone())) => {}
                Caller::Segment { segment: caller, call } => {
                    let caller_service = ServiceId::of(caller);
                    if !range.contains(caller.start_time) {
                        self.add_outer_caller(&caller_service, caller);
                    }
                    let alias = (call.kind == Kind::Subsegment && call.name != service.name).then(|| call.name.clone());
                    let Some(calls) = self.calls(caller_service, service) else { continue };
                    if calls.aliases.len() < MAX_ALIASES {
                        calls.aliases.extend(alias);
                    }
                    calls.add(call);
                }
            }
        }
    }

    /// Adds the node of a caller whose segment does not start in the range. Its request is not counted: it is not in
    /// the range either.
    fn add_outer_caller(&mut self, service: &ServiceId, segment: &Document) {
        let is_full = self.nodes.len() >= MAX_NODES || self.edges.len() >= MAX_EDGES;
        if is_full && !self.nodes.contains_key(service) {
            return;
        }
        let node = self.nodes.entry(service.clone()).or_default();
        node.span.cover(segment);
        node.is_active |= !segment.inferred && segment.stand_in.is_none();
    }

    /// Returns the graph.
    pub(super) fn build(self) -> ServiceGraph {
        let mut nodes = self.nodes;
        for (caller, _) in self.edges.keys() {
            // A caller whose segment does not start in the range has no node if there are too many nodes.
            nodes.entry(caller.clone()).or_default();
        }
        let ids: HashMap<ServiceId, usize> =
            nodes.keys().enumerate().map(|(id, service)| (service.clone(), id)).collect();
        let mut services: Vec<Service> =
            nodes.into_iter().enumerate().map(|(id, (service, node))| node.build(id, service)).collect();
        for ((caller, callee), calls) in self.edges {
            let edge = calls.build(ids[&callee], &callee);
            services[ids[&caller]].edges.push(edge);
        }
        ServiceGraph { services, left_out: self.left_out }
    }

    /// Returns the calls from one service to another, unless there are too many others.
    fn calls(&mut self, from: ServiceId, to: ServiceId) -> Option<&mut Calls> {
        let is_full = self.edges.len() >= MAX_EDGES;
        match self.edges.entry((from, to)) {
            Entry::Vacant(_) if is_full => {
                self.left_out += 1;
                None
            }
            entry => Some(entry.or_default()),
        }
    }
}

impl Node {
    fn add(&mut self, segment: &Document) {
        self.span.cover(segment);
        let is_stand_in = segment.stand_in.is_some();
        self.is_stand_in = Some(is_stand_in && self.is_stand_in.unwrap_or(true));
        if is_stand_in {
            return;
        }
        self.is_active |= !segment.inferred;
        if self.host.is_empty() {
            self.host = host(segment).chars().take(MAX_HOST_CHARS).collect();
        }
        let Some(seconds) = segment.duration() else { return };
        self.statistics.add(segment.state(), seconds);
        self.response_time_histogram.add(seconds);
        self.response_times.add(seconds);
        let ends = segment.walk().filter_map(|entity| entity.end_time);
        let last = ends.max_by(f64::total_cmp).unwrap_or(segment.start_time);
        self.durations.add((last - segment.start_time).max(0.0));
    }

    fn build(self, reference_id: usize, service: ServiceId) -> Service {
        let is_client = service.kind.as_deref() == Some(CLIENT);
        let is_stand_in = self.is_stand_in.unwrap_or_default();
        let (start_time, end_time) = self.span.whole_seconds();
        Service {
            reference_id,
            name: service.name,
            names: service.names,
            root: self.is_root,
            account_id: service.account_id,
            kind: service.kind,
            state: if self.is_active { "active" } else { "unknown" },
            start_time,
            end_time,
            edges: Vec::new(),
            summary_statistics: (!is_client && !is_stand_in).then_some(self.statistics),
            duration_histogram: self.durations.entries(),
            response_time_histogram: self.response_time_histogram.entries(),
            response_times: self.response_times,
            host: self.host,
            stand_in: is_stand_in,
        }
    }
}

/// Returns the host on which a segment's service runs: that of the request, or the part after the `@` in the name of a
/// database, or else the name.
fn host(segment: &Document) -> &str {
    let url = segment.http.as_ref().and_then(|http| http.url.as_deref());
    let from_url = url.map(|url| url::host(url::split(url).0)).filter(|host| !host.is_empty());
    let from_name = || segment.name.rsplit_once('@').map(|(_, host)| host).filter(|host| !host.is_empty());
    from_url.or_else(from_name).unwrap_or(&segment.name)
}

impl Calls {
    fn add(&mut self, call: &Document) {
        self.span.cover(call);
        let Some(seconds) = call.duration() else { return };
        self.statistics.add(call.state(), seconds);
        self.response_time_histogram.add(seconds);
        self.response_times.add(seconds);
    }

    fn build(self, reference_id: usize, callee: &ServiceId) -> Edge {
        let (start_time, end_time) = self.span.whole_seconds();
        let alias = |name: String| Alias { names: vec![name.clone()], name, kind: callee.kind.clone() };
        Edge {
            reference_id,
            start_time,
            end_time,
            summary_statistics: self.statistics,
            response_time_histogram: self.response_time_histogram.entries(),
            response_times: self.response_times,
            aliases: self.aliases.into_iter().map(alias).collect(),
        }
    }
}

impl Default for Span {
    fn default() -> Self {
        Self { start: f64::INFINITY, end: f64::NEG_INFINITY }
    }
}

impl Span {
    fn cover(&mut self, entity: &Document) {
        self.start = self.start.min(entity.start_time);
        self.end = self.end.max(entity.end_time.unwrap_or(entity.start_time));
    }

    /// Returns the span rounded outwards to whole seconds, or zeros if it is empty.
    fn whole_seconds(&self) -> (f64, f64) {
        if self.start > self.end { (0.0, 0.0) } else { (self.start.floor(), self.end.ceil()) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_host_of_a_segment_is_that_of_its_request_or_database() {
        let host_of = |name: &str, url: Option<&str>| {
            let document = json!({
                "id": "a1", "trace_id": "1-5880168b-fd5153bb58284b67678aa78c", "name": name, "start_time": 1,
                "http": {"request": {"url": url}}
            });
            host(&Document::from_value(document).unwrap()).to_owned()
        };
        for (url, name) in [
            ("http://shop.example.com:8080/cart?a=b@c", "shop.example.com"),
            ("/cart", "shop"),
            ("http:///cart", "shop"),
        ] {
            assert_eq!(host_of("shop", Some(url)), name, "{url}");
        }
        assert_eq!([host_of("shop@db.internal", None), host_of("orders", None)], ["db.internal", "orders"]);
    }

    #[test]
    fn a_service_with_a_segment_of_its_own_is_no_stand_in() {
        let own = json!({"id": "a1", "name": "Not received", "start_time": 1, "end_time": 2});
        let orphan = json!({"id": "a2", "type": "subsegment", "parent_id": "a3", "name": "work", "start_time": 1, "end_time": 2});
        let stand_in = |documents: &[&serde_json::Value]| {
            let trace = Trace::of_values(documents.iter().copied().cloned()).with_stand_ins(|_| false);
            let mut builder = Builder::default();
            builder.add(&trace, TimeRange::ALL);
            let graph = builder.build();
            graph.services.iter().find(|service| service.kind.as_deref() != Some(CLIENT)).unwrap().stand_in
        };
        assert!(stand_in(&[&orphan]));
        assert!(!stand_in(&[&own]));
        assert!(!stand_in(&[&own, &orphan]));
    }
}
