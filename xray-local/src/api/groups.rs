//! Operations on groups.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::input::Input;
use super::json::Json;
use super::pages::page;
use crate::account::{Account, AccountError, CheckedTags, Group, GroupChange, InsightsConfiguration, Tag};
use crate::filter::Filter;
use crate::optional::or_default;

/// The most groups on a page.
const PAGE: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    group_name: String,
    filter_expression: Option<String>,
    insights_configuration: Option<InsightsConfiguration>,
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<Tag>,
}

/// A reference to a group by its name, its ARN, or both.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    group_name: Option<String>,
    #[serde(rename = "GroupARN")]
    group_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    #[serde(flatten)]
    named: Named,
    filter_expression: Option<String>,
    insights_configuration: Option<InsightsConfiguration>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GroupAnswer {
    group: Group,
}

impl Named {
    /// Returns the filter of the group. Returns the filter of all traces if the request names no group.
    pub(super) fn filter(&self, account: &Account) -> Result<Filter, AccountError> {
        account.lock().groups.filter(self.group_name.as_deref(), self.group_arn.as_deref())
    }
}

/// `GetGroups`.
pub(super) async fn list(State(account): State<Account>, Input(input): Input<List>) -> Result<Json<Value>, ApiError> {
    let account = account.lock();
    let groups = account.groups.all().map(|group| (group.group_name.clone(), group));
    let (groups, next_token) = page(groups, input.next_token.as_deref(), PAGE)?;
    Ok(Json(with_token(json!({ "Groups": groups }), next_token)))
}

/// `GetGroup`.
pub(super) async fn get(
    State(account): State<Account>,
    Input(Named { group_name, group_arn }): Input<Named>,
) -> Result<Json<GroupAnswer>, ApiError> {
    let account = account.lock();
    Ok(Json(GroupAnswer { group: account.groups.find(group_name.as_deref(), group_arn.as_deref())?.clone() }))
}

/// `CreateGroup`.
pub(super) async fn create(
    State(account): State<Account>,
    Input(input): Input<Create>,
) -> Result<Json<GroupAnswer>, ApiError> {
    let Create { group_name, filter_expression, insights_configuration, tags } = input;
    // Before the group is created: a request with an invalid tag must create nothing.
    let tags = CheckedTags::of(tags)?;
    let mut account = account.lock();
    let group = account.groups.create(&group_name, GroupChange { filter_expression, insights_configuration })?;
    account.tags.add(&group.group_arn, tags)?;
    Ok(Json(GroupAnswer { group }))
}

/// `UpdateGroup`.
pub(super) async fn update(
    State(account): State<Account>,
    Input(input): Input<Update>,
) -> Result<Json<GroupAnswer>, ApiError> {
    let Update { named: Named { group_name, group_arn }, filter_expression, insights_configuration } = input;
    let change = GroupChange { filter_expression, insights_configuration };
    let group = account.lock().groups.update(group_name.as_deref(), group_arn.as_deref(), change)?;
    Ok(Json(GroupAnswer { group }))
}

/// `DeleteGroup`.
pub(super) async fn delete(
    State(account): State<Account>,
    Input(Named { group_name, group_arn }): Input<Named>,
) -> Result<Json<Value>, ApiError> {
    let mut account = account.lock();
    let group = account.groups.delete(group_name.as_deref(), group_arn.as_deref())?;
    account.tags.forget(&group.group_arn);
    Ok(Json(json!({})))
}

/// Adds the token of the next page to a response, if there is one.
pub(super) fn with_token(mut answer: Value, next_token: Option<String>) -> Value {
    if let Some(token) = next_token {
        answer["NextToken"] = token.into();
    }
    answer
}
