//! The identity of a service.

use serde::Serialize;
use serde_json::Value;

use crate::document::Document;

/// The identity of a service in the service graph.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ServiceId {
    /// The service's name.
    pub name: String,
    /// All names of the service; here always `name` alone.
    pub names: Vec<String>,
    /// The AWS account that runs the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The type: the segment's origin such as `AWS::ECS::Container`, or `remote` for an inferred service without one.
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl ServiceId {
    /// Returns the service that a segment belongs to.
    #[must_use]
    pub fn of(segment: &Document) -> Self {
        let name = resource_name(segment).unwrap_or(&segment.name).to_owned();
        let kind = segment.origin.clone().or_else(|| segment.inferred.then(|| "remote".to_owned()));
        let account_id = segment.aws().get("account_id").and_then(Value::as_str).map(str::to_owned);
        Self { names: vec![name.clone()], name, account_id, kind }
    }
}

/// Returns the name of the `DynamoDB` table or the `SQS` queue that a segment was inferred for. X-Ray shows each of
/// them as a service of its own.
fn resource_name(segment: &Document) -> Option<&str> {
    let aws = segment.aws();
    let text = |field: &str| aws.get(field).and_then(Value::as_str);
    let first = |field: &str| aws.get(field)?.as_array()?.first()?.as_str();
    match segment.origin.as_deref()? {
        "AWS::DynamoDB::Table" => {
            text("table_name").or_else(|| first("table_names")).or_else(|| first("resource_names"))
        }
        // `https://sqs.eu-west-1.amazonaws.com/123456789012/orders`
        "AWS::SQS::Queue" => text("queue_url")?.rsplit('/').next().filter(|name| !name.is_empty()),
        _ => None,
    }
}
