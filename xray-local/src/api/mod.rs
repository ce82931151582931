//! The X-Ray HTTP API: the operations of `xray-2016-04-12` that a daemon, an SDK or someone who looks at traces asks for.
//!
//! Every one is a `POST` with a JSON body; times are seconds since 1970. Errors are status 400, the type in
//! `x-amzn-ErrorType`, and a `Message`.

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

/// Runs what may take a while where it holds up no other request.
async fn work<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(run).await.map_err(JoinError::try_into_panic) {
        Ok(output) => output,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The server ends, and nobody waits for this answer any more.
        Err(Err(_)) => std::future::pending().await,
    }
}
