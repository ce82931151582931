//! The X-Ray HTTP API: all operations of `xray-2016-04-12`.
//!
//! Every operation is a `POST` with a JSON body. Times are seconds since 1970. An error response has the error's type
//! in the header `x-amzn-ErrorType` and a `Message` in its body.

mod error;
mod graphs;
mod groups;
mod input;
mod insights;
mod json;
mod pages;
mod policies;
mod retrieval;
mod sampling;
mod segments;
mod settings;
mod summaries;
mod tags;
mod time_series;
mod traces;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;

pub(crate) use self::error::{ApiError, Refusal};
use self::tags::Resources;
pub(crate) use self::traces::batch_of;
use crate::account::Account;
use crate::intake::Intake;
use crate::jobs::Jobs;
use crate::rules::SamplingRules;
use crate::store::Store;

/// The path of `PutTraceSegments`.
pub(crate) const PUT_TRACE_SEGMENTS: &str = "/TraceSegments";

/// The largest body of a request that sends no documents, in bytes.
const MAX_QUERY_BYTES: usize = 256 * 1024;

/// The state of the operations that read traces.
#[derive(Debug, Clone)]
struct Traces {
    store: Store,
    jobs: Jobs,
    account: Account,
}

/// The state of the operations that receive documents.
#[derive(Debug, Clone)]
struct Documents {
    intake: Intake,
    jobs: Jobs,
}

/// Returns the routes of all operations. `jobs` runs the operations that read traces.
pub(crate) fn routes(store: &Store, rules: &SamplingRules, account: &Account, intake: &Intake, jobs: &Jobs) -> Router {
    let documents = Router::new()
        .route(PUT_TRACE_SEGMENTS, post(segments::put))
        .route("/TelemetryRecords", post(segments::put_telemetry))
        // Separate from the jobs of queries, so that documents do not wait behind queries.
        .with_state(Documents { intake: intake.clone(), jobs: Jobs::new() })
        // The server limits the bodies. The limit of axum would be 2 MiB, less than 50 documents need.
        .layer(DefaultBodyLimit::disable());
    let traces = Router::new()
        .route("/Traces", post(traces::batch_get))
        .route("/TraceSummaries", post(summaries::get))
        .route("/ServiceGraph", post(graphs::service_graph))
        .route("/TraceGraph", post(graphs::trace_graph))
        .route("/TimeSeriesServiceStatistics", post(time_series::get))
        .route("/StartTraceRetrieval", post(retrieval::start))
        .route("/ListRetrievedTraces", post(retrieval::list))
        .route("/GetRetrievedTracesGraph", post(retrieval::graph))
        .route("/CancelTraceRetrieval", post(retrieval::cancel))
        .with_state(Traces { store: store.clone(), jobs: jobs.clone(), account: account.clone() });
    let sampling = Router::new()
        .route("/GetSamplingRules", post(sampling::rules))
        .route("/SamplingTargets", post(sampling::targets))
        .route("/SamplingStatisticSummaries", post(sampling::statistics))
        .with_state(rules.clone());
    let resources = Router::new()
        .route("/CreateSamplingRule", post(sampling::create))
        .route("/UpdateSamplingRule", post(sampling::update))
        .route("/DeleteSamplingRule", post(sampling::delete))
        .route("/TagResource", post(tags::add))
        .route("/UntagResource", post(tags::remove))
        .route("/ListTagsForResource", post(tags::list))
        .with_state(Resources { account: account.clone(), rules: rules.clone() });
    let others = documents.merge(account_routes(account));
    others.merge(traces.merge(sampling).merge(resources).layer(DefaultBodyLimit::max(MAX_QUERY_BYTES)))
}

/// Returns the routes of the operations that need only the account.
fn account_routes(account: &Account) -> Router {
    Router::new()
        .route("/Groups", post(groups::list))
        .route("/GetGroup", post(groups::get))
        .route("/CreateGroup", post(groups::create))
        .route("/UpdateGroup", post(groups::update))
        .route("/DeleteGroup", post(groups::delete))
        .route("/InsightSummaries", post(insights::summaries))
        .route("/Insight", post(insights::one))
        .route("/InsightEvents", post(insights::one))
        .route("/InsightImpactGraph", post(insights::one))
        .route("/EncryptionConfig", post(settings::encryption))
        .route("/PutEncryptionConfig", post(settings::put_encryption))
        .route("/GetTraceSegmentDestination", post(settings::destination))
        .route("/UpdateTraceSegmentDestination", post(settings::update_destination))
        .route("/GetIndexingRules", post(settings::indexing))
        .route("/UpdateIndexingRule", post(settings::update_indexing))
        .route("/ListResourcePolicies", post(policies::list))
        .route("/PutResourcePolicy", post(policies::put))
        .route("/DeleteResourcePolicy", post(policies::delete))
        .with_state(account.clone())
        .layer(DefaultBodyLimit::max(MAX_QUERY_BYTES))
}
