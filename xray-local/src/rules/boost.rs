//! Adaptive sampling: a rule with a boost samples more requests for a minute after an anomaly. (X-Ray developer guide,
//! "Adaptive sampling".)

use serde::{Deserialize, Serialize};

use super::rule::SamplingRule;

/// The duration of a boost, in seconds. (X-Ray developer guide: up to 1 minute.)
const DURATION: f64 = 60.0;

/// A service's report about the requests of one rule since the previous report. The service need not be one that the
/// rule matches: a called service reports for the rule that decided where the trace began.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BoostStatistics {
    pub(super) rule_name: String,
    service_name: String,
    // The API's model requires this field, so a request without it is refused.
    #[serde(rename = "Timestamp")]
    _timestamp: f64,
    anomaly_count: u64,
    total_count: u64,
    sampled_anomaly_count: u64,
}

/// A rate that replaces the rule's own rate until `boost_rate_ttl`, in the form of the API.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SamplingBoost {
    boost_rate: f64,
    #[serde(rename = "BoostRateTTL")]
    boost_rate_ttl: f64,
}

/// The latest boost of a rule.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boost {
    started: f64,
}

impl BoostStatistics {
    /// Checks the statistics against the limits of the model.
    ///
    /// # Errors
    ///
    /// The reason why X-Ray would ignore the statistics.
    pub(super) fn check(&self, rule: &SamplingRule) -> Result<(), String> {
        if rule.sampling_rate_boost.is_none() {
            return Err("the rule has no SamplingRateBoost".to_owned());
        }
        if self.service_name.chars().count() > 64 {
            return Err("ServiceName: must have at most 64 characters".to_owned());
        }
        if self.anomaly_count > self.total_count || self.sampled_anomaly_count > self.anomaly_count {
            return Err("AnomalyCount must not exceed TotalCount, and SampledAnomalyCount not AnomalyCount".to_owned());
        }
        Ok(())
    }

    /// Returns whether some anomalies were not sampled. If all anomalies were sampled, a higher rate would not reveal
    /// more of them.
    pub(super) fn needs_boost(&self) -> bool {
        self.anomaly_count > self.sampled_anomaly_count
    }
}

impl Boost {
    /// Starts a boost, unless the latest boost started within the rule's cooldown window.
    ///
    /// X-Ray chooses a rate between the rule's own rate and the maximum rate, depending on the traffic. `xray-local`
    /// receives too few requests for that, and always uses the maximum rate.
    pub(super) fn start(latest: &mut Option<Self>, rule: &SamplingRule, now: f64) {
        let Some(settings) = &rule.sampling_rate_boost else { return };
        let window = (f64::from(settings.cooldown_window_minutes) * 60.0).max(DURATION);
        if latest.is_none_or(|boost| now >= boost.started + window) {
            *latest = Some(Self { started: now });
        }
    }

    /// Returns the boost, or `None` if there is no boost or the boost has ended.
    pub(super) fn current(latest: Option<Self>, rule: &SamplingRule, now: f64) -> Option<SamplingBoost> {
        let (boost, settings) = (latest?, rule.sampling_rate_boost.as_ref()?);
        let boost_rate_ttl = boost.started + DURATION;
        (now < boost_rate_ttl)
            .then(|| SamplingBoost { boost_rate: settings.max_rate.max(rule.fixed_rate), boost_rate_ttl })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::rule::SamplingRateBoost;

    #[test]
    fn a_boost_lasts_a_minute_and_the_next_waits_for_the_cooldown() {
        let settings = SamplingRateBoost { max_rate: 0.5, cooldown_window_minutes: 5 };
        let rule = SamplingRule { sampling_rate_boost: Some(settings), ..SamplingRule::fallback() };
        let mut latest = None;
        let mut starts = |now: f64| {
            Boost::start(&mut latest, &rule, now);
            Boost::current(latest, &rule, now)
        };
        let first = Some(SamplingBoost { boost_rate: 0.5, boost_rate_ttl: 1_060.0 });
        assert_eq!([starts(1_000.0), starts(1_059.0)], [first, first]);
        assert_eq!([starts(1_060.0), starts(1_299.0)], [None, None], "the cooldown begins with the boost");
        assert_eq!(starts(1_300.0), Some(SamplingBoost { boost_rate: 0.5, boost_rate_ttl: 1_360.0 }));
    }

    #[test]
    fn only_failures_that_were_not_recorded_need_a_boost() {
        let settings = SamplingRateBoost { max_rate: 0.5, cooldown_window_minutes: 5 };
        let rule = SamplingRule { sampling_rate_boost: Some(settings), ..SamplingRule::fallback() };
        let report = |anomaly_count, total_count, sampled_anomaly_count| BoostStatistics {
            rule_name: "Default".to_owned(),
            service_name: "shop".to_owned(),
            _timestamp: 1.0,
            anomaly_count,
            total_count,
            sampled_anomaly_count,
        };
        assert_eq!(
            [report(2, 3, 1), report(2, 3, 2), report(0, 3, 0)].map(|report| report.needs_boost()),
            [true, false, false]
        );
        assert!(report(3, 3, 3).check(&rule).is_ok());
        assert!(report(4, 3, 0).check(&rule).is_err() && report(1, 3, 2).check(&rule).is_err());
        assert!(report(1, 3, 0).check(&SamplingRule::fallback()).unwrap_err().contains("no SamplingRateBoost"));
    }
}
