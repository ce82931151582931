//! Service graphs.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::Traces;
use super::error::{ApiError, answer};
use super::groups::Named;
use super::input::Input;
use super::summaries::time_range;
use super::traces::TraceIds;
use crate::graph::{Service, service_graph as graph_of};
use crate::time::TimeRange;

/// The most trace ids in one `GetTraceGraph` request.
const MAX_TRACES: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query {
    start_time: f64,
    end_time: f64,
    #[serde(flatten)]
    group: Named,
}

/// The traces of a `GetTraceGraph` request.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TraceQuery {
    trace_ids: TraceIds,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Graph {
    start_time: f64,
    end_time: f64,
    services: Vec<Service>,
    contains_old_group_versions: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TraceGraph {
    services: Vec<Service>,
}

/// `GetServiceGraph`.
pub(super) async fn service_graph(
    State(Traces { store, jobs, account }): State<Traces>,
    Input(query): Input<Query>,
) -> Result<Response, ApiError> {
    let range = time_range(query.start_time, query.end_time)?;
    let filter = query.group.filter(&account)?;
    let job = jobs.run(move || {
        let traces = store.traces().into_iter().filter(|stored| stored.start() < range.end);
        let graph = graph_of(traces.map(|stored| stored.open()).filter(|trace| filter.matches(trace)), range);
        answer(Ok(Graph {
            start_time: range.start,
            end_time: range.end,
            services: graph.services,
            contains_old_group_versions: false,
        }))
    });
    Ok(job.await?)
}

/// `GetTraceGraph`. Ids of unknown traces are ignored.
pub(super) async fn trace_graph(
    State(Traces { store, jobs, .. }): State<Traces>,
    Input(query): Input<TraceQuery>,
) -> Result<Response, ApiError> {
    let ids = query.trace_ids.checked(MAX_TRACES)?;
    let job = jobs.run(move || {
        let traces = ids.iter().filter_map(|id| store.stored(id)).map(|stored| stored.open());
        answer(Ok(TraceGraph { services: graph_of(traces, TimeRange::ALL).services }))
    });
    Ok(job.await?)
}
