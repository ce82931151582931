//! Operations on the tags of groups and sampling rules.

use std::sync::MutexGuard;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::ApiError;
use super::groups::with_token;
use super::input::Input;
use super::json::Json;
use super::pages::page;
use crate::account::{Account, CheckedTags, Contents, Tag};
use crate::rules::SamplingRules;

/// The most tags on a page.
const PAGE: usize = 50;

/// The resources that can have tags.
#[derive(Debug, Clone)]
pub(super) struct Resources {
    pub(super) account: Account,
    pub(super) rules: SamplingRules,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Add {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Remove {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    next_token: Option<String>,
}

impl Resources {
    /// Locks the account for an operation on the tags of a resource.
    ///
    /// # Errors
    ///
    /// If the resource does not exist.
    fn locked(&self, arn: &str) -> Result<MutexGuard<'_, Contents>, ApiError> {
        let is_rule = self.rules.has_arn(arn);
        let account = self.account.lock();
        if is_rule || account.groups.find(None, Some(arn)).is_ok() {
            return Ok(account);
        }
        Err(ApiError::not_found(format!("there is no group or sampling rule {arn:?}"), Some(arn.to_owned())))
    }
}

/// `TagResource`.
pub(super) async fn add(State(resources): State<Resources>, Input(input): Input<Add>) -> Result<Json<Value>, ApiError> {
    let tags = CheckedTags::of(input.tags)?;
    resources.locked(&input.resource_arn)?.tags.add(&input.resource_arn, tags)?;
    Ok(Json(json!({})))
}

/// `UntagResource`.
pub(super) async fn remove(
    State(resources): State<Resources>,
    Input(input): Input<Remove>,
) -> Result<Json<Value>, ApiError> {
    resources.locked(&input.resource_arn)?.tags.remove(&input.resource_arn, &input.tag_keys);
    Ok(Json(json!({})))
}

/// `ListTagsForResource`.
pub(super) async fn list(
    State(resources): State<Resources>,
    Input(input): Input<List>,
) -> Result<Json<Value>, ApiError> {
    let tags = resources.locked(&input.resource_arn)?.tags.of(&input.resource_arn);
    let tags = tags.into_iter().map(|tag| (tag.key.clone(), tag));
    let (tags, next_token) = page(tags, input.next_token.as_deref(), PAGE)?;
    Ok(Json(with_token(json!({ "Tags": tags }), next_token)))
}
