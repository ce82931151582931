//! Operations on sampling rules, and sampling targets.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::input::Input;
use super::json::Json;
use crate::rules::{
    SamplingRule, SamplingRuleRecord, SamplingRuleUpdate, SamplingRules, SamplingStatistics, SamplingTargets,
};
use crate::time::now;

/// The most statistics documents in one `GetSamplingTargets` request.
const MAX_STATISTICS: usize = 25;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rules {
    sampling_rule_records: Vec<SamplingRuleRecord>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rule {
    sampling_rule_record: SamplingRuleRecord,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    sampling_rule: SamplingRule,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    sampling_rule_update: SamplingRuleUpdate,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    rule_name: Option<String>,
    #[serde(rename = "RuleARN")]
    rule_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statistics {
    sampling_statistics_documents: Vec<SamplingStatistics>,
}

/// `GetSamplingRules`. One page holds all rules, because there are never more than 26.
pub(super) async fn rules(State(rules): State<SamplingRules>) -> Json<Rules> {
    Json(Rules { sampling_rule_records: rules.records() })
}

/// `CreateSamplingRule`.
pub(super) async fn create(
    State(rules): State<SamplingRules>,
    Input(input): Input<Create>,
) -> Result<Json<Rule>, ApiError> {
    Ok(Json(Rule { sampling_rule_record: rules.create(input.sampling_rule, now())? }))
}

/// `UpdateSamplingRule`.
pub(super) async fn update(
    State(rules): State<SamplingRules>,
    Input(input): Input<Update>,
) -> Result<Json<Rule>, ApiError> {
    Ok(Json(Rule { sampling_rule_record: rules.update(input.sampling_rule_update, now())? }))
}

/// `DeleteSamplingRule`.
pub(super) async fn delete(
    State(rules): State<SamplingRules>,
    Input(input): Input<Delete>,
) -> Result<Json<Rule>, ApiError> {
    Ok(Json(Rule { sampling_rule_record: rules.delete(input.rule_name, input.rule_arn, now())? }))
}

/// `GetSamplingTargets`.
pub(super) async fn targets(
    State(rules): State<SamplingRules>,
    Input(input): Input<Statistics>,
) -> Result<Json<SamplingTargets>, ApiError> {
    let statistics = input.sampling_statistics_documents;
    if statistics.len() > MAX_STATISTICS {
        return Err(ApiError::invalid(format!(
            "SamplingStatisticsDocuments: must have at most {MAX_STATISTICS} elements, and has {}",
            statistics.len()
        )));
    }
    Ok(Json(rules.targets(&statistics, now())))
}
