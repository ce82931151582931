//! Sampling rules: created, updated and deleted through the API, kept in memory and in a file.
//!
//! Shapes and limits come from the API's model, `xray-2016-04-12`. This module stores a [`SamplingRule`] and divides
//! its reservoir among clients. The SDKs match requests against the rule and make the sampling decisions.

mod boost;
mod file;
mod rule;
mod sampling;
mod statistics;
mod targets;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use self::boost::Boost;
pub(crate) use self::boost::BoostStatistics;
use self::file::RulesFile;
pub(crate) use self::rule::{SamplingRule, SamplingRuleUpdate};
pub use self::sampling::Sampling;
pub(crate) use self::statistics::SamplingStatisticSummary;
use self::statistics::Windows;
use self::targets::Shares;
pub(crate) use self::targets::{SamplingStatistics, SamplingTarget, UnprocessedStatistics};

/// The most rules in addition to the default rule: X-Ray's quota.
const MAX_RULES: usize = 25;

/// The sampling rules: the default rule, and at most 25 others. A clone is a handle to the same rules.
///
/// Each operation takes the current time, in seconds since 1970 ([`time::now`](crate::time::now)).
#[derive(Debug, Clone)]
pub(crate) struct SamplingRules(Arc<Mutex<State>>);

/// A rule with the times of its creation and last change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SamplingRuleRecord {
    /// The rule.
    pub(crate) sampling_rule: SamplingRule,
    /// The time of creation in seconds since 1970; 0 for the default rule.
    pub(crate) created_at: f64,
    /// The time of the last change in seconds since 1970.
    pub(crate) modified_at: f64,
}

/// The response to `GetSamplingTargets`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SamplingTargets {
    sampling_target_documents: Vec<SamplingTarget>,
    last_rule_modification: f64,
    unprocessed_statistics: Vec<UnprocessedStatistics>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unprocessed_boost_statistics: Vec<UnprocessedStatistics>,
}

/// Why a rule was not created, updated or deleted.
#[derive(Debug)]
pub(crate) enum RuleError {
    /// The request exceeds a limit or names no rule. The text says which.
    Invalid(String),
    /// There are already 25 rules.
    LimitExceeded,
    /// The rules file could not be written. The rules are unchanged.
    File(io::Error),
}

/// The default rule of a server without a rules file, and the number of the other rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DefaultRule {
    /// The setting that the rule has. `None` if its rate or reservoir was changed through the API.
    pub(crate) sampling: Option<Sampling>,
    pub(crate) rate: f64,
    pub(crate) reservoir: u32,
    /// The number of rules that SDKs try before the default rule.
    pub(crate) others: u64,
}

#[derive(Debug)]
struct State {
    records: BTreeMap<String, SamplingRuleRecord>,
    clients: BTreeMap<String, Clients>,
    modified_at: f64,
    file: Option<RulesFile>,
    /// `true` if a program has asked for the rules.
    were_requested: bool,
}

/// The state of a rule that depends on the reports of clients.
#[derive(Debug, Default)]
struct Clients {
    shares: Shares,
    windows: Windows,
    boost: Option<Boost>,
}

