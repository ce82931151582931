//! Groups: named filter expressions.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::AccountError;
use crate::filter::{Filter, NamedFilter};
use crate::optional::or_default;

/// The name of the default group, which contains all traces and always exists.
const DEFAULT: &str = "Default";

/// The most groups in addition to the default group: X-Ray's quota.
const MAX_GROUPS: usize = 25;

/// The start of each group's ARN, with an invented region and account.
const ARN: &str = "arn:aws:xray:us-east-1:000000000000:group/";

/// The groups, by name.
#[derive(Debug)]
pub(crate) struct Groups {
    by_name: BTreeMap<String, Kept>,
    /// The filters of the groups, made again after each change. A search takes them without a copy.
    filters: Arc<[NamedFilter]>,
    /// The number of groups created so far, which makes ARNs unique.
    created: u64,
}

#[derive(Debug)]
struct Kept {
    group: Group,
    filter: Filter,
}

/// A group, in the form of the API.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "these are the names of the API")]
pub(crate) struct Group {
    pub(crate) group_name: String,
    #[serde(rename = "GroupARN")]
    pub(crate) group_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_expression: Option<String>,
    insights_configuration: InsightsConfiguration,
}

/// The insights settings of a group, in the form of the API. They are stored and returned, but have no effect:
/// `xray-local` never finds insights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct InsightsConfiguration {
    #[serde(deserialize_with = "or_default")]
    insights_enabled: bool,
    #[serde(deserialize_with = "or_default")]
    notifications_enabled: bool,
}

/// The fields of a group to set; `None` leaves a field unchanged.
#[derive(Debug, Default)]
pub(crate) struct GroupChange {
    pub(crate) filter_expression: Option<String>,
    pub(crate) insights_configuration: Option<InsightsConfiguration>,
}

impl Default for Groups {
    fn default() -> Self {
        let group = Group {
            group_name: DEFAULT.to_owned(),
            group_arn: format!("{ARN}{DEFAULT}"),
            filter_expression: None,
            insights_configuration: InsightsConfiguration::default(),
        };
        let by_name = BTreeMap::from([(DEFAULT.to_owned(), Kept { group, filter: Filter::everything() })]);
        Self { filters: named_filters(&by_name), by_name, created: 0 }
    }
}

impl Groups {
    /// Returns all groups in the order of their names.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Group> {
        self.by_name.values().map(|kept| &kept.group)
    }

    /// Returns the groups as named filters, in the order of their names.
    pub(crate) fn named_filters(&self) -> Arc<[NamedFilter]> {
        Arc::clone(&self.filters)
    }

    pub(crate) fn create(&mut self, name: &str, change: GroupChange) -> Result<Group, AccountError> {
        AccountError::length("GroupName", name, 1, 32)?;
        if self.by_name.contains_key(name) {
            return Err(AccountError::Invalid(format!("a group named {name:?} already exists")));
        }
        if self.by_name.len() > MAX_GROUPS {
            let message =
                format!("there are already {MAX_GROUPS} groups, the most that X-Ray allows; delete one first");
            return Err(AccountError::Invalid(message));
        }
        let filter = filter(change.filter_expression.as_deref().unwrap_or_default())?;
        self.created += 1;
        let group = Group {
            group_name: name.to_owned(),
            group_arn: format!("{ARN}{name}/{:016X}", self.created),
            filter_expression: change.filter_expression,
            insights_configuration: change.insights_configuration.unwrap_or_default(),
        };
        self.by_name.insert(name.to_owned(), Kept { group: group.clone(), filter });
        self.filters = named_filters(&self.by_name);
        Ok(group)
    }

    /// Returns the group that a request names by its name, its ARN, or both.
    pub(crate) fn find(&self, name: Option<&str>, arn: Option<&str>) -> Result<&Group, AccountError> {
        let key = self.key(name, arn)?;
        Ok(&self.by_name[&key].group)
    }

    /// Returns the filter of the group that a request names. Returns the filter of all traces if the request names no
    /// group.
    pub(crate) fn filter(&self, name: Option<&str>, arn: Option<&str>) -> Result<Filter, AccountError> {
        if name.is_none() && arn.is_none() {
            return Ok(Filter::everything());
        }
        let key = self.key(name, arn)?;
        Ok(self.by_name[&key].filter.clone())
    }

    pub(crate) fn update(
        &mut self,
        name: Option<&str>,
        arn: Option<&str>,
        change: GroupChange,
    ) -> Result<Group, AccountError> {
        let key = self.key(name, arn)?;
        if key == DEFAULT && change.filter_expression.is_some() {
            return Err(AccountError::Invalid("the group \"Default\" has no filter expression".to_owned()));
        }
        let new_filter = change.filter_expression.as_deref().map(filter).transpose()?;
        let kept = self.by_name.get_mut(&key).expect("`key` returns the name of a group");
        if let Some(filter) = new_filter {
            kept.filter = filter;
            kept.group.filter_expression = change.filter_expression;
        }
        if let Some(configuration) = change.insights_configuration {
            kept.group.insights_configuration = configuration;
        }
        let group = kept.group.clone();
        self.filters = named_filters(&self.by_name);
        Ok(group)
    }

    /// Deletes a group, and returns the deleted group.
    pub(crate) fn delete(&mut self, name: Option<&str>, arn: Option<&str>) -> Result<Group, AccountError> {
        let key = self.key(name, arn)?;
        if key == DEFAULT {
            return Err(AccountError::Invalid("the group \"Default\" cannot be deleted".to_owned()));
        }
        let kept = self.by_name.remove(&key).expect("`key` returns the name of a group");
        self.filters = named_filters(&self.by_name);
        Ok(kept.group)
    }

    fn key(&self, name: Option<&str>, arn: Option<&str>) -> Result<String, AccountError> {
        if name.is_none() && arn.is_none() {
            return Err(AccountError::Invalid("GroupName and GroupARN are both missing; send one of them".to_owned()));
        }
        let is_wanted = |group: &&Group| {
            name.is_none_or(|name| name == group.group_name) && arn.is_none_or(|arn| arn == group.group_arn)
        };
        let found = self.all().find(is_wanted).map(|group| group.group_name.clone());
        found.ok_or_else(|| {
            let named = [name, arn].into_iter().flatten().map(|text| format!("{text:?}")).collect::<Vec<_>>();
            AccountError::Invalid(format!("there is no group {}", named.join(" ")))
        })
    }
}

fn named_filters(groups: &BTreeMap<String, Kept>) -> Arc<[NamedFilter]> {
    let named = |kept: &Kept| NamedFilter {
        name: kept.group.group_name.clone(),
        arn: kept.group.group_arn.clone(),
        filter: kept.filter.clone(),
    };
    groups.values().map(named).collect()
}

fn filter(expression: &str) -> Result<Filter, AccountError> {
    Filter::parse(expression).map_err(|error| AccountError::Invalid(format!("FilterExpression: {error}")))
}
