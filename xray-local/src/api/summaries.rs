//! Finds traces by time and filter expression.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::input::Input;
use super::json::Json;
use super::run_blocking;
use crate::document::TraceId;
use crate::filter::Filter;
use crate::store::{Store, StoredTrace};
use crate::summary::{TraceSummary, summary};
use crate::time::TimeRange;
use crate::trace::Trace;

/// The most summaries on a page.
const MAX_SUMMARIES: usize = 1_000;

/// The most traces examined for a page. This bounds the time of a response when few traces match.
const MAX_EXAMINED: usize = 20_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query {
    #[serde(flatten)]
    times: Times,
    #[serde(default)]
    time_range_type: TimeRangeType,
    filter_expression: Option<String>,
    next_token: Option<String>,
}

/// The time range of a request.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Times {
    start_time: f64,
    end_time: f64,
}

/// Which time of a trace must be in the range.
#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
enum TimeRangeType {
    /// The trace's start.
    #[default]
    TraceId,
    /// The arrival of the trace's last document.
    Event,
    /// The end of any of the trace's segments.
    Service,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    trace_summaries: Vec<TraceSummary>,
    approximate_time: f64,
    traces_processed_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// The position of a trace in the order of the pages: latest start first.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Position(f64, TraceId);

impl Times {
    /// Returns the range.
    ///
    /// # Errors
    ///
    /// If the range ends before it starts.
    pub(super) fn checked(self) -> Result<TimeRange, ApiError> {
        if self.start_time > self.end_time {
            return Err(ApiError::invalid("StartTime is after EndTime"));
        }
        Ok(TimeRange { start: self.start_time, end: self.end_time })
    }
}

/// `GetTraceSummaries`.
pub(super) async fn get(State(store): State<Store>, Input(query): Input<Query>) -> Result<Json<Page>, ApiError> {
    let range = query.times.checked()?;
    let filter = Filter::parse(query.filter_expression.as_deref().unwrap_or_default());
    let filter = filter.map_err(|error| ApiError::invalid(format!("FilterExpression: {error}")))?;
    let after = query.next_token.as_deref().map(Position::of_token).transpose()?;
    Ok(Json(run_blocking(move || page(&store, range, query.time_range_type, &filter, after)).await))
}

/// Returns the page of summaries after a position.
fn page(store: &Store, range: TimeRange, by: TimeRangeType, filter: &Filter, after: Option<Position>) -> Page {
    let is_candidate = |stored: &StoredTrace| match by {
        TimeRangeType::TraceId => range.contains(stored.start()),
        TimeRangeType::Event => range.contains(stored.updated()),
        TimeRangeType::Service => stored.start() < range.end,
    };
    let mut stored: Vec<_> = store.traces().into_iter().filter(is_candidate).collect();
    stored.retain(|stored| after.is_none_or(|after| Position::of(stored) < after));
    stored.sort_by(|one, other| other.start().total_cmp(&one.start()).then(other.id().cmp(&one.id())));

    let mut page = Page {
        trace_summaries: Vec::new(),
        approximate_time: stored.first().map_or(range.start, StoredTrace::start),
        traces_processed_count: 0,
        next_token: None,
    };
    for (index, candidate) in stored.iter().enumerate() {
        if page.trace_summaries.len() == MAX_SUMMARIES || page.traces_processed_count == MAX_EXAMINED {
            page.next_token = Some(Position::of(&stored[index - 1]).token());
            break;
        }
        page.traces_processed_count += 1;
        let trace = candidate.trace();
        if (by != TimeRangeType::Service || ends_in(&trace, range)) && filter.matches(&trace) {
            let matched_event_time = (by == TimeRangeType::Event).then(|| candidate.updated());
            page.trace_summaries.push(TraceSummary { matched_event_time, ..summary(&trace) });
        }
    }
    page
}

/// Returns whether a segment of the trace ends in the range.
fn ends_in(trace: &Trace, range: TimeRange) -> bool {
    trace.segments.iter().filter_map(|segment| segment.end_time).any(|end| range.contains(end))
}

impl Position {
    fn of(stored: &StoredTrace) -> Self {
        Self(stored.start(), stored.id())
    }

    fn token(self) -> String {
        format!("{:016x}:{}", self.0.to_bits(), self.1)
    }

    fn of_token(token: &str) -> Result<Self, ApiError> {
        let position = token.split_once(':').and_then(|(start, id)| {
            let start = f64::from_bits(u64::from_str_radix(start, 16).ok()?);
            Some(Self(start, TraceId::parse(id)?))
        });
        position
            .ok_or_else(|| ApiError::invalid(format!("NextToken: {token:?} is not a token from an earlier response")))
    }
}
