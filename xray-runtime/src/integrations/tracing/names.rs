//! The names of the fields that become annotations.

use crate::support::secrets::{SECRET_NAMES, snake_case, suggests_secret};

/// Decides by its name whether a field becomes an annotation.
#[derive(Debug, Clone)]
pub(super) struct FieldNames {
    /// `true` if fields become annotations at all.
    pub(super) with_fields: bool,
    /// The names that suggest a secret.
    secret: Names,
    /// The only names that may be recorded, if they are given.
    only: Option<Box<[String]>>,
}

#[derive(Debug, Clone)]
enum Names {
    Default,
    Given(Box<[String]>),
}

impl FieldNames {
    /// Creates the default: every field becomes an annotation, unless its name suggests a secret.
    pub(super) const fn new() -> Self {
        Self { with_fields: true, secret: Names::Default, only: None }
    }

    /// Sets the names that suggest a secret.
    pub(super) fn set_secret(&mut self, names: impl Iterator<Item = String>) {
        self.secret = Names::Given(names.map(|name| snake_case(&name)).collect());
    }

    /// Sets the only names that may be recorded.
    pub(super) fn set_only(&mut self, names: impl Iterator<Item = String>) {
        self.only = Some(names.collect());
    }

    /// Returns whether a name suggests a secret.
    pub(super) fn is_secret(&self, name: &str) -> bool {
        self.suggests_secret(name, true)
    }

    /// Returns whether a field with a text becomes an annotation.
    pub(super) fn allow_text(&self, name: &str) -> bool {
        self.allow(name, true)
    }

    /// Returns whether a field with a number or a boolean becomes an annotation. A number under a name in the plural is
    /// a count: `max_tokens`.
    pub(super) fn allow_number(&self, name: &str) -> bool {
        self.allow(name, false)
    }

    fn allow(&self, name: &str, plural: bool) -> bool {
        let is_listed = || self.only.as_ref().is_none_or(|only| only.iter().any(|listed| listed == name));
        self.with_fields && is_listed() && !self.suggests_secret(name, plural)
    }

    fn suggests_secret(&self, name: &str, plural: bool) -> bool {
        match &self.secret {
            Names::Default => suggests_secret(name, SECRET_NAMES, plural),
            Names::Given(names) => suggests_secret(name, names, plural),
        }
    }
}
