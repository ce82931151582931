//! Sampling rules as the service keeps them: made, changed and deleted over the API, held in memory and in a file.
//!
//! Shapes and limits are those of the API's model (`xray-2016-04-12`); of a [`SamplingRule`] the SDKs know what it
//! means, this only keeps it and shares out its reservoir.

mod file;
mod rule;
mod targets;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use self::file::RulesFile;
pub use self::rule::{SamplingRateBoost, SamplingRule, SamplingRuleUpdate};
use self::targets::Shares;
pub use self::targets::{SamplingStatistics, SamplingTarget, UnprocessedStatistics};

/// So many rules beside the default one; the service's quota.
const RULES: usize = 25;

/// The rules; a clone is the same ones.
///
/// Of these the default rule is always there; at most 25 others are. The time that each operation is given is the moment
/// it is, in seconds since 1970 ([`time::now`](crate::time::now)).
///
/// ```
/// use xray_local::rules::SamplingRules;
/// use xray_local::time::now;
///
/// let rules = SamplingRules::open(None, now())?;
/// let rule = serde_json::from_str(
///     r#"{"RuleName":"carts","ResourceARN":"*","Priority":10,"FixedRate":0.5,"ReservoirSize":4,"ServiceName":"shop",
///         "ServiceType":"*","Host":"*","HTTPMethod":"GET","URLPath":"/carts/*","Version":1}"#,
/// )?;
/// rules.create(rule, now())?;
/// let names: Vec<_> = rules.records().into_iter().map(|record| record.sampling_rule.rule_name).collect();
/// assert_eq!(names, ["carts", "Default"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SamplingRules(Arc<Mutex<State>>);

/// A rule, and when it was made and changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SamplingRuleRecord {
    /// The rule.
    pub sampling_rule: SamplingRule,
    /// In seconds since 1970; 0 for the default rule.
    pub created_at: f64,
    /// In seconds since 1970.
    pub modified_at: f64,
}

/// The answer to statistics.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SamplingTargets {
    sampling_target_documents: Vec<SamplingTarget>,
    last_rule_modification: f64,
    unprocessed_statistics: Vec<UnprocessedStatistics>,
}

/// Why a rule was not made, changed or deleted.
#[derive(Debug)]
pub enum RuleError {
    /// What was asked for is against a limit, or names no rule; says which.
    Invalid(String),
    /// There are 25 rules already.
    LimitExceeded,
    /// The rules file could not be written; nothing is changed.
    File(io::Error),
}

#[derive(Debug)]
struct State {
    records: BTreeMap<String, SamplingRuleRecord>,
    shares: BTreeMap<String, Shares>,
    modified_at: f64,
    file: Option<RulesFile>,
}

