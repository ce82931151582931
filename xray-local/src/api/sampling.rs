//! Operations on sampling rules, and sampling targets.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::groups::with_token;
use super::input::Input;
use super::json::Json;
use super::pages::page;
use super::tags::Resources;
use crate::account::{CheckedTags, Tag};
use crate::bounded::Bounded;
use crate::optional::or_default;
use crate::rules::{
    BoostStatistics, SamplingRule, SamplingRuleRecord, SamplingRuleUpdate, SamplingRules, SamplingStatistics,
    SamplingTargets,
};
use crate::time::now;

/// The most statistics documents in one `GetSamplingTargets` request.
const MAX_STATISTICS: usize = 25;

/// The most summaries on a page.
const STATISTICS_PAGE: usize = 100;

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
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListStatistics {
    next_token: Option<String>,
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
    sampling_statistics_documents: Bounded<SamplingStatistics, MAX_STATISTICS>,
    #[serde(default, deserialize_with = "or_default")]
    sampling_boost_statistics_documents: Bounded<BoostStatistics, MAX_STATISTICS>,
}

/// `GetSamplingRules`. One page holds all rules: at most 25, and the default rule.
pub(super) async fn rules(State(rules): State<SamplingRules>) -> Json<Rules> {
    rules.note_request();
    Json(Rules { sampling_rule_records: rules.records() })
}

/// `CreateSamplingRule`.
pub(super) async fn create(
    State(Resources { account, rules }): State<Resources>,
    Input(input): Input<Create>,
) -> Result<Json<Rule>, ApiError> {
    let tags = CheckedTags::of(input.tags)?;
    let record = rules.create(input.sampling_rule, now())?;
    account.lock().tags.add(&record.sampling_rule.rule_arn, tags)?;
    Ok(Json(Rule { sampling_rule_record: record }))
}

/// `UpdateSamplingRule`.
pub(super) async fn update(
    State(Resources { rules, .. }): State<Resources>,
    Input(input): Input<Update>,
) -> Result<Json<Rule>, ApiError> {
    Ok(Json(Rule { sampling_rule_record: rules.update(input.sampling_rule_update, now())? }))
}

/// `DeleteSamplingRule`.
pub(super) async fn delete(
    State(Resources { account, rules }): State<Resources>,
    Input(input): Input<Delete>,
) -> Result<Json<Rule>, ApiError> {
    let record = rules.delete(input.rule_name, input.rule_arn, now())?;
    account.lock().tags.forget(&record.sampling_rule.rule_arn);
    Ok(Json(Rule { sampling_rule_record: record }))
}

/// `GetSamplingStatisticSummaries`.
pub(super) async fn statistics(
    State(rules): State<SamplingRules>,
    Input(input): Input<ListStatistics>,
) -> Result<Json<Value>, ApiError> {
    let summaries = rules.statistics(now());
    let summaries = summaries.into_iter().map(|summary| (summary.key(), summary));
    let (summaries, next_token) = page(summaries, input.next_token.as_deref(), STATISTICS_PAGE)?;
    Ok(Json(with_token(json!({ "SamplingStatisticSummaries": summaries }), next_token)))
}

/// `GetSamplingTargets`.
pub(super) async fn targets(
    State(rules): State<SamplingRules>,
    Input(input): Input<Statistics>,
) -> Result<Json<SamplingTargets>, ApiError> {
    let statistics = input.sampling_statistics_documents.checked("SamplingStatisticsDocuments")?;
    let boosts = input.sampling_boost_statistics_documents.checked("SamplingBoostStatisticsDocuments")?;
    Ok(Json(rules.targets(&statistics, &boosts, now())))
}
