//! Documents by HTTP.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::input::Input;
use super::json::Json;
use super::work;
use crate::intake::Intake;
use crate::store::{Outcome, Source};

/// So many documents go into one request.
const DOCUMENTS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Segments {
    trace_segment_documents: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Unprocessed {
    unprocessed_trace_segments: Vec<UnprocessedSegment>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UnprocessedSegment {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    error_code: String,
    message: String,
}

/// `PutTraceSegments`: answers 200 whatever the documents are, with a reason for each that is refused.
pub(super) async fn put(
    State(intake): State<Intake>,
    Input(input): Input<Segments>,
) -> Result<Json<Unprocessed>, ApiError> {
    let documents = input.trace_segment_documents;
    if documents.len() > DOCUMENTS {
        let message = format!("TraceSegmentDocuments: at most {DOCUMENTS}, here are {}", documents.len());
        return Err(ApiError::invalid(message));
    }
    work(move || {
        let outcomes = documents.iter().map(|text| intake.take(text, Source::Http));
        let unprocessed = outcomes.filter_map(UnprocessedSegment::of).collect();
        intake.flush();
        Ok(Json(Unprocessed { unprocessed_trace_segments: unprocessed }))
    })
    .await
}

/// `PutTelemetryRecords`: how a daemon fares, which nobody asks for here.
pub(super) async fn put_telemetry(Input(_): Input<Value>) -> Json<Value> {
    Json(json!({}))
}

impl UnprocessedSegment {
    fn of(outcome: Outcome) -> Option<Self> {
        let rejection = outcome.rejection()?;
        let error_code = rejection.code.map_or_else(String::new, |code| code.to_string());
        Some(Self { message: rejection.to_string(), error_code, id: outcome.id })
    }
}