impl SamplingRules {
    /// The default rule, and those of the file if one is given; it need not be there yet.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or a rule in it is against a limit.
    pub fn open(file: Option<&Path>, now: f64) -> io::Result<Self> {
        let fallback =
            SamplingRuleRecord { sampling_rule: SamplingRule::fallback(), created_at: 0.0, modified_at: now };
        let file = file.map(RulesFile::new);
        let kept = file.as_ref().map_or(Ok(Vec::new()), RulesFile::read)?;
        let mut records = BTreeMap::new();
        for record in [fallback].into_iter().chain(kept) {
            let rule =
                record.sampling_rule.checked().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            records.insert(rule.rule_name.clone(), SamplingRuleRecord { sampling_rule: rule, ..record });
        }
        let state = State { records, shares: BTreeMap::new(), modified_at: now, file };
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    /// All rules in the order in which they are tried.
    #[must_use]
    pub fn records(&self) -> Vec<SamplingRuleRecord> {
        let mut records: Vec<_> = self.state().records.values().cloned().collect();
        // Those of one priority stay in the order of their names.
        records.sort_by_key(|record| record.sampling_rule.priority);
        records
    }

    /// Makes a rule.
    ///
    /// # Errors
    ///
    /// If there is one of that name, there are too many, a field is against a limit, or the file cannot be written.
    pub fn create(&self, rule: SamplingRule, now: f64) -> Result<SamplingRuleRecord, RuleError> {
        let rule = rule.checked().map_err(RuleError::Invalid)?;
        let mut state = self.state();
        if state.records.contains_key(&rule.rule_name) {
            return Err(RuleError::Invalid(format!("there is a rule of the name {:?} already", rule.rule_name)));
        }
        if state.records.len() > RULES {
            return Err(RuleError::LimitExceeded);
        }
        state.put(SamplingRuleRecord { sampling_rule: rule, created_at: now, modified_at: now })
    }

    /// Changes a rule. Of the default rule only the rate and the reservoir change.
    ///
    /// # Errors
    ///
    /// If there is none of that name, a field is against a limit, or the file cannot be written.
    pub fn update(&self, mut update: SamplingRuleUpdate, now: f64) -> Result<SamplingRuleRecord, RuleError> {
        let name = rule::name_of(update.rule_name.take(), update.rule_arn.take()).map_err(RuleError::Invalid)?;
        let mut state = self.state();
        let old = state.record(&name)?.clone();
        let rule = old.sampling_rule.with(update).checked().map_err(RuleError::Invalid)?;
        let only_numbers = SamplingRule {
            fixed_rate: rule.fixed_rate,
            reservoir_size: rule.reservoir_size,
            ..SamplingRule::fallback()
        };
        if rule.is_default() && rule != only_numbers {
            return Err(RuleError::Invalid(
                "of the default rule only FixedRate and ReservoirSize can change".to_owned(),
            ));
        }
        state.put(SamplingRuleRecord { sampling_rule: rule, created_at: old.created_at, modified_at: now })
    }

    /// Deletes a rule that is named by its name or its ARN.
    ///
    /// # Errors
    ///
    /// If there is none of that name, it is the default rule, or the file cannot be written.
    pub fn delete(&self, name: Option<String>, arn: Option<String>, now: f64) -> Result<SamplingRuleRecord, RuleError> {
        let name = rule::name_of(name, arn).map_err(RuleError::Invalid)?;
        let mut state = self.state();
        let record = state.record(&name)?.clone();
        if record.sampling_rule.is_default() {
            return Err(RuleError::Invalid("the default rule cannot be deleted".to_owned()));
        }
        let mut records = state.records.clone();
        records.remove(&name);
        state.replace(records, now)?;
        state.shares.remove(&name);
        Ok(record)
    }

    /// What each client may do by each rule that it tells of.
    #[must_use]
    pub fn targets(&self, statistics: &[SamplingStatistics], now: f64) -> SamplingTargets {
        let mut state = self.state();
        let (mut targets, mut unprocessed) = (Vec::new(), Vec::new());
        for SamplingStatistics { rule_name, client_id, .. } in statistics {
            match state.target(rule_name, client_id, now) {
                Ok(target) => targets.push(target),
                Err(message) => unprocessed.push(UnprocessedStatistics::new(rule_name, message)),
            }
        }
        SamplingTargets {
            sampling_target_documents: targets,
            last_rule_modification: state.modified_at,
            unprocessed_statistics: unprocessed,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn record(&self, name: &str) -> Result<&SamplingRuleRecord, RuleError> {
        self.records.get(name).ok_or_else(|| RuleError::Invalid(format!("there is no rule of the name {name:?}")))
    }

    fn put(&mut self, record: SamplingRuleRecord) -> Result<SamplingRuleRecord, RuleError> {
        let mut records = self.records.clone();
        records.insert(record.sampling_rule.rule_name.clone(), record.clone());
        self.replace(records, record.modified_at)?;
        Ok(record)
    }

    /// The file first: what it does not hold is not a rule.
    fn replace(&mut self, records: BTreeMap<String, SamplingRuleRecord>, now: f64) -> Result<(), RuleError> {
        if let Some(file) = &self.file {
            file.write(&records.values().collect::<Vec<_>>()).map_err(RuleError::File)?;
        }
        self.records = records;
        self.modified_at = now;
        Ok(())
    }

    fn target(&mut self, name: &str, client: &str, now: f64) -> Result<SamplingTarget, String> {
        let record = self.records.get(name).ok_or_else(|| format!("there is no rule of the name {name:?}"))?;
        if client.len() != 24 || !client.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("ClientID: 24 hexadecimal digits are expected, here is {client:?}"));
        }
        Ok(self.shares.entry(name.to_owned()).or_default().renew(&record.sampling_rule, client, now))
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(message) => formatter.write_str(message),
            Self::LimitExceeded => write!(formatter, "there are {RULES} rules already"),
            Self::File(error) => write!(formatter, "the rules file cannot be written: {error}"),
        }
    }
}

impl std::error::Error for RuleError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::File(error) => Some(error),
            _ => None,
        }
    }
}
