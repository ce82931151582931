//! Parts of a service graph: some of its nodes, or its nodes merged into groups.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Edge, Service, ServiceGraph};

impl ServiceGraph {
    /// Returns the part of the graph with some of the nodes and edges. `node` and `edge` return whether one is kept. An
    /// edge is given by the reference id of its caller and itself, and is kept only with its ends.
    pub(crate) fn part(&self, node: impl Fn(&Service) -> bool, edge: impl Fn(usize, &Edge) -> bool) -> Self {
        let mut ids = vec![None; self.services.len()];
        let kept: Vec<&Service> = self.services.iter().filter(|service| node(service)).collect();
        for (id, service) in kept.iter().enumerate() {
            ids[service.reference_id] = Some(id);
        }
        let services = kept.into_iter().enumerate().map(|(id, service)| {
            let edges = service.edges.iter().filter(|call| edge(service.reference_id, call));
            let edges = edges.filter_map(|call| Some(Edge { reference_id: ids[call.reference_id]?, ..call.clone() }));
            Service { reference_id: id, edges: edges.collect(), ..without_edges(service) }
        });
        Self { services: services.collect(), left_out: self.left_out }
    }

    /// Returns the graph with one node for each group. `group` returns the name and the type of a node's group. Calls
    /// between nodes of one group are left out. A group's `names` are those of its nodes.
    pub(crate) fn grouped(&self, group: impl Fn(&Service) -> (String, Option<String>)) -> Self {
        let groups: Vec<_> = self.services.iter().map(group).collect();
        let mut merged = BTreeMap::<&(String, Option<String>), Service>::new();
        for (service, key) in self.services.iter().zip(&groups) {
            match merged.entry(key) {
                Entry::Occupied(mut place) => place.get_mut().absorb(service),
                Entry::Vacant(place) => {
                    let (name, kind) = key.clone();
                    let names = vec![service.name.clone()];
                    place.insert(Service { name, kind, names, account_id: None, ..without_edges(service) });
                }
            }
        }
        let ids: BTreeMap<_, usize> = merged.keys().enumerate().map(|(id, key)| (*key, id)).collect();
        let mut calls = BTreeMap::<(usize, usize), Edge>::new();
        for (service, key) in self.services.iter().zip(&groups) {
            for edge in &service.edges {
                let (from, to) = (ids[key], ids[&groups[edge.reference_id]]);
                if from == to {
                    continue;
                }
                match calls.entry((from, to)) {
                    Entry::Occupied(mut place) => place.get_mut().absorb(edge),
                    Entry::Vacant(place) => {
                        place.insert(Edge { reference_id: to, ..edge.clone() });
                    }
                }
            }
        }
        let mut services: Vec<Service> = merged.into_values().collect();
        for (id, service) in services.iter_mut().enumerate() {
            service.reference_id = id;
            // Nodes of one name may differ in their type.
            service.names.sort();
            service.names.dedup();
        }
        for ((from, _), edge) in calls {
            services[from].edges.push(edge);
        }
        Self { services, left_out: self.left_out }
    }
}

/// Copies a node. Its edges may hold far more than the node itself, and the copy gets others.
fn without_edges(service: &Service) -> Service {
    Service {
        edges: Vec::new(),
        name: service.name.clone(),
        names: service.names.clone(),
        account_id: service.account_id.clone(),
        kind: service.kind.clone(),
        summary_statistics: service.summary_statistics.clone(),
        duration_histogram: Vec::new(),
        response_time_histogram: Vec::new(),
        response_times: service.response_times.clone(),
        host: service.host.clone(),
        ..*service
    }
}

impl Service {
    /// Adds the requests of another node to this one.
    fn absorb(&mut self, other: &Self) {
        self.names.push(other.name.clone());
        self.root |= other.root;
        self.stand_in &= other.stand_in;
        match (&mut self.summary_statistics, &other.summary_statistics) {
            (Some(statistics), Some(others)) => statistics.merge(others),
            (statistics @ None, others) => statistics.clone_from(others),
            (Some(_), None) => {}
        }
        self.response_times.merge(&other.response_times);
    }
}

impl Edge {
    /// Adds the calls of another edge to this one.
    fn absorb(&mut self, other: &Self) {
        self.summary_statistics.merge(&other.summary_statistics);
        self.response_times.merge(&other.response_times);
    }
}
