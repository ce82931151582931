//! Resource policies. They are stored and returned, but have no effect.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::AccountError;

/// The most policies: X-Ray's quota.
pub(super) const MAX_POLICIES: usize = 5;

/// The most bytes of a policy: X-Ray's quota.
pub(super) const MAX_BYTES: usize = 5 * 1024;

/// The policies, by name.
#[derive(Debug, Default)]
pub(crate) struct Policies(BTreeMap<String, ResourcePolicy>);

/// A resource policy, in the form of the API.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResourcePolicy {
    pub(crate) policy_name: String,
    policy_document: String,
    policy_revision_id: String,
    last_updated_time: f64,
}

impl Policies {
    /// Returns all policies in the order of their names.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ResourcePolicy> {
        self.0.values()
    }

    /// Creates or replaces a policy. If `revision` is given, the existing policy must have this revision. Revision 0
    /// means that the policy must not exist yet.
    pub(crate) fn put(
        &mut self,
        name: &str,
        document: String,
        revision: Option<&str>,
        now: f64,
    ) -> Result<ResourcePolicy, AccountError> {
        check_name(name)?;
        check_document(&document)?;
        self.check_revision(name, revision)?;
        if self.0.len() == MAX_POLICIES && !self.0.contains_key(name) {
            return Err(AccountError::TooManyPolicies);
        }
        let before = self.0.get(name).and_then(|policy| policy.policy_revision_id.parse::<u64>().ok());
        let policy = ResourcePolicy {
            policy_name: name.to_owned(),
            policy_document: document,
            policy_revision_id: (before.unwrap_or_default() + 1).to_string(),
            last_updated_time: now,
        };
        self.0.insert(name.to_owned(), policy.clone());
        Ok(policy)
    }

    /// Deletes a policy if it exists. If `revision` is given, the policy must have this revision.
    pub(crate) fn delete(&mut self, name: &str, revision: Option<&str>) -> Result<(), AccountError> {
        check_name(name)?;
        self.check_revision(name, revision)?;
        self.0.remove(name);
        Ok(())
    }

    fn check_revision(&self, name: &str, revision: Option<&str>) -> Result<(), AccountError> {
        let Some(wanted) = revision else { return Ok(()) };
        let found = self.0.get(name).map_or("0", |policy| policy.policy_revision_id.as_str());
        if wanted == found {
            return Ok(());
        }
        Err(AccountError::WrongRevision(format!(
            "PolicyRevisionId: is {wanted:?}, and the policy {name:?} has {found:?}"
        )))
    }
}

fn check_name(name: &str) -> Result<(), AccountError> {
    AccountError::length("PolicyName", name, 1, 128)?;
    if name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter)) {
        return Ok(());
    }
    Err(AccountError::Invalid("PolicyName: may have letters, digits and _+=,.@- only".to_owned()))
}

fn check_document(document: &str) -> Result<(), AccountError> {
    if document.len() > MAX_BYTES {
        return Err(AccountError::PolicyTooLarge);
    }
    match serde_json::from_str::<Value>(document) {
        Ok(Value::Object(fields)) if fields.contains_key("Statement") => Ok(()),
        Ok(_) => Err(AccountError::MalformedPolicy("PolicyDocument: has no Statement".to_owned())),
        Err(error) => Err(AccountError::MalformedPolicy(format!("PolicyDocument: is not JSON: {error}"))),
    }
}
