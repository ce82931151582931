//! Service graphs.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::input::Input;
use super::json::Json;
use super::run_blocking;
use super::summaries::Times;
use super::traces::TraceIds;
use crate::graph::{Service, service_graph as graph_of};
use crate::store::Store;
use crate::time::TimeRange;

/// The most trace ids in one `GetTraceGraph` request.
const MAX_TRACES: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query {
    #[serde(flatten)]
    times: Times,
    group_name: Option<String>,
    #[serde(rename = "GroupARN")]
    group_arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Graph {
    start_time: f64,
    end_time: f64,
    services: Vec<Service>,
    contains_old_group_versions: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TraceGraph {
    services: Vec<Service>,
}

/// `GetServiceGraph`.
pub(super) async fn service_graph(
    State(store): State<Store>,
    Input(query): Input<Query>,
) -> Result<Json<Graph>, ApiError> {
    let range = query.times.checked()?;
    let group = query.group_name.or(query.group_arn);
    if let Some(group) = group.filter(|group| group != "Default") {
        return Err(ApiError::invalid(format!("there is no group {group:?}: groups are not kept here")));
    }
    run_blocking(move || {
        let traces = store.traces().into_iter().filter(|stored| stored.start() < range.end);
        let graph = graph_of(traces.map(|stored| stored.trace()), range);
        Ok(Json(Graph {
            start_time: range.start,
            end_time: range.end,
            services: graph.services,
            contains_old_group_versions: false,
        }))
    })
    .await
}

/// `GetTraceGraph`. Ids of unknown traces are ignored.
pub(super) async fn trace_graph(
    State(store): State<Store>,
    Input(input): Input<TraceIds>,
) -> Result<Json<TraceGraph>, ApiError> {
    let ids = input.checked(MAX_TRACES)?;
    run_blocking(move || {
        let graph = graph_of(ids.iter().filter_map(|id| store.trace(id)), TimeRange::ALL);
        Ok(Json(TraceGraph { services: graph.services }))
    })
    .await
}
