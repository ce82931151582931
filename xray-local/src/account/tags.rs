//! Tags of groups and sampling rules.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::AccountError;

/// The most tags of a resource: X-Ray's quota.
pub(super) const MAX_TAGS: usize = 50;

/// The tags of each resource, by ARN. Resources without tags are left out.
#[derive(Debug, Default)]
pub(crate) struct Tags(HashMap<String, BTreeMap<String, String>>);

/// A tag, in the form of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    pub(crate) key: String,
    value: String,
}

/// Tags of a request that are within the limits of the model.
#[derive(Debug)]
pub(crate) struct CheckedTags(Vec<Tag>);

impl Tags {
    /// Returns the tags of a resource in the order of their keys.
    pub(crate) fn of(&self, arn: &str) -> Vec<Tag> {
        let tags = self.0.get(arn).into_iter().flatten();
        tags.map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
    }

    /// Adds tags to a resource. Replaces the values of keys that the resource already has.
    ///
    /// # Errors
    ///
    /// If the resource would have too many tags. In this case, no tag is added.
    pub(crate) fn add(&mut self, arn: &str, tags: CheckedTags) -> Result<(), AccountError> {
        let mut all = self.0.get(arn).cloned().unwrap_or_default();
        all.extend(tags.0.into_iter().map(|tag| (tag.key, tag.value)));
        if all.len() > MAX_TAGS {
            return Err(AccountError::TooManyTags);
        }
        if !all.is_empty() {
            self.0.insert(arn.to_owned(), all);
        }
        Ok(())
    }

    /// Removes tags. Keys that the resource does not have are ignored.
    pub(crate) fn remove(&mut self, arn: &str, keys: &[String]) {
        if let Some(tags) = self.0.get_mut(arn) {
            tags.retain(|key, _| !keys.contains(key));
            if tags.is_empty() {
                self.0.remove(arn);
            }
        }
    }

    /// Removes all tags of a deleted resource.
    pub(crate) fn forget(&mut self, arn: &str) {
        self.0.remove(arn);
    }
}

impl CheckedTags {
    /// Checks tags against the limits of the model.
    ///
    /// # Errors
    ///
    /// If a key or value has a wrong length, or a key begins with `aws:`, or there are too many tags.
    pub(crate) fn of(tags: Vec<Tag>) -> Result<Self, AccountError> {
        for tag in &tags {
            AccountError::length("Tags: a key", &tag.key, 1, 128)?;
            AccountError::length("Tags: a value", &tag.value, 0, 256)?;
            if tag.key.to_ascii_lowercase().starts_with("aws:") {
                let message = format!("Tags: the key {:?} begins with `aws:`, which AWS reserves", tag.key);
                return Err(AccountError::Invalid(message));
            }
        }
        if tags.len() > MAX_TAGS { Err(AccountError::TooManyTags) } else { Ok(Self(tags)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_without_tags_is_left_out() {
        let mut tags = Tags::default();
        let tag = Tag { key: "stage".to_owned(), value: "test".to_owned() };
        tags.add("arn", CheckedTags::of(vec![tag]).unwrap()).unwrap();
        tags.remove("arn", &["other".to_owned()]);
        assert_eq!(tags.of("arn").len(), 1);
        tags.remove("arn", &["stage".to_owned()]);
        assert!(tags.0.is_empty(), "{tags:?}");
    }
}
