//! Operations that receive documents.

use axum::extract::State;
use axum::response::Response;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Documents;
use super::error::{ApiError, answer};
use super::input::Input;
use super::json::Json;
use crate::bounded::Bounded;
use crate::store::{Outcome, Source};

/// The most documents in one `PutTraceSegments` request.
const MAX_DOCUMENTS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Segments {
    trace_segment_documents: Bounded<String, MAX_DOCUMENTS>,
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

/// `PutTraceSegments`. Rejected documents do not fail the request: the response lists each with a reason.
pub(super) async fn put(
    State(Documents { intake, jobs }): State<Documents>,
    Input(input): Input<Segments>,
) -> Result<Response, ApiError> {
    let documents = input.trace_segment_documents.checked("TraceSegmentDocuments")?;
    let job = jobs.run(move || {
        let outcomes = documents.iter().map(|text| intake.take(text, Source::Http));
        let unprocessed = outcomes.filter_map(UnprocessedSegment::of).collect();
        intake.flush();
        answer(Ok(Unprocessed { unprocessed_trace_segments: unprocessed }))
    });
    Ok(job.await?)
}

/// `PutTelemetryRecords`. The records are statistics of a daemon, and xray-local ignores them.
pub(super) async fn put_telemetry(Input(_): Input<IgnoredAny>) -> Json<Value> {
    Json(json!({}))
}

impl UnprocessedSegment {
    fn of(outcome: Outcome) -> Option<Self> {
        let rejection = outcome.rejection()?;
        let error_code = rejection.code.map_or_else(String::new, |code| code.to_string());
        Some(Self { message: rejection.to_string(), error_code, id: outcome.id })
    }
}
