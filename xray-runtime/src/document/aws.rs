//! The `aws` block.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The AWS resource on which a segment ran or that a subsegment called, and the SDK that recorded it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Aws {
    /// The SDK; on segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xray: Option<Sdk>,
    /// Every other key of the block, such as `ec2`, `operation` or `table_name`.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// The `aws.xray` block: which SDK recorded a segment, and which rule decided to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sdk {
    /// Name of the SDK.
    pub sdk: Cow<'static, str>,
    /// Version of the SDK.
    pub sdk_version: Cow<'static, str>,
    /// The sampling rule that chose the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_rule_name: Option<String>,
}

impl Sdk {
    /// This SDK.
    pub(crate) fn this(sampling_rule_name: Option<String>) -> Self {
        Self {
            sdk: Cow::Borrowed("X-Ray for Rust"),
            sdk_version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            sampling_rule_name,
        }
    }
}