impl SamplingRules {
    /// Returns the default rule and the rules in the file. The file need not exist. `sampling` is the default rule of
    /// rules without a file. With a file the default rule is that of AWS, unless the file has another one.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or it exceeds a limit.
    pub(crate) fn open(file: Option<&Path>, sampling: Sampling, now: f64) -> io::Result<Self> {
        let sampling = if file.is_some() { Sampling::Aws } else { sampling };
        let fallback = default_record(sampling, now);
        let file = file.map(RulesFile::new);
        let kept = file.as_ref().map_or(Ok(Vec::new()), RulesFile::read)?;
        let mut records = BTreeMap::new();
        for record in [fallback].into_iter().chain(kept) {
            let rule =
                record.sampling_rule.checked().map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            records.insert(rule.rule_name.clone(), SamplingRuleRecord { sampling_rule: rule, ..record });
        }
        let others = records.len() - 1;
        if others > MAX_RULES {
            let message =
                format!("the file has {others} rules besides the default rule, and X-Ray allows at most {MAX_RULES}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let state = State { records, clients: BTreeMap::new(), modified_at: now, file, were_requested: false };
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    /// Returns all rules in the order in which SDKs try them: by priority, then by name.
    #[must_use]
    pub(crate) fn records(&self) -> Vec<SamplingRuleRecord> {
        let mut records: Vec<_> = self.state().records.values().cloned().collect();
        // The map is ordered by name, and a stable sort keeps that order among equal priorities.
        records.sort_by_key(|record| record.sampling_rule.priority);
        records
    }

    /// Returns whether a rule has an ARN.
    pub(crate) fn has_arn(&self, arn: &str) -> bool {
        self.state().records.values().any(|record| record.sampling_rule.rule_arn == arn)
    }

    /// Notes that a program has asked for the rules.
    pub(crate) fn note_request(&self) {
        self.state().were_requested = true;
    }

    /// Returns whether a program has asked for the rules.
    pub(crate) fn were_requested(&self) -> bool {
        self.state().were_requested
    }

    /// Returns the default rule. Returns `None` if the rules are kept in a file: their author knows them.
    pub(crate) fn default_rule(&self) -> Option<DefaultRule> {
        let state = self.state();
        if state.file.is_some() {
            return None;
        }
        let rule = &state.records.get(rule::DEFAULT)?.sampling_rule;
        let has_setting = |sampling: &Sampling| *rule == sampling.rule();
        Some(DefaultRule {
            sampling: [Sampling::Everything, Sampling::Aws].into_iter().find(has_setting),
            rate: rule.fixed_rate,
            reservoir: rule.reservoir_size,
            others: state.records.len() as u64 - 1,
        })
    }

    /// Changes what the default rule records. Returns `false` and changes nothing if the rules are kept in a file.
    #[must_use]
    pub(crate) fn set_sampling(&self, sampling: Sampling, now: f64) -> bool {
        // Without a file, nothing can fail.
        let mut state = self.state();
        state.file.is_none() && state.put(default_record(sampling, now)).is_ok()
    }

    /// Creates a rule.
    ///
    /// # Errors
    ///
    /// If a rule of that name exists, there are 25 rules, a field exceeds a limit, or the file cannot be written.
    pub(crate) fn create(&self, rule: SamplingRule, now: f64) -> Result<SamplingRuleRecord, RuleError> {
        let rule = rule.checked().map_err(RuleError::Invalid)?;
        let mut state = self.state();
        if state.records.contains_key(&rule.rule_name) {
            return Err(RuleError::Invalid(format!("a rule named {:?} already exists", rule.rule_name)));
        }
        if state.records.len() > MAX_RULES {
            return Err(RuleError::LimitExceeded);
        }
        state.put(SamplingRuleRecord { sampling_rule: rule, created_at: now, modified_at: now })
    }

    /// Updates a rule. The default rule's rate and reservoir can be updated, its other fields cannot.
    ///
    /// # Errors
    ///
    /// If no rule has that name, a field exceeds a limit, or the file cannot be written.
    pub(crate) fn update(&self, mut update: SamplingRuleUpdate, now: f64) -> Result<SamplingRuleRecord, RuleError> {
        let name = rule::identified(update.rule_name.take(), update.rule_arn.take()).map_err(RuleError::Invalid)?;
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
                "only FixedRate and ReservoirSize of the default rule can be updated".to_owned(),
            ));
        }
        state.put(SamplingRuleRecord { sampling_rule: rule, created_at: old.created_at, modified_at: now })
    }

    /// Deletes the rule with a name or an ARN.
    ///
    /// # Errors
    ///
    /// If no rule has that name, it is the default rule, or the file cannot be written.
    pub(crate) fn delete(
        &self,
        name: Option<String>,
        arn: Option<String>,
        now: f64,
    ) -> Result<SamplingRuleRecord, RuleError> {
        let name = rule::identified(name, arn).map_err(RuleError::Invalid)?;
        let mut state = self.state();
        let record = state.record(&name)?.clone();
        if record.sampling_rule.is_default() {
            return Err(RuleError::Invalid("the default rule cannot be deleted".to_owned()));
        }
        let mut records = state.records.clone();
        records.remove(&name);
        state.replace(records, now)?;
        state.clients.remove(&name);
        Ok(record)
    }

