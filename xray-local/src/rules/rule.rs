//! One sampling rule, and what the service asks of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The rule that matches what no other does.
pub(super) const DEFAULT: &str = "Default";

/// What a rule's ARN begins with; region and account are made up.
const ARN: &str = "arn:aws:xray:us-east-1:000000000000:sampling-rule/";

/// A sampling rule, in the names of the API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SamplingRule {
    /// Unique; 1 to 32 characters.
    #[serde(default)]
    pub rule_name: String,
    /// Made from the name.
    #[serde(default, rename = "RuleARN")]
    pub rule_arn: String,
    /// The resource the service runs on, as a pattern; at most 500 characters.
    #[serde(rename = "ResourceARN")]
    pub resource_arn: String,
    /// Lower goes first: 1 to 9999; the default rule has 10000.
    pub priority: u32,
    /// The share of the requests beyond the reservoir: 0 to 1.
    pub fixed_rate: f64,
    /// So many requests a second first, over all who ask.
    pub reservoir_size: u32,
    /// The service's name, as a pattern; at most 64 characters.
    pub service_name: String,
    /// The service's origin, as a pattern; at most 64 characters.
    pub service_type: String,
    /// The request's host, as a pattern; at most 64 characters.
    pub host: String,
    /// The request's method, as a pattern; at most 10 characters.
    #[serde(rename = "HTTPMethod")]
    pub http_method: String,
    /// The path of the request's URL, as a pattern; at most 128 characters.
    #[serde(rename = "URLPath")]
    pub url_path: String,
    /// The format: 1.
    pub version: u32,
    /// What else a request must have, as patterns: at most five, of 32 characters each.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Kept and given back; nothing is boosted here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling_rate_boost: Option<SamplingRateBoost>,
}

/// By how much a rule's rate may rise for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SamplingRateBoost {
    /// The highest rate: 0 to 1.
    pub max_rate: f64,
    /// For so long no second boost follows.
    pub cooldown_window_minutes: u32,
}

/// The fields of a rule to change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SamplingRuleUpdate {
    pub(super) rule_name: Option<String>,
    #[serde(rename = "RuleARN")]
    pub(super) rule_arn: Option<String>,
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<String>,
    priority: Option<u32>,
    fixed_rate: Option<f64>,
    reservoir_size: Option<u32>,
    service_name: Option<String>,
    service_type: Option<String>,
    host: Option<String>,
    #[serde(rename = "HTTPMethod")]
    http_method: Option<String>,
    #[serde(rename = "URLPath")]
    url_path: Option<String>,
    attributes: Option<BTreeMap<String, String>>,
    sampling_rate_boost: Option<SamplingRateBoost>,
}

impl SamplingRule {
    /// One request a second and 5 % of the others, as the service has it.
    pub(super) fn fallback() -> Self {
        let any = || "*".to_owned();
        Self {
            rule_name: DEFAULT.to_owned(),
            rule_arn: arn(DEFAULT),
            resource_arn: any(),
            priority: 10_000,
            fixed_rate: 0.05,
            reservoir_size: 1,
            service_name: any(),
            service_type: any(),
            host: any(),
            http_method: any(),
            url_path: any(),
            version: 1,
            attributes: BTreeMap::new(),
            sampling_rate_boost: None,
        }
    }

    pub(super) fn is_default(&self) -> bool {
        self.rule_name == DEFAULT
    }

    /// The same with the changes.
    pub(super) fn with(mut self, update: SamplingRuleUpdate) -> Self {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(&mut self.resource_arn, update.resource_arn);
        set(&mut self.priority, update.priority);
        set(&mut self.fixed_rate, update.fixed_rate);
        set(&mut self.reservoir_size, update.reservoir_size);
        set(&mut self.service_name, update.service_name);
        set(&mut self.service_type, update.service_type);
        set(&mut self.host, update.host);
        set(&mut self.http_method, update.http_method);
        set(&mut self.url_path, update.url_path);
        set(&mut self.attributes, update.attributes);
        self.sampling_rate_boost = update.sampling_rate_boost.or(self.sampling_rate_boost);
        self
    }

    /// Its name and ARN made one, and all fields held against the limits of the API's model.
    ///
    /// # Errors
    ///
    /// The field that breaks a limit, and the limit.
    pub(super) fn checked(mut self) -> Result<Self, String> {
        self.rule_name = name_of(Some(self.rule_name), Some(self.rule_arn))?;
        self.rule_arn = arn(&self.rule_name);
        self.check_numbers()?;
        for (field, value, limit) in [
            ("ResourceARN", &self.resource_arn, 500),
            ("ServiceName", &self.service_name, 64),
            ("ServiceType", &self.service_type, 64),
            ("Host", &self.host, 64),
            ("HTTPMethod", &self.http_method, 10),
            ("URLPath", &self.url_path, 128),
        ] {
            check_length(field, value, 0, limit)?;
        }
        if self.attributes.len() > 5 {
            return Err(format!("Attributes: at most 5, here are {}", self.attributes.len()));
        }
        for (key, value) in &self.attributes {
            check_length("Attributes: a key", key, 1, 32)?;
            check_length("Attributes: a value", value, 1, 32)?;
        }
        Ok(self)
    }

    fn check_numbers(&self) -> Result<(), String> {
        let priorities = if self.is_default() { 10_000..=10_000 } else { 1..=9999 };
        if !priorities.contains(&self.priority) {
            return Err(format!("Priority: {priorities:?} is allowed, here is {}", self.priority));
        }
        check_share("FixedRate", self.fixed_rate)?;
        if self.version != 1 {
            return Err(format!("Version: 1 is allowed, here is {}", self.version));
        }
        self.sampling_rate_boost
            .as_ref()
            .map_or(Ok(()), |boost| check_share("SamplingRateBoost.MaxRate", boost.max_rate))
    }
}

/// The name of a rule that is named by one of the two.
///
/// # Errors
///
/// If both are given and differ, or none is.
pub(super) fn name_of(name: Option<String>, arn: Option<String>) -> Result<String, String> {
    let name = name.filter(|name| !name.is_empty());
    let from_arn = match arn.filter(|arn| !arn.is_empty()) {
        Some(arn) => match arn.rsplit_once(":sampling-rule/") {
            Some((_, name)) => Some(name.to_owned()),
            None => return Err(format!("RuleARN: {arn:?} is not the ARN of a sampling rule")),
        },
        None => None,
    };
    let name = match (name, from_arn) {
        (Some(name), Some(other)) if name != other => return Err("RuleName and RuleARN name two rules".to_owned()),
        (name, from_arn) => name.or(from_arn).ok_or("a rule needs a RuleName or a RuleARN")?,
    };
    check_length("RuleName", &name, 1, 32)?;
    Ok(name)
}

fn arn(name: &str) -> String {
    format!("{ARN}{name}")
}

fn check_length(field: &str, value: &str, least: usize, most: usize) -> Result<(), String> {
    let length = value.chars().count();
    if (least..=most).contains(&length) {
        return Ok(());
    }
    Err(format!("{field}: {least} to {most} characters are allowed, here are {length}"))
}

fn check_share(field: &str, value: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(format!("{field}: 0 to 1 is allowed, here is {value}"))
}
