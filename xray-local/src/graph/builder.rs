//! Segments in, nodes and edges out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::statistics::{Histogram, Statistics};
use super::{Alias, Edge, Service, ServiceGraph};
use crate::document::{Document, Kind};
use crate::service::ServiceId;
use crate::time::TimeRange;
use crate::trace::{Caller, Trace};

/// The type of the node that stands for whoever calls a service at which traces begin.
const CLIENT: &str = "client";

/// The nodes and edges of the traces so far.
#[derive(Default)]
pub(super) struct Builder {
    nodes: BTreeMap<ServiceId, Node>,
    edges: BTreeMap<(ServiceId, ServiceId), Link>,
}

#[derive(Default)]
struct Node {
    is_root: bool,
    is_active: bool,
    span: Span,
    statistics: Statistics,
    durations: Histogram,
    response_times: Histogram,
}

#[derive(Default)]
struct Link {
    span: Span,
    statistics: Statistics,
    response_times: Histogram,
    aliases: BTreeSet<String>,
}

/// From the first moment to the last.
struct Span {
    start: f64,
    end: f64,
}

impl Builder {
    pub(super) fn add(&mut self, trace: &Trace, range: TimeRange) {
        let calls = trace.calls();
        let mut counted = HashSet::new();
        let segments = trace.segments.iter().filter(|segment| segment.kind == Kind::Segment);
        for segment in segments.filter(|segment| range.contains(segment.start_time)) {
            let service = ServiceId::of(segment);
            let node = self.nodes.entry(service.clone()).or_default();
            node.add(segment);
            match calls.caller(segment) {
                Caller::Nobody => {
                    node.is_root = true;
                    let client = ServiceId { kind: Some(CLIENT.to_owned()), account_id: None, ..service.clone() };
                    self.nodes.entry(client.clone()).or_default().span.cover(segment);
                    self.link(client, service).add(segment);
                }
                Caller::Unknown => {}
                // One call may have several segments, as where the callee's own side tries again.
                Caller::Segment { call, .. } if !counted.insert((call.id.as_str(), service.clone())) => {}
                Caller::Segment { segment: caller, call } => {
                    let alias = (call.kind == Kind::Subsegment && call.name != service.name).then(|| call.name.clone());
                    let link = self.link(ServiceId::of(caller), service);
                    link.aliases.extend(alias);
                    link.add(call);
                }
            }
        }
    }

    pub(super) fn build(self) -> ServiceGraph {
        let mut nodes = self.nodes;
        for (caller, _) in self.edges.keys() {
            // Its own segment is not in the range.
            nodes.entry(caller.clone()).or_default();
        }
        let places: HashMap<ServiceId, usize> =
            nodes.keys().enumerate().map(|(place, service)| (service.clone(), place)).collect();
        let mut services: Vec<Service> =
            nodes.into_iter().enumerate().map(|(place, (service, node))| node.build(place, service)).collect();
        for ((caller, callee), link) in self.edges {
            let edge = link.build(places[&callee], &callee);
            services[places[&caller]].edges.push(edge);
        }
        ServiceGraph { services }
    }

    fn link(&mut self, from: ServiceId, to: ServiceId) -> &mut Link {
        self.edges.entry((from, to)).or_default()
    }
}

impl Node {
    fn add(&mut self, segment: &Document) {
        self.is_active |= !segment.inferred;
        self.span.cover(segment);
        let Some(seconds) = segment.duration() else { return };
        self.statistics.add(segment.state(), seconds);
        self.response_times.add(seconds);
        let ends = segment.walk().filter_map(|entity| entity.end_time);
        let last = ends.max_by(f64::total_cmp).unwrap_or(segment.start_time);
        self.durations.add((last - segment.start_time).max(0.0));
    }

    fn build(self, reference_id: usize, service: ServiceId) -> Service {
        let is_client = service.kind.as_deref() == Some(CLIENT);
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
            summary_statistics: (!is_client).then_some(self.statistics),
            duration_histogram: self.durations.entries(),
            response_time_histogram: self.response_times.entries(),
        }
    }
}

impl Link {
    fn add(&mut self, call: &Document) {
        self.span.cover(call);
        let Some(seconds) = call.duration() else { return };
        self.statistics.add(call.state(), seconds);
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
            response_time_histogram: self.response_times.entries(),
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

    fn whole_seconds(&self) -> (f64, f64) {
        if self.start > self.end { (0.0, 0.0) } else { (self.start.floor(), self.end.ceil()) }
    }
}
