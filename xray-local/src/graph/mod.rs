//! The service graph: who calls whom, how often, how long, how well.

mod builder;
mod statistics;

use std::borrow::Borrow;

use serde::Serialize;

pub use statistics::{ErrorStatistics, FaultStatistics, HistogramEntry, Statistics};

use builder::Builder;

use crate::time::TimeRange;
use crate::trace::Trace;

/// Services and the calls between them; serialised as in X-Ray's API.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceGraph {
    /// The nodes; each one's place is its reference id.
    pub services: Vec<Service>,
}

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Service {
    /// Its place in the graph, from 0.
    pub reference_id: usize,
    /// Its name.
    pub name: String,
    /// All names that it has been called by.
    pub names: Vec<String>,
    /// Whether traces begin here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub root: bool,
    /// Its AWS account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// An origin such as `AWS::ECS::Container`, `remote`, or `client` for whoever calls the first service.
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `active` if it sent segments, else `unknown`.
    pub state: &'static str,
    /// Its first moment, in whole seconds since 1970.
    pub start_time: f64,
    /// Its last moment, in whole seconds since 1970.
    pub end_time: f64,
    /// Whom it calls.
    pub edges: Vec<Edge>,
    /// Of its segments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_statistics: Option<Statistics>,
    /// How long its work took, late subsegments included.
    pub duration_histogram: Vec<HistogramEntry>,
    /// How long its segments took.
    pub response_time_histogram: Vec<HistogramEntry>,
}

/// Calls of one service by another.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Edge {
    /// Of the service that is called.
    pub reference_id: usize,
    /// The first call, in whole seconds since 1970.
    pub start_time: f64,
    /// The last call's end, in whole seconds since 1970.
    pub end_time: f64,
    /// Of the calls, as the caller sees them.
    pub summary_statistics: Statistics,
    /// How long the calls took, as the caller sees it.
    pub response_time_histogram: Vec<HistogramEntry>,
    /// Other names by which the caller knows the service.
    pub aliases: Vec<Alias>,
}

/// Another name of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Alias {
    /// The name.
    pub name: String,
    /// All of them.
    pub names: Vec<String>,
    /// The service's type.
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// The graph of the segments that began in a time. Traces are looked at one after the other, so they may be put together
/// only as they are asked for.
///
/// ```
/// use xray_local::graph::service_graph;
/// use xray_local::store::{Limits, Store};
/// use xray_local::time::TimeRange;
///
/// let store = Store::new(Limits::default());
/// let graph = service_graph(store.traces().iter().map(|stored| stored.trace()), TimeRange::ALL);
/// assert!(graph.services.is_empty());
/// ```
pub fn service_graph<T: Borrow<Trace>>(traces: impl IntoIterator<Item = T>, range: TimeRange) -> ServiceGraph {
    let mut builder = Builder::default();
    for trace in traces {
        builder.add(trace.borrow(), range);
    }
    builder.build()
}
