//! Operations that retrieve traces. X-Ray reads the traces from the log group of Transaction Search, and `xray-local`
//! reads them from its store.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Traces;
use super::error::{ApiError, answer};
use super::groups::with_token;
use super::input::Input;
use super::json::Json;
use super::pages::page;
use super::summaries::time_range;
use super::traces::{ApiSegment, TraceIds};
use crate::account::Retrieval;
use crate::document::Document;
use crate::graph::{Service, service_graph};
use crate::optional::or_default;
use crate::service::ServiceId;
use crate::store::{OpenTrace, Store};
use crate::time::TimeRange;
use crate::trace::Trace;

/// The most trace ids in a retrieval.
const MAX_TRACES: usize = 100;

/// The most traces, and the most spans of a trace, on a page. (The API's model.)
const PAGE_TRACES: usize = 5;
const PAGE_SPANS: usize = 100;

/// The most services on a page. (The API's model.)
const PAGE_SERVICES: usize = 1_000;

/// The most links of a service. (The API's model.)
const MAX_LINKS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    trace_ids: TraceIds,
    start_time: f64,
    end_time: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    retrieval_token: String,
    #[serde(default, deserialize_with = "or_default")]
    trace_format: TraceFormat,
    next_token: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum TraceFormat {
    #[default]
    Xray,
    Otel,
}

/// A reference to a retrieval by its token.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    retrieval_token: String,
    next_token: Option<String>,
}

/// The position of a page: the index of a trace id in the retrieval, and the index of a part of that trace.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    trace: usize,
    part: usize,
}

/// A trace, or a part of a trace that has more than [`PAGE_SPANS`] spans.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RetrievedTrace {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    spans: Vec<ApiSegment>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RetrievedService {
    service: Service,
    links: Vec<Link>,
}

/// A link from one trace to other traces.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Link {
    reference_type: &'static str,
    source_trace_id: String,
    destination_trace_ids: Vec<String>,
}

/// `StartTraceRetrieval`.
pub(super) async fn start(
    State(Traces { account, .. }): State<Traces>,
    Input(input): Input<Request>,
) -> Result<Json<Value>, ApiError> {
    let ids = input.trace_ids.parsed(MAX_TRACES)?;
    let range = time_range(input.start_time, input.end_time)?;
    let token = account.lock().retrievals.start(Retrieval { ids, range, is_cancelled: false });
    Ok(Json(json!({ "RetrievalToken": token })))
}

/// `ListRetrievedTraces`.
pub(super) async fn list(
    State(Traces { store, jobs, account }): State<Traces>,
    Input(input): Input<List>,
) -> Result<Response, ApiError> {
    let retrieval = account.lock().retrievals.find(&input.retrieval_token)?.clone();
    let job = jobs.run(move || answer(traces(&store, &retrieval, &input)));
    Ok(job.await?)
}

/// `GetRetrievedTracesGraph`.
pub(super) async fn graph(
    State(Traces { store, jobs, account }): State<Traces>,
    Input(input): Input<Named>,
) -> Result<Response, ApiError> {
    let retrieval = account.lock().retrievals.find(&input.retrieval_token)?.clone();
    Ok(jobs.run(move || answer(services(&store, &retrieval, input.next_token.as_deref()))).await?)
}

/// `CancelTraceRetrieval`.
pub(super) async fn cancel(
    State(Traces { account, .. }): State<Traces>,
    Input(input): Input<Named>,
) -> Result<Json<Value>, ApiError> {
    account.lock().retrievals.cancel(&input.retrieval_token)?;
    Ok(Json(json!({})))
}

fn status(retrieval: &Retrieval) -> &'static str {
    if retrieval.is_cancelled { "CANCELLED" } else { "COMPLETE" }
}

/// Opens the traces of a retrieval that are in the store, one at a time, from the requested id with index `first` on.
/// Returns each trace with the index of its id.
fn opened<'a>(
    store: &'a Store,
    retrieval: &'a Retrieval,
    first: usize,
) -> impl Iterator<Item = (usize, OpenTrace)> + 'a {
    let ids = if retrieval.is_cancelled { &[][..] } else { &retrieval.ids };
    // Many clients send the times of a retrieval in whole seconds.
    let (from, to) = (retrieval.range.start.floor(), retrieval.range.end.ceil());
    ids.iter().enumerate().skip(first).filter_map(move |(place, id)| {
        let stored = store.stored(&id.to_string())?;
        (from..=to).contains(&stored.start()).then(|| (place, stored.open()))
    })
}

