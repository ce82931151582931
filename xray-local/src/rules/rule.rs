//! A sampling rule and its limits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::optional::or_default;

/// The name of the default rule, which applies to requests that no other rule matches.
pub(super) const DEFAULT: &str = "Default";

/// The start of each rule's ARN, with an invented region and account.
const ARN: &str = "arn:aws:xray:us-east-1:000000000000:sampling-rule/";

/// A sampling rule of the X-Ray API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SamplingRule {
    /// The unique name: 1 to 32 characters.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) rule_name: String,
    /// The ARN, which is made from the name.
    #[serde(default, deserialize_with = "or_default", rename = "RuleARN")]
    pub(crate) rule_arn: String,
    /// A pattern for the ARN of the resource on which the service runs: at most 500 characters.
    #[serde(rename = "ResourceARN")]
    pub(crate) resource_arn: String,
    /// The priority: 1 (tried first) to 9999. The default rule has 10000.
    pub(crate) priority: u32,
    /// The share of requests to sample after the reservoir is used up: 0 to 1.
    pub(crate) fixed_rate: f64,
    /// The number of requests per second to sample before `fixed_rate` applies, over all clients together.
    pub(crate) reservoir_size: u32,
    /// A pattern for the service's name: at most 64 characters.
    pub(crate) service_name: String,
    /// A pattern for the service's origin: at most 64 characters.
    pub(crate) service_type: String,
    /// A pattern for the request's host: at most 64 characters.
    pub(crate) host: String,
    /// A pattern for the request's method: at most 10 characters.
    #[serde(rename = "HTTPMethod")]
    pub(crate) http_method: String,
    /// A pattern for the path of the request's URL: at most 128 characters.
    #[serde(rename = "URLPath")]
    pub(crate) url_path: String,
    /// The version of the rule format: 1.
    pub(crate) version: u32,
    /// Patterns for attributes of the request: at most 5, with keys and values of 1 to 32 characters.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) attributes: BTreeMap<String, String>,
    /// The rate boost after an anomaly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sampling_rate_boost: Option<SamplingRateBoost>,
}

/// A temporary increase of a rule's rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SamplingRateBoost {
    /// The highest rate of the boost: 0 to 1.
    pub(crate) max_rate: f64,
    /// The number of minutes after a boost without another boost.
    pub(crate) cooldown_window_minutes: u32,
}

/// The fields of a rule to update; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct SamplingRuleUpdate {
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
    /// Returns X-Ray's default rule: one request per second, and 5 % of the others.
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

    /// Applies an update.
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

    /// Checks all fields against the limits of the API's model, and sets the ARN from the name or the name from the
    /// ARN.
    ///
    /// # Errors
    ///
    /// A message that names the field and its limit.
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
            return Err(format!("Attributes: must have at most 5 entries, and has {}", self.attributes.len()));
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
            return Err(format!(
                "Priority: must be {} to {}, and is {}",
                priorities.start(),
                priorities.end(),
                self.priority
            ));
        }
        check_share("FixedRate", self.fixed_rate)?;
        if self.version != 1 {
            return Err(format!("Version: must be 1, and is {}", self.version));
        }
        self.sampling_rate_boost
            .as_ref()
            .map_or(Ok(()), |boost| check_share("SamplingRateBoost.MaxRate", boost.max_rate))
    }
}

/// Returns the name of the rule that a request identifies by its name or its ARN.
///
/// # Errors
///
/// If the request has both or neither, or if the ARN is that of another region or account.
pub(super) fn identified(name: Option<String>, arn: Option<String>) -> Result<String, String> {
    let [name, arn] = [name, arn].map(|text| text.filter(|text| !text.is_empty()));
    match (name, arn) {
        (Some(_), Some(_)) => Err("RuleName and RuleARN are both present; send one of them".to_owned()),
        (None, Some(arn)) if !arn.starts_with(ARN) => Err(format!("RuleARN: there is no sampling rule {arn:?}")),
        (name, arn) => name_of(name, arn),
    }
}

/// Returns the name of a rule in a file or of a new rule, which may have a name, an ARN, or both. The ARN may be that
/// of another region or account, as in a file that `aws xray get-sampling-rules` wrote.
///
/// # Errors
///
/// If the name and the ARN identify different rules, or both are missing.
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
        (Some(name), Some(other)) if name != other => {
            return Err("RuleName and RuleARN identify different rules".to_owned());
        }
        (name, from_arn) => name.or(from_arn).ok_or("RuleName and RuleARN are both missing; send one of them")?,
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
    Err(format!("{field}: must have {least} to {most} characters, and has {length}"))
}

fn check_share(field: &str, value: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(format!("{field}: must be 0 to 1, and is {value}"))
}
