//! Operations on resource policies.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::groups::with_token;
use super::input::Input;
use super::json::Json;
use super::pages::page;
use crate::account::{Account, ResourcePolicy};
use crate::time::now;

/// The most policies on a page.
const PAGE: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "these are the names of the API")]
pub(super) struct Put {
    policy_name: String,
    policy_document: String,
    policy_revision_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    policy_name: String,
    policy_revision_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyAnswer {
    resource_policy: ResourcePolicy,
}

/// `ListResourcePolicies`.
pub(super) async fn list(State(account): State<Account>, Input(input): Input<List>) -> Result<Json<Value>, ApiError> {
    let account = account.lock();
    let policies = account.policies.all().map(|policy| (policy.policy_name.clone(), policy));
    let (policies, next_token) = page(policies, input.next_token.as_deref(), PAGE)?;
    Ok(Json(with_token(json!({ "ResourcePolicies": policies }), next_token)))
}

/// `PutResourcePolicy`.
pub(super) async fn put(
    State(account): State<Account>,
    Input(input): Input<Put>,
) -> Result<Json<PolicyAnswer>, ApiError> {
    let Put { policy_name, policy_document, policy_revision_id } = input;
    let mut account = account.lock();
    let resource_policy = account.policies.put(&policy_name, policy_document, policy_revision_id.as_deref(), now())?;
    Ok(Json(PolicyAnswer { resource_policy }))
}

/// `DeleteResourcePolicy`.
pub(super) async fn delete(
    State(account): State<Account>,
    Input(input): Input<Delete>,
) -> Result<Json<Value>, ApiError> {
    account.lock().policies.delete(&input.policy_name, input.policy_revision_id.as_deref())?;
    Ok(Json(json!({})))
}
