//! Returns traces by id.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::input::Input;
use super::json::Json;
use super::run_blocking;
use crate::document::TraceId;
use crate::store::Store;
use crate::trace::Trace;

/// The most trace ids in one `BatchGetTraces` request.
const MAX_TRACES: usize = 5;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TraceIds {
    trace_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Traces {
    traces: Vec<ApiTrace>,
    unprocessed_trace_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ApiTrace {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    limit_exceeded: bool,
    segments: Vec<ApiSegment>,
}

/// A segment, its document as a string of JSON.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ApiSegment {
    id: String,
    document: String,
}

impl TraceIds {
    /// Returns the ids without duplicates.
    ///
    /// # Errors
    ///
    /// If an id is malformed, or there are no ids or more than `limit`.
    pub(super) fn checked(self, limit: usize) -> Result<Vec<String>, ApiError> {
        let mut ids = Vec::new();
        for id in self.trace_ids {
            if TraceId::parse(&id).is_none() {
                return Err(ApiError::invalid(format!("TraceIds: {id:?} is not a trace id")));
            }
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.is_empty() || ids.len() > limit {
            return Err(ApiError::invalid(format!(
                "TraceIds: must have 1 to {limit} distinct elements, and has {}",
                ids.len()
            )));
        }
        Ok(ids)
    }
}

/// `BatchGetTraces`.
pub(super) async fn batch_get(
    State(store): State<Store>,
    Input(input): Input<TraceIds>,
) -> Result<Json<Traces>, ApiError> {
    let ids = input.checked(MAX_TRACES)?;
    run_blocking(move || {
        let mut response = Traces { traces: Vec::new(), unprocessed_trace_ids: Vec::new() };
        for id in ids {
            match store.trace(&id) {
                Some(trace) => response.traces.push(ApiTrace::of(&trace)),
                None => response.unprocessed_trace_ids.push(id),
            }
        }
        Ok(Json(response))
    })
    .await
}

impl ApiTrace {
    fn of(trace: &Trace) -> Self {
        let segments = trace.segments.iter().map(|segment| ApiSegment {
            id: segment.id.clone(),
            document: serde_json::to_string(segment).expect("a document read from JSON serializes"),
        });
        Self {
            id: trace.id.clone(),
            duration: trace.duration(),
            limit_exceeded: trace.limit_exceeded,
            segments: segments.collect(),
        }
    }
}