/// Returns the page of traces at the position that the request's token stands for.
fn traces(store: &Store, retrieval: &Retrieval, input: &List) -> Result<Value, ApiError> {
    let token = input.next_token.as_deref();
    let first = token.map_or(Ok(Position::default()), |token| Position::of_token(token, retrieval.ids.len()))?;
    let (mut traces, mut next_token) = (Vec::new(), None);
    'page: for (index, trace) in opened(store, retrieval, first.trace) {
        for part in if index == first.trace { first.part } else { 0 }..parts(&trace, input.trace_format) {
            if traces.len() == PAGE_TRACES {
                next_token = Some(Position { trace: index, part }.token());
                break 'page;
            }
            traces.push(RetrievedTrace::of(&trace, input.trace_format, part));
        }
    }
    let answer = json!({
        "RetrievalStatus": status(retrieval), "TraceFormat": input.trace_format, "Traces": traces,
    });
    Ok(with_token(answer, next_token))
}

/// Returns the number of parts with at most [`PAGE_SPANS`] spans into which a trace is split.
fn parts(trace: &Trace, format: TraceFormat) -> usize {
    let spans = match format {
        TraceFormat::Xray => trace.segments.len(),
        TraceFormat::Otel => trace.entities().count(),
    };
    spans.div_ceil(PAGE_SPANS)
}

impl Position {
    fn token(self) -> String {
        format!("{}:{}", self.trace, self.part)
    }

    /// Reads the token of a retrieval with `traces` trace ids.
    fn of_token(token: &str, traces: usize) -> Result<Self, ApiError> {
        let position = token
            .split_once(':')
            .and_then(|(trace, part)| Some(Self { trace: trace.parse().ok()?, part: part.parse().ok()? }));
        position.filter(|position| position.trace < traces).ok_or_else(|| ApiError::unknown_token(token))
    }
}

impl RetrievedTrace {
    /// Writes the spans of one part of a trace.
    fn of(trace: &Trace, format: TraceFormat, part: usize) -> Self {
        let first = part * PAGE_SPANS;
        let spans = match format {
            TraceFormat::Xray => trace.segments.iter().skip(first).take(PAGE_SPANS).map(ApiSegment::of).collect(),
            TraceFormat::Otel => {
                let entities =
                    trace.segments.iter().flat_map(|segment| segment.walk().map(move |entity| (entity, segment)));
                entities
                    .skip(first)
                    .take(PAGE_SPANS)
                    .map(|(entity, segment)| ApiSegment::of_span(entity, segment))
                    .collect()
            }
        };
        Self { id: trace.id.clone(), duration: trace.duration(), spans }
    }
}

fn services(store: &Store, retrieval: &Retrieval, token: Option<&str>) -> Result<Value, ApiError> {
    let mut links = HashMap::<(String, Option<String>), Vec<Link>>::new();
    let traces = opened(store, retrieval, 0).map(|(_, trace)| {
        for segment in &trace.segments {
            let linked = segment.walk().flat_map(Document::links).map(|link| link.trace_id.to_owned());
            let destination_trace_ids: Vec<_> = linked.take(MAX_LINKS).collect();
            if !destination_trace_ids.is_empty() {
                let ServiceId { name, kind, .. } = ServiceId::of(segment);
                let links = links.entry((name, kind)).or_default();
                if links.len() < MAX_LINKS {
                    let source_trace_id = trace.id.clone();
                    links.push(Link { reference_type: "parent", source_trace_id, destination_trace_ids });
                }
            }
        }
        trace
    });
    let graph = service_graph(traces, TimeRange::ALL);
    let services = graph.services.into_iter().map(|service| {
        let links = links.remove(&(service.name.clone(), service.kind.clone())).unwrap_or_default();
        (format!("{:08}", service.reference_id), RetrievedService { service, links })
    });
    let (services, next_token) = page(services, token, PAGE_SERVICES)?;
    Ok(with_token(json!({ "RetrievalStatus": status(retrieval), "Services": services }), next_token))
}
