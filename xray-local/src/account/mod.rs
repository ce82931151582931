//! The X-Ray resources of an AWS account in addition to traces and sampling rules: groups, tags, policies, settings and
//! trace retrievals. They are kept in memory.
//!
//! Shapes and limits come from the API's model, `xray-2016-04-12`.

mod groups;
mod policies;
mod retrievals;
mod settings;
mod tags;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use groups::{Group, GroupChange, Groups, InsightsConfiguration};
pub(crate) use policies::{Policies, ResourcePolicy};
pub(crate) use retrievals::{Retrieval, Retrievals};
pub(crate) use settings::{Destination, EncryptionType, IndexingRuleUpdate, Settings};
pub(crate) use tags::{CheckedTags, Tag, Tags};

use crate::filter::NamedFilter;

/// The account. A clone is a handle to the same account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account(Arc<Mutex<Contents>>);

/// The contents of the account.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) groups: Groups,
    pub(crate) tags: Tags,
    pub(crate) policies: Policies,
    pub(crate) settings: Settings,
    pub(crate) retrievals: Retrievals,
}

/// The reason why an operation on the account failed. Each variant becomes an error of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AccountError {
    /// The request is invalid. For example, it exceeds a limit or names an unknown group. The text describes the
    /// problem.
    Invalid(String),
    /// The resource does not exist. The text names the resource.
    NotFound(String),
    TooManyTags,
    MalformedPolicy(String),
    PolicyTooLarge,
    TooManyPolicies,
    /// The policy does not have the revision that the request expects.
    WrongRevision(String),
}

impl Account {
    /// Locks the account, and returns its contents.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the groups as named filters, which a filter expression may refer to.
    pub(crate) fn named_filters(&self) -> Arc<[NamedFilter]> {
        self.lock().groups.named_filters()
    }
}

impl AccountError {
    fn length(field: &str, text: &str, least: usize, most: usize) -> Result<(), Self> {
        let length = text.chars().count();
        if (least..=most).contains(&length) {
            return Ok(());
        }
        Err(Self::Invalid(format!("{field}: must have {least} to {most} characters, and has {length}")))
    }
}

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(message) | Self::NotFound(message) | Self::MalformedPolicy(message) => {
                formatter.write_str(message)
            }
            Self::WrongRevision(message) => formatter.write_str(message),
            Self::TooManyTags => write!(formatter, "a resource has at most {} tags", tags::MAX_TAGS),
            Self::PolicyTooLarge => write!(formatter, "a policy has at most {} bytes", policies::MAX_BYTES),
            Self::TooManyPolicies => write!(formatter, "there are at most {} policies", policies::MAX_POLICIES),
        }
    }
}
