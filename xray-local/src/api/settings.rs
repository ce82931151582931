//! Operations on the settings of the account: encryption, the destination of segments, and indexing.

use axum::extract::State;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::error::ApiError;
use super::input::Input;
use super::json::Json;
use crate::account::{Account, Destination, EncryptionType, IndexingRuleUpdate};
use crate::time::now;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Encryption {
    #[serde(rename = "Type")]
    kind: EncryptionType,
    key_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewDestination {
    destination: Option<Destination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewIndexing {
    name: String,
    rule: IndexingRuleUpdate,
}

/// `GetEncryptionConfig`.
pub(super) async fn encryption(State(account): State<Account>, Input(_): Input<IgnoredAny>) -> Json<Value> {
    Json(json!({ "EncryptionConfig": account.lock().settings.encryption }))
}

/// `PutEncryptionConfig`.
pub(super) async fn put_encryption(
    State(account): State<Account>,
    Input(input): Input<Encryption>,
) -> Result<Json<Value>, ApiError> {
    let config = account.lock().settings.encrypt(input.kind, input.key_id)?;
    Ok(Json(json!({ "EncryptionConfig": config })))
}

/// `GetTraceSegmentDestination`.
pub(super) async fn destination(State(account): State<Account>, Input(_): Input<IgnoredAny>) -> Json<Value> {
    Json(json!({ "Destination": account.lock().settings.destination, "Status": "ACTIVE" }))
}

/// `UpdateTraceSegmentDestination`. The response reports a change as pending, like X-Ray, where a change takes up to
/// ten minutes. `GetTraceSegmentDestination` reports the change as active at once.
pub(super) async fn update_destination(
    State(account): State<Account>,
    Input(input): Input<NewDestination>,
) -> Result<Json<Value>, ApiError> {
    let destination = input
        .destination
        .ok_or_else(|| ApiError::invalid("Destination: is missing, and must be XRay or CloudWatchLogs"))?;
    let mut account = account.lock();
    let before = std::mem::replace(&mut account.settings.destination, destination);
    let status = if before == destination { "ACTIVE" } else { "PENDING" };
    Ok(Json(json!({ "Destination": destination, "Status": status })))
}

/// `GetIndexingRules`. There is one rule.
pub(super) async fn indexing(State(account): State<Account>, Input(_): Input<IgnoredAny>) -> Json<Value> {
    Json(json!({ "IndexingRules": [account.lock().settings.indexing_rule()] }))
}

/// `UpdateIndexingRule`.
pub(super) async fn update_indexing(
    State(account): State<Account>,
    Input(input): Input<NewIndexing>,
) -> Result<Json<Value>, ApiError> {
    let rule = account.lock().settings.update_indexing(&input.name, &input.rule, now())?;
    Ok(Json(json!({ "IndexingRule": rule })))
}
