//! Operations on insights. `xray-local` never finds insights, so lists are empty, and every insight id is unknown.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::groups;
use super::input::Input;
use super::json::Json;
use super::summaries::time_range;
use crate::account::Account;
use crate::optional::or_default;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summaries {
    start_time: f64,
    end_time: f64,
    #[serde(flatten)]
    group: groups::Named,
    #[serde(default, deserialize_with = "or_default")]
    states: Vec<InsightState>,
    max_results: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum InsightState {
    Active,
    Closed,
}

/// A reference to an insight by its id.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    insight_id: String,
}

/// `GetInsightSummaries`.
pub(super) async fn summaries(
    State(account): State<Account>,
    Input(input): Input<Summaries>,
) -> Result<Json<Value>, ApiError> {
    time_range(input.start_time, input.end_time)?;
    if input.states.len() > 1 {
        return Err(ApiError::invalid("States: must have at most 1 element"));
    }
    if input.max_results.is_some_and(|most| !(1..=100).contains(&most)) {
        return Err(ApiError::invalid("MaxResults: must be 1 to 100"));
    }
    input.group.filter(&account)?;
    Ok(Json(json!({ "InsightSummaries": [] })))
}

/// `GetInsight`, `GetInsightEvents` and `GetInsightImpactGraph`.
pub(super) async fn one(Input(Named { insight_id }): Input<Named>) -> ApiError {
    ApiError::invalid(format!("InsightId: there is no insight {insight_id:?}: xray-local looks for none"))
}
