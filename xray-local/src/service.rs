//! What counts as one service.

use serde::Serialize;
use serde_json::Value;

use crate::document::Document;

/// A service, by what the service graph calls it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceId {
    /// Its name.
    pub name: String,
    /// All its names.
    pub names: Vec<String>,
    /// Its AWS account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Its type: an origin, or `remote`.
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl ServiceId {
    /// The service whose work a segment is.
    #[must_use]
    pub fn of(segment: &Document) -> Self {
        let name = resource_name(segment).unwrap_or(&segment.name).to_owned();
        let kind = segment.origin.clone().or_else(|| segment.inferred.then(|| "remote".to_owned()));
        let account_id = segment.aws().get("account_id").and_then(Value::as_str).map(str::to_owned);
        Self { names: vec![name.clone()], name, account_id, kind }
    }
}

/// A table of `DynamoDB` is a service of its own.
fn resource_name(segment: &Document) -> Option<&str> {
    if segment.origin.as_deref()? != "AWS::DynamoDB::Table" {
        return None;
    }
    let aws = segment.aws();
    let first = |field: &str| aws.get(field)?.as_array()?.first()?.as_str();
    aws.get("table_name").and_then(Value::as_str).or_else(|| first("table_names")).or_else(|| first("resource_names"))
}
