//! Returns traces by id.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::error::{ApiError, answer};
use super::input::Input;
use crate::bounded::Bounded;
use crate::document::{Document, TraceId};
use crate::otlp::span;
use crate::store::Store;
use crate::trace::Trace;

/// The most trace ids in one `BatchGetTraces` request.
const MAX_TRACES: usize = 5;

/// The most ids in a request's list, repeated ones included.
const MAX_LISTED: usize = 1_000;

/// After how many bytes of documents the other traces of a `BatchGetTraces` request are left for the next page.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query {
    trace_ids: TraceIds,
    next_token: Option<String>,
}

/// The ids of traces in a request.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct TraceIds(Bounded<String, MAX_LISTED>);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    traces: Vec<ApiTrace>,
    unprocessed_trace_ids: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
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

/// A segment or span. Its document is a string of JSON.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ApiSegment {
    id: String,
    document: String,
}

impl TraceIds {
    /// Returns the ids without duplicates. Accepts X-Ray trace ids and W3C trace ids.
    ///
    /// # Errors
    ///
    /// If an id is malformed, or there are no ids or more than `limit`.
    pub(super) fn parsed(self, limit: usize) -> Result<Vec<TraceId>, ApiError> {
        let mut ids = Vec::new();
        for text in self.0.checked("TraceIds")? {
            let id = TraceId::parse(&text).or_else(|| TraceId::parse_w3c(&text));
            let id = id.ok_or_else(|| ApiError::invalid(format!("TraceIds: {text:?} is not a trace id")))?;
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

    /// Like [`parsed`](Self::parsed), but returns the ids as texts in X-Ray's form.
    pub(super) fn checked(self, limit: usize) -> Result<Vec<String>, ApiError> {
        Ok(self.parsed(limit)?.iter().map(ToString::to_string).collect())
    }
}

/// `BatchGetTraces`.
pub(super) async fn batch_get(
    State(super::Traces { store, jobs, .. }): State<super::Traces>,
    Input(query): Input<Query>,
) -> Result<Response, ApiError> {
    let ids = query.trace_ids.checked(MAX_TRACES)?;
    let first = query.next_token.as_deref().map_or(Ok(0), |token| position(token, ids.len()))?;
    Ok(jobs.run(move || answer(Ok(page(&store, &ids, first)))).await?)
}

/// Returns a trace in the form of the response of `BatchGetTraces`.
pub(crate) fn batch_of(trace: &Trace) -> Vec<u8> {
    let page = Page { traces: vec![ApiTrace::of(trace)], unprocessed_trace_ids: Vec::new(), next_token: None };
    serde_json::to_vec(&page).expect("documents read from JSON serialize")
}

/// Returns the traces from a position in the list of ids on.
fn page(store: &Store, ids: &[String], first: usize) -> Page {
    let mut page = Page { traces: Vec::new(), unprocessed_trace_ids: Vec::new(), next_token: None };
    let mut bytes = 0;
    for (index, id) in ids.iter().enumerate().skip(first) {
        if bytes > MAX_PAGE_BYTES {
            page.next_token = Some(index.to_string());
            break;
        }
        match store.stored(id) {
            Some(stored) => {
                let trace = ApiTrace::of(&stored.open());
                bytes += trace.segments.iter().map(|segment| segment.document.len()).sum::<usize>();
                page.traces.push(trace);
            }
            None => page.unprocessed_trace_ids.push(id.clone()),
        }
    }
    page
}

/// Returns the position that a token of an earlier response stands for.
fn position(token: &str, count: usize) -> Result<usize, ApiError> {
    let position = token.parse().ok().filter(|position| *position < count);
    position.ok_or_else(|| ApiError::unknown_token(token))
}

impl ApiSegment {
    pub(super) fn of(segment: &Document) -> Self {
        let document = serde_json::to_string(segment).expect("a document read from JSON serializes");
        Self { id: segment.id.clone(), document }
    }

    pub(super) fn of_span(entity: &Document, segment: &Document) -> Self {
        Self { id: entity.id.clone(), document: span(entity, segment).to_string() }
    }
}

impl ApiTrace {
    fn of(trace: &Trace) -> Self {
        let segments = trace.segments.iter().map(ApiSegment::of);
        Self {
            id: trace.id.clone(),
            duration: trace.duration(),
            limit_exceeded: trace.limit_exceeded,
            segments: segments.collect(),
        }
    }
}