    /// Returns a sampling target for each statistics document: how much the client may sample by the rule. Reports in
    /// `boosts` may start boosts of their rules.
    #[must_use]
    pub(crate) fn targets(
        &self,
        statistics: &[SamplingStatistics],
        boosts: &[BoostStatistics],
        now: f64,
    ) -> SamplingTargets {
        let mut state = self.state();
        // Process the boosts first, so that a client that reports an anomaly receives the boost with its target.
        let mut unprocessed_boosts = Vec::new();
        for boost in boosts {
            if let Err(message) = state.boost(boost, now) {
                unprocessed_boosts.push(UnprocessedStatistics::new(&boost.rule_name, message));
            }
        }
        let (mut targets, mut unprocessed) = (Vec::new(), Vec::new());
        for report in statistics {
            match state.target(report, now) {
                Ok(target) => targets.push(target),
                Err(message) => unprocessed.push(UnprocessedStatistics::new(&report.rule_name, message)),
            }
        }
        SamplingTargets {
            sampling_target_documents: targets,
            last_rule_modification: state.modified_at,
            unprocessed_statistics: unprocessed,
            unprocessed_boost_statistics: unprocessed_boosts,
        }
    }

    /// Returns the statistics that clients reported in the last ten minutes, in the order of
    /// [`SamplingStatisticSummary::key`].
    pub(crate) fn statistics(&self, now: f64) -> Vec<SamplingStatisticSummary> {
        let state = self.state();
        let all = state.clients.iter().flat_map(|(rule, clients)| clients.windows.summaries(rule, now));
        let mut summaries: Vec<_> = all.collect();
        summaries.sort_by_cached_key(SamplingStatisticSummary::key);
        summaries
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn record(&self, name: &str) -> Result<&SamplingRuleRecord, RuleError> {
        self.records.get(name).ok_or_else(|| RuleError::Invalid(no_rule(name)))
    }

    fn put(&mut self, record: SamplingRuleRecord) -> Result<SamplingRuleRecord, RuleError> {
        let mut records = self.records.clone();
        records.insert(record.sampling_rule.rule_name.clone(), record.clone());
        self.replace(records, record.modified_at)?;
        Ok(record)
    }

    /// Replaces the rules. Writes the file first: if that fails, the rules stay unchanged, and a restart loses none.
    fn replace(&mut self, records: BTreeMap<String, SamplingRuleRecord>, now: f64) -> Result<(), RuleError> {
        if let Some(file) = &self.file {
            file.write(&records.values().collect::<Vec<_>>()).map_err(RuleError::File)?;
        }
        self.records = records;
        self.modified_at = now;
        Ok(())
    }

    fn target(&mut self, report: &SamplingStatistics, now: f64) -> Result<SamplingTarget, String> {
        let (name, client) = (&report.rule_name, &report.client_id);
        let record = self.records.get(name).ok_or_else(|| no_rule(name))?;
        if client.len() != 24 || !client.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("ClientID: must be 24 hexadecimal digits, and is {client:?}"));
        }
        let clients = self.clients.entry(name.to_owned()).or_default();
        clients.windows.add(report, now);
        let mut target = clients.shares.renew(&record.sampling_rule, client, now);
        target.sampling_boost = Boost::current(clients.boost, &record.sampling_rule, now);
        Ok(target)
    }

    fn boost(&mut self, report: &BoostStatistics, now: f64) -> Result<(), String> {
        let name = &report.rule_name;
        let rule = &self.records.get(name).ok_or_else(|| no_rule(name))?.sampling_rule;
        report.check(rule)?;
        if report.needs_boost() {
            Boost::start(&mut self.clients.entry(name.to_owned()).or_default().boost, rule, now);
        }
        Ok(())
    }
}

fn default_record(sampling: Sampling, now: f64) -> SamplingRuleRecord {
    SamplingRuleRecord { sampling_rule: sampling.rule(), created_at: 0.0, modified_at: now }
}

fn no_rule(name: &str) -> String {
    format!("no rule is named {name:?}")
}

impl fmt::Display for RuleError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(message) => formatter.write_str(message),
            Self::LimitExceeded => {
                write!(formatter, "there are already {MAX_RULES} rules, the most that X-Ray allows; delete one first")
            }
            Self::File(error) => write!(formatter, "cannot write the rules file: {error}"),
        }
    }
}
