//! Finds traces by time and filter expression.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::Traces;
use super::error::{ApiError, answer};
use super::input::Input;
use crate::document::TraceId;
use crate::filter::Filter;
use crate::optional::or_default;
use crate::store::{Store, StoredTrace};
use crate::summary::{TraceSummary, summary};
use crate::time::TimeRange;
use crate::trace::Trace;

/// The most summaries on a page.
const MAX_SUMMARIES: usize = 1_000;

/// The most traces examined for a page. This bounds the time of a response when few traces match.
const MAX_EXAMINED: usize = 20_000;

/// How long traces are examined for a page. A trace may be megabytes large.
const SEARCH_TIME: Duration = Duration::from_secs(5);

/// After how many bytes the other summaries are left for the next page.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query {
    start_time: f64,
    end_time: f64,
    #[serde(default, deserialize_with = "or_default")]
    time_range_type: TimeRangeType,
    filter_expression: Option<String>,
    next_token: Option<String>,
    sampling: Option<bool>,
    sampling_strategy: Option<SamplingStrategy>,
}

/// The strategy that selects a sample of the matching traces.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SamplingStrategy {
    name: StrategyName,
    value: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
enum StrategyName {
    /// The traces that X-Ray finds quickly. `xray-local` returns all matching traces.
    PartialScan,
    /// A share of the traces, given by the field `Value`.
    FixedRate,
}

/// The traces to look for.
struct Search {
    range: TimeRange,
    by: TimeRangeType,
    filter: Filter,
    /// The share of the traces to return.
    share: f64,
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
struct Page {
    trace_summaries: Vec<TraceSummary>,
    approximate_time: f64,
    traces_processed_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// The position of a trace in the order of the pages: latest start first.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Position(f64, TraceId);

/// Returns the time range of a request.
///
/// # Errors
///
/// If the range ends before it starts.
pub(super) fn time_range(start: f64, end: f64) -> Result<TimeRange, ApiError> {
    if start > end {
        return Err(ApiError::invalid("StartTime is after EndTime"));
    }
    Ok(TimeRange { start, end })
}

/// `GetTraceSummaries`.
pub(super) async fn get(
    State(Traces { store, jobs, account }): State<Traces>,
    Input(query): Input<Query>,
) -> Result<Response, ApiError> {
    let range = time_range(query.start_time, query.end_time)?;
    let expression = query.filter_expression.as_deref().unwrap_or_default();
    let filter = Filter::parse_with(expression, &account.named_filters());
    let filter = filter.map_err(|error| ApiError::invalid(format!("FilterExpression: {error}")))?;
    let share = match &query.sampling_strategy {
        Some(strategy) if query.sampling.unwrap_or_default() => strategy.share()?,
        _ => 1.0,
    };
    let after = query.next_token.as_deref().map(Position::of_token).transpose()?;
    let search = Search { range, by: query.time_range_type, filter, share };
    Ok(jobs.run(move || answer(Ok(page(&store, &search, after)))).await?)
}

/// Returns the page of summaries after a position.
fn page(store: &Store, search: &Search, after: Option<Position>) -> Page {
    let &Search { range, by, ref filter, share } = search;
    let is_candidate = |stored: &StoredTrace| match by {
        TimeRangeType::TraceId => range.contains(stored.start()),
        TimeRangeType::Event => range.contains(stored.updated()),
        TimeRangeType::Service => stored.start() < range.end,
    };
    let mut stored: Vec<_> = store.traces().into_iter().filter(is_candidate).collect();
    stored.retain(|stored| after.is_none_or(|after| Position::of(stored) < after) && is_in_sample(stored, share));
    stored.sort_by(|one, other| other.start().total_cmp(&one.start()).then(other.id().cmp(&one.id())));

    let mut page = Page {
        trace_summaries: Vec::new(),
        approximate_time: stored.first().map_or(range.start, StoredTrace::start),
        traces_processed_count: 0,
        next_token: None,
    };
    let (started, mut bytes) = (Instant::now(), 0);
    for (index, candidate) in stored.iter().enumerate() {
        let is_full = page.trace_summaries.len() == MAX_SUMMARIES || bytes > MAX_PAGE_BYTES;
        let is_long = page.traces_processed_count == MAX_EXAMINED || index > 0 && started.elapsed() > SEARCH_TIME;
        if is_full || is_long {
            page.next_token = Some(Position::of(&stored[index - 1]).token());
            break;
        }
        page.traces_processed_count += 1;
        let trace = candidate.open();
        if (by != TimeRangeType::Service || ends_in(&trace, range)) && filter.matches(&trace) {
            let matched_event_time = (by == TimeRangeType::Event).then(|| candidate.updated());
            let summary = TraceSummary { matched_event_time, ..summary(&trace) };
            bytes += length(&summary);
            page.trace_summaries.push(summary);
        }
    }
    page
}

/// Returns the length of a summary in JSON, in bytes.
fn length(summary: &TraceSummary) -> usize {
    struct Length(usize);

    impl io::Write for Length {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut length = Length(0);
    // Nothing can fail: see `json::response`.
    let _ = serde_json::to_writer(&mut length, summary);
    length.0
}

/// Returns whether a segment of the trace ends in the range.
fn ends_in(trace: &Trace, range: TimeRange) -> bool {
    trace.segments.iter().filter_map(|segment| segment.end_time).any(|end| range.contains(end))
}

impl SamplingStrategy {
    /// Returns the share of the traces to return.
    fn share(&self) -> Result<f64, ApiError> {
        match (self.name, self.value) {
            (StrategyName::PartialScan, _) | (StrategyName::FixedRate, None) => Ok(1.0),
            (StrategyName::FixedRate, Some(share)) if (0.0..=1.0).contains(&share) => Ok(share),
            (StrategyName::FixedRate, Some(share)) => {
                Err(ApiError::invalid(format!("SamplingStrategy.Value: must be 0 to 1, and is {share}")))
            }
        }
    }
}

/// Returns whether a trace belongs to the sample that contains this share of all traces. The result depends only on the
/// trace's id and the share, so it does not change between requests.
fn is_in_sample(stored: &StoredTrace, share: f64) -> bool {
    let mut hasher = DefaultHasher::new();
    stored.id().hash(&mut hasher);
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    let position = hasher.finish() as f64 / u64::MAX as f64;
    position <= share
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
        position.ok_or_else(|| ApiError::unknown_token(token))
    }
}
