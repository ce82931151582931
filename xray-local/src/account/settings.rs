//! Settings of the account: encryption, the destination of segments, and indexing.

use serde::{Deserialize, Serialize};

use super::AccountError;

/// The name of the only indexing rule.
const DEFAULT_RULE: &str = "Default";

/// The settings. They are stored and returned, but have no effect: `xray-local` encrypts nothing, and keeps and indexes
/// every trace.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) encryption: EncryptionConfig,
    pub(crate) destination: Destination,
    indexing: Option<IndexingRule>,
}

/// The encryption settings, in the form of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EncryptionConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
    status: &'static str,
    #[serde(rename = "Type")]
    kind: EncryptionType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum EncryptionType {
    None,
    Kms,
}

/// The destination of segments and spans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Destination {
    #[default]
    XRay,
    CloudWatchLogs,
}

/// The share of spans that become trace summaries, in the form of the API.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IndexingRule {
    name: &'static str,
    modified_at: f64,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    probabilistic: Percentages,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Percentages {
    desired_sampling_percentage: f64,
    actual_sampling_percentage: f64,
}

/// A change of the indexing rule.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IndexingRuleUpdate {
    probabilistic: DesiredPercentage,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DesiredPercentage {
    desired_sampling_percentage: f64,
}

impl Default for EncryptionConfig {
    fn default() -> Self {
        Self { key_id: None, status: "ACTIVE", kind: EncryptionType::None }
    }
}

impl Settings {
    /// Sets the encryption.
    pub(crate) fn encrypt(
        &mut self,
        kind: EncryptionType,
        key_id: Option<String>,
    ) -> Result<EncryptionConfig, AccountError> {
        if let Some(key_id) = &key_id {
            AccountError::length("KeyId", key_id, 1, 3_000)?;
        }
        match (kind, &key_id) {
            (EncryptionType::Kms, None) => {
                return Err(AccountError::Invalid("KeyId: is missing, and the type KMS needs a key".to_owned()));
            }
            (EncryptionType::None, Some(_)) => {
                return Err(AccountError::Invalid("KeyId: is set, and the type NONE has no key".to_owned()));
            }
            _ => {}
        }
        self.encryption = EncryptionConfig { key_id, kind, ..EncryptionConfig::default() };
        Ok(self.encryption.clone())
    }

    /// Returns the indexing rule. By default, the rule indexes 1 % of the spans, the share that X-Ray indexes for free.
    pub(crate) fn indexing_rule(&self) -> IndexingRule {
        self.indexing.clone().unwrap_or_else(|| IndexingRule::of(1.0, 0.0))
    }

    pub(crate) fn update_indexing(
        &mut self,
        name: &str,
        update: &IndexingRuleUpdate,
        now: f64,
    ) -> Result<IndexingRule, AccountError> {
        if name != DEFAULT_RULE {
            return Err(AccountError::NotFound(format!("there is no indexing rule {name:?}")));
        }
        let desired = update.probabilistic.desired_sampling_percentage;
        if !(0.0..=100.0).contains(&desired) {
            let message = format!("Rule.Probabilistic.DesiredSamplingPercentage: must be 0 to 100, and is {desired}");
            return Err(AccountError::Invalid(message));
        }
        let rule = IndexingRule::of(desired, now);
        self.indexing = Some(rule.clone());
        Ok(rule)
    }
}

impl IndexingRule {
    fn of(percentage: f64, modified_at: f64) -> Self {
        let probabilistic =
            Percentages { desired_sampling_percentage: percentage, actual_sampling_percentage: percentage };
        Self { name: DEFAULT_RULE, modified_at, rule: Rule { probabilistic } }
    }
}
