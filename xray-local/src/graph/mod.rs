//! The service graph: services, the calls between them, and statistics of both.

mod builder;
mod parts;
mod ranges;
mod statistics;
mod times;

use std::borrow::Borrow;

use serde::Serialize;

pub(crate) use ranges::Range;
pub(crate) use statistics::Histogram;
pub use statistics::{ErrorStatistics, FaultStatistics, HistogramEntry, Statistics};
pub use times::Times;

use builder::Builder;

use crate::time::TimeRange;
use crate::trace::Trace;

/// The service graph. It serializes in the form of X-Ray's API.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceGraph {
    /// The nodes. A node's index is its reference id.
    pub services: Vec<Service>,
    /// The number of segments and calls that were left out: a graph has at most 5,000 services and 20,000 edges. Not
    /// part of X-Ray's API.
    #[serde(skip)]
    pub left_out: u64,
}

/// A node of the graph: a service, or the client of the services at which traces start.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Service {
    /// The node's index in [`ServiceGraph::services`].
    pub reference_id: usize,
    /// The service's name.
    pub name: String,
    /// All names of the service.
    pub names: Vec<String>,
    /// `true` if traces start at this service.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub root: bool,
    /// The AWS account that runs the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The type: an origin such as `AWS::ECS::Container`, `remote` for an inferred service without an origin, or
    /// `client`.
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `active` if the service sent segments, or else `unknown`.
    pub state: &'static str,
    /// The start of the service's first segment, rounded down to seconds since 1970.
    pub start_time: f64,
    /// The end of the service's last segment, rounded up to seconds since 1970.
    pub end_time: f64,
    /// The services that this service calls.
    pub edges: Vec<Edge>,
    /// Statistics of the service's segments; `None` for a client, and for a service whose segments were not received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_statistics: Option<Statistics>,
    /// The durations of the service's work, including subsegments that end after their segment.
    pub duration_histogram: Vec<HistogramEntry>,
    /// The durations of the service's segments.
    pub response_time_histogram: Vec<HistogramEntry>,
    /// The same durations for percentiles, with more digits than the histogram. They are not part of X-Ray's API.
    #[serde(skip)]
    pub response_times: Times,
    /// The host on which the service runs, as its first request named it. Not part of X-Ray's API.
    #[serde(skip)]
    pub host: String,
    /// `true` if the service stands in for one whose segments were not received. The console draws it.
    #[serde(skip)]
    pub stand_in: bool,
}

/// The calls from one service to another.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Edge {
    /// The reference id of the called service.
    pub reference_id: usize,
    /// The start of the first call, rounded down to seconds since 1970.
    pub start_time: f64,
    /// The end of the last call, rounded up to seconds since 1970.
    pub end_time: f64,
    /// Statistics of the calls, as the caller recorded them.
    pub summary_statistics: Statistics,
    /// The durations of the calls, as the caller recorded them.
    pub response_time_histogram: Vec<HistogramEntry>,
    /// The same durations for percentiles, with more digits than the histogram. They are not part of X-Ray's API.
    #[serde(skip)]
    pub response_times: Times,
    /// The names that the caller uses for the service, if they differ from the service's own.
    pub aliases: Vec<Alias>,
}

/// A name that a caller uses for a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Alias {
    /// The name.
    pub name: String,
    /// All names of the alias; here always `name` alone.
    pub names: Vec<String>,
    /// The service's type.
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// Returns the service graph of the segments that start in a time range. It has at most 5,000 services and 20,000
/// edges, those that appear first.
///
/// The function reads one trace at a time. An iterator that assembles traces lazily keeps only one of them in memory.
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
