//! The `aws` block of segments and subsegments.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MAX_STRING_CHARS;
use crate::support::text::first_chars;

/// The AWS resource on which a segment ran or that a subsegment called, and the SDK that recorded the segment.
///
/// (Developer guide, "X-Ray segment documents", "AWS resource data".)
///
/// ```
/// let ((), documents) = xray::testing::capture_blocking(|| xray::Segment::builder("shop").begin().end());
/// let aws = documents[0].aws.as_deref().unwrap();
/// assert_eq!(aws.xray.as_ref().unwrap().sdk, "X-Ray for Rust");
/// assert!(aws.other.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Aws {
    /// The SDK that recorded the segment; absent on subsegments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xray: Option<Sdk>,
    /// The other keys of the block, such as `ec2`, `operation` or `table_name`.
    // X-Ray adds keys without notice and accepts unknown ones, so they are not fields.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// The `aws.xray` block: the SDK that recorded a segment, and the sampling rule that chose it.
///
/// ```
/// let ((), documents) = xray::testing::capture_blocking(|| xray::Segment::builder("shop").begin().end());
/// let sdk = documents[0].aws.as_deref().and_then(|aws| aws.xray.as_ref()).unwrap();
/// assert_eq!((&*sdk.sdk, sdk.sampling_rule_name.as_deref()), ("X-Ray for Rust", None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sdk {
    /// The name of the SDK.
    pub sdk: Cow<'static, str>,
    /// The version of the SDK.
    pub sdk_version: Cow<'static, str>,
    /// The name of the sampling rule that chose the request; absent if no rule of X-Ray did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_rule_name: Option<String>,
}

impl Sdk {
    /// Returns the block for this SDK.
    pub(crate) fn this(sampling_rule_name: Option<String>) -> Self {
        Self {
            sdk: Cow::Borrowed("X-Ray for Rust"),
            sdk_version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            sampling_rule_name: sampling_rule_name.map(|name| first_chars(&name, MAX_STRING_CHARS).to_owned()),
        }
    }
}
