//! The X-Ray HTTP API: the operations of `xray-2016-04-12` that daemons, SDKs and readers of traces use.
//!
//! Every operation is a `POST` with a JSON body. Times are seconds since 1970. An error response has the error's type
//! in the header `x-amzn-ErrorType` and a `Message` in its body.

mod error;
mod graphs;
mod input;
mod json;
mod sampling;
mod segments;
mod summaries;
mod traces;

use axum::Router;
use axum::routing::post;
use tokio::task::JoinError;

pub(crate) use self::error::ApiError;
use crate::intake::Intake;
use crate::rules::SamplingRules;
use crate::store::Store;

/// Returns the routes of all operations.
pub(crate) fn routes(store: &Store, rules: &SamplingRules, intake: &Intake) -> Router {
    let documents = Router::new()
        .route("/TraceSegments", post(segments::put))
        .route("/TelemetryRecords", post(segments::put_telemetry))
        .with_state(intake.clone());
    let traces = Router::new()
        .route("/Traces", post(traces::batch_get))
        .route("/TraceSummaries", post(summaries::get))
        .route("/ServiceGraph", post(graphs::service_graph))
        .route("/TraceGraph", post(graphs::trace_graph))
        .with_state(store.clone());
    let sampling = Router::new()
        .route("/GetSamplingRules", post(sampling::rules))
        .route("/SamplingTargets", post(sampling::targets))
        .route("/CreateSamplingRule", post(sampling::create))
        .route("/UpdateSamplingRule", post(sampling::update))
        .route("/DeleteSamplingRule", post(sampling::delete))
        .with_state(rules.clone());
    documents.merge(traces).merge(sampling)
}

/// Runs a slow function on a thread for blocking work, so that it delays no other request.
async fn run_blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(run).await.map_err(JoinError::try_into_panic) {
        Ok(output) => output,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime is shutting down and has cancelled the task. It drops this request next.
        Err(Err(_)) => std::future::pending().await,
    }
}
