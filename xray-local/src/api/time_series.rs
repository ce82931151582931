//! Statistics of services and calls over time.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Traces;
use super::error::{ApiError, answer};
use super::groups::{Named, with_token};
use super::input::Input;
use super::pages::page;
use super::summaries::time_range;
use crate::document::Document;
use crate::filter::{EntitySelector, Filter};
use crate::graph::{Histogram, HistogramEntry, Statistics};
use crate::store::Store;
use crate::time::TimeRange;

/// The most entries on a page. A day with periods of one minute takes two pages.
const PAGE: usize = 1_000;

/// The longest selector, in characters. (The API's model.)
const MAX_SELECTOR: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query {
    start_time: f64,
    end_time: f64,
    #[serde(flatten)]
    group: Named,
    entity_selector_expression: Option<String>,
    period: Option<u32>,
    forecast_statistics: Option<bool>,
    next_token: Option<String>,
}

/// The requests of one period.
#[derive(Default)]
struct Period {
    statistics: Statistics,
    histogram: Histogram,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    timestamp: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    edge_summary_statistics: Option<Statistics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_summary_statistics: Option<Statistics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_forecast_statistics: Option<Forecast>,
    response_time_histogram: Vec<HistogramEntry>,
}

/// The range in which X-Ray expects the number of faults. `xray-local` makes no forecast: both ends are the number of
/// faults that occurred.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Forecast {
    fault_count_high: u64,
    fault_count_low: u64,
}

/// `GetTimeSeriesServiceStatistics`.
pub(super) async fn get(
    State(Traces { store, jobs, account }): State<Traces>,
    Input(query): Input<Query>,
) -> Result<Response, ApiError> {
    let range = time_range(query.start_time, query.end_time)?;
    let period = query.period.unwrap_or(60);
    if !matches!(period, 60 | 300) {
        return Err(ApiError::invalid(format!("Period: must be 60 or 300, and is {period}")));
    }
    let filter = query.group.filter(&account)?;
    let selector = match query.entity_selector_expression.as_deref() {
        Some(text) if text.is_empty() || text.chars().count() > MAX_SELECTOR => {
            let message = format!("EntitySelectorExpression: must have 1 to {MAX_SELECTOR} characters");
            return Err(ApiError::invalid(message));
        }
        Some(text) => Some(
            EntitySelector::parse(text)
                .map_err(|error| ApiError::invalid(format!("EntitySelectorExpression: {error}")))?,
        ),
        None => None,
    };
    let with_forecast = query.forecast_statistics.unwrap_or(false);
    let job = jobs.run(move || {
        let periods = periods(&store, range, period, &filter, selector.as_ref());
        let is_of_service = selector.as_ref().is_some_and(EntitySelector::is_of_service);
        let entries = periods
            .into_iter()
            .map(|(start, period)| (format!("{start:012}"), Entry::of(start, period, is_of_service, with_forecast)));
        answer(page(entries, query.next_token.as_deref(), PAGE).map(|(entries, next_token)| {
            let answer: Value = json!({ "TimeSeriesServiceStatistics": entries, "ContainsOldGroupVersions": false });
            with_token(answer, next_token)
        }))
    });
    Ok(job.await?)
}

/// Returns the periods that have requests, by their start in seconds since 1970.
fn periods(
    store: &Store,
    range: TimeRange,
    period: u32,
    filter: &Filter,
    selector: Option<&EntitySelector>,
) -> BTreeMap<u64, Period> {
    let mut periods = BTreeMap::<u64, Period>::new();
    for stored in store.traces().into_iter().filter(|stored| stored.start() < range.end) {
        let trace = stored.open();
        if !filter.matches(&trace) {
            continue;
        }
        let mut add = |entity: &Document| {
            let Some(seconds) = entity.duration().filter(|_| range.contains(entity.start_time)) else { return };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
            let start = entity.start_time as u64 / u64::from(period) * u64::from(period);
            let period = periods.entry(start).or_default();
            period.statistics.add(entity.state(), seconds);
            period.histogram.add(seconds);
        };
        match selector {
            Some(selector) => selector.select(&trace).into_iter().for_each(&mut add),
            // Without a selector, count the requests of clients from outside: those that the root segments answer.
            None => trace.root().into_iter().for_each(&mut add),
        }
    }
    periods
}

impl Entry {
    fn of(start: u64, period: Period, is_of_service: bool, with_forecast: bool) -> Self {
        let faults = period.statistics.fault_statistics.total_count;
        let (edge, service) =
            if is_of_service { (None, Some(period.statistics)) } else { (Some(period.statistics), None) };
        #[expect(clippy::cast_precision_loss, reason = "a time in seconds is far below 2^53")]
        let timestamp = start as f64;
        Self {
            timestamp,
            edge_summary_statistics: edge,
            service_summary_statistics: service,
            service_forecast_statistics: (is_of_service && with_forecast)
                .then_some(Forecast { fault_count_high: faults, fault_count_low: faults }),
            response_time_histogram: period.histogram.entries(),
        }
    }
}
