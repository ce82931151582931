//! The task that fetches rules and quotas from the daemon.

use std::collections::HashSet;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep_until};

use super::Periods;
use super::active_rules::{ActiveRules, BoostReport, Report};
use super::daemon::{Daemon, Failure};
use super::messages::{BoostStatistics, Statistics};
use crate::sampling::SamplerHost;
use crate::support::log_line::log_line;
use crate::support::stats::Counters;

/// The state of the task that keeps the [`ActiveRules`] up to date.
pub(super) struct Polling {
    active_rules: Arc<ActiveRules>,
    daemon: Daemon,
    counters: Arc<Counters>,
    periods: Periods,
    /// The id under which X-Ray counts this sampler.
    client_id: String,
    /// One failure of each kind that was logged.
    logged: Vec<Failure>,
    /// The names of the logged rules that are not for SDKs.
    logged_rules: HashSet<String>,
    /// The number of failed fetches of the rules since the last successful one.
    failures: u32,
    /// The time of the last change of a rule, in seconds since the Unix epoch, as X-Ray last reported it.
    reported_modification: Option<f64>,
    /// The time of the last change that the active rules include.
    known_modification: f64,
}

impl Polling {
    /// Limit of X-Ray on the rules in one report. (X-Ray API, `GetSamplingTargets`.)
    const MAX_REPORTED: usize = 25;
    /// The longest delay of a request, as a share of its period: 5 seconds of 300, and 0.1 of 10, as in the X-Ray SDKs.
    /// It spreads the requests of hosts that were started together.
    const RULES_JITTER: f64 = 1.0 / 60.0;
    const TARGETS_JITTER: f64 = 1.0 / 100.0;

    pub(super) fn new(active_rules: Arc<ActiveRules>, host: &SamplerHost, periods: Periods, client_id: String) -> Self {
        Self {
            active_rules,
            daemon: Daemon(host.daemon_address.clone()),
            counters: Arc::clone(&host.counters),
            periods,
            client_id,
            logged: Vec::new(),
            logged_rules: HashSet::new(),
            failures: 0,
            reported_modification: None,
            known_modification: 0.0,
        }
    }

    /// Fetches rules and quotas until the task is dropped.
    pub(super) async fn run(mut self) {
        let mut rules_at = Instant::now();
        let mut targets_at = rules_at + with_jitter(self.periods.targets, Self::TARGETS_JITTER);
        loop {
            sleep_until(rules_at.min(targets_at)).await;
            // One request after the other on one task: the active rules have one writer, and a slow daemon gets no
            // second request.
            if rules_at <= Instant::now() {
                let pause = self.fetch_rules().await;
                rules_at = Instant::now() + pause;
            }
            if targets_at <= Instant::now() {
                if self.report().await {
                    rules_at = Instant::now();
                }
                targets_at = Instant::now() + with_jitter(self.periods.targets, Self::TARGETS_JITTER);
            }
        }
    }

    /// Fetches the rules; returns the time until the next fetch.
    async fn fetch_rules(&mut self) -> Duration {
        // The time before the request: a rule that changes while the response is on its way counts as newer.
        let requested = epoch();
        match self.daemon.rules().await {
            Ok(fetched) => {
                self.note_rejected(fetched.rejected);
                self.note_ignored(fetched.ignored);
                self.active_rules.set_rules(fetched.definitions, self.active_rules.now());
                self.known_modification = self.reported_modification.unwrap_or(requested);
                self.failures = 0;
                with_jitter(self.periods.rules, Self::RULES_JITTER)
            }
            Err(failure) => {
                self.note_failure("rules", failure);
                let pause = pause_after(self.failures, self.periods);
                self.failures = self.failures.saturating_add(1);
                with_jitter(pause, Self::RULES_JITTER)
            }
        }
    }

    /// Reports the counts of the rules and stores the quotas. Returns whether the rules must be fetched at once.
    async fn report(&mut self) -> bool {
        let mut due = self.active_rules.report(self.active_rules.now());
        let mut due_boosts = self.active_rules.report_boosts();
        let mut is_changed = false;
        while !due.is_empty() || !due_boosts.is_empty() {
            // If this future is dropped before the response, the destructors of the reports return the counts to their
            // rules.
            let reported = take_first(&mut due, Self::MAX_REPORTED);
            let reported_boosts = take_first(&mut due_boosts, Self::MAX_REPORTED);
            let statistics: Vec<_> = reported.iter().map(|report| self.statistics(report)).collect();
            let boosts: Vec<_> = reported_boosts.iter().map(boost_statistics).collect();
            match self.daemon.targets(&statistics, &boosts).await {
                Ok(response) => {
                    reported_boosts.into_iter().for_each(BoostReport::done);
                    reported
                        .into_iter()
                        .filter(|report| !response.is_unprocessed(report.name()))
                        .for_each(Report::done);
                    self.note_rejected(response.rejected);
                    for target in &response.quotas {
                        self.active_rules.set_target(target, self.active_rules.now(), epoch());
                    }
                    is_changed |= response.is_refused | self.is_newer(response.last_rule_modification);
                }
                // The counts are part of the next report. If X-Ray received them and only the response was lost, they
                // count twice, which is rarer than a daemon that is away for a while.
                Err(failure) => {
                    self.note_failure("quotas", failure);
                    // A daemon that hangs would take the limit of each further request.
                    break;
                }
            }
        }
        is_changed
    }

    fn statistics(&self, report: &Report) -> Statistics {
        let (rule_name, counts) = (report.name().to_owned(), report.counts());
        Statistics { rule_name, client_id: self.client_id.clone(), timestamp: since_epoch().as_secs(), counts }
    }

    /// Returns whether X-Ray reports a change that the active rules do not include.
    fn is_newer(&mut self, modification: Option<f64>) -> bool {
        let Some(time) = modification else { return false };
        self.reported_modification = modification;
        let is_newer = time > self.known_modification;
        // The clock of X-Ray is not the clock of this host. Until X-Ray has reported a time, the fetch is known by this
        // host's clock only. From then on, times of X-Ray are compared with each other.
        if !is_newer {
            self.known_modification = time;
        }
        is_newer
    }

    /// Counts a failed request for rules or quotas, and logs the first one of its kind.
    fn note_failure(&mut self, requested: &str, failure: Failure) {
        self.counters.sampling_failures.increment();
        if !self.logged.iter().any(|logged| logged.is_same_kind(&failure)) {
            log_line!(
                Warn,
                "xray::sampling",
                "could not fetch sampling {requested} from the daemon at {}: {failure}. {}. Rules that have arrived \
                 are used for an hour. Without rules the fallback decides; by default it samples the first request \
                 of each second and 5 % of the others (logged once per kind of failure)",
                self.daemon.0,
                failure.remedy(),
            );
            self.logged.push(failure);
        }
    }

    /// Logs each rule that is not for SDKs once.
    fn note_ignored(&mut self, names: Vec<String>) {
        /// The log must not grow with an endless list of new names.
        const MAX_LOGGED: usize = 50;

        for name in names {
            if self.logged_rules.len() < MAX_LOGGED && !self.logged_rules.contains(&name) {
                log_line!(
                    Warn,
                    "xray::sampling",
                    "sampling rule {name:?} is left out: it has attributes or an ARN to match, or a version other than 1. \
                     The requests that it is meant for are decided by the other rules (logged once for each rule)",
                );
                self.logged_rules.insert(name);
            }
        }
    }

    /// Counts rules or quotas that could not be read, and logs the first one.
    fn note_rejected(&self, count: usize) {
        for _ in 0..count {
            if self.counters.sampling_rejected.increment() == 0 {
                log_line!(
                    Warn,
                    "xray::sampling",
                    "ignored an invalid sampling rule or quota from the daemon at {} (logged once per recorder)",
                    self.daemon.0,
                );
            }
        }
    }
}

fn boost_statistics(report: &BoostReport) -> BoostStatistics {
    let (rule_name, service_name, counts) = report.parts();
    BoostStatistics {
        rule_name: rule_name.to_owned(),
        service_name: service_name.to_owned(),
        timestamp: since_epoch().as_secs(),
        anomaly_count: counts.failed,
        total_count: counts.traces,
        sampled_anomaly_count: counts.failed_and_sampled,
    }
}

/// Removes and returns the first `most` elements of a list.
fn take_first<T>(list: &mut Vec<T>, most: usize) -> Vec<T> {
    let rest = list.split_off(list.len().min(most));
    mem::replace(list, rest)
}

/// Returns the time between a failed fetch of the rules and the next one. `failures` is the number of earlier failures.
// 10 s, 20 s, 40 s and so on up to 300 s, so that a restarted daemon is found soon and an absent one costs little.
fn pause_after(failures: u32, periods: Periods) -> Duration {
    periods.targets.saturating_mul(1 << failures.min(16)).min(periods.rules)
}

/// Returns a period with a random delay of at most its share `at_most`.
fn with_jitter(period: Duration, at_most: f64) -> Duration {
    period + period.mul_f64(at_most * fastrand::f64())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn epoch() -> f64 {
    since_epoch().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::timeout;

    use super::*;
    use crate::sampling::host::CallerRules;
    use crate::support::background::Background;

    #[test]
    fn each_failure_doubles_the_pause_up_to_the_period_of_the_rules() {
        let [rules, targets] = [300, 10].map(Duration::from_secs);
        let pauses = [0, 1, 2, 4, 5, 100, u32::MAX].map(|failures| pause_after(failures, Periods { rules, targets }));
        let pauses = pauses.map(|pause| pause.as_secs());
        assert_eq!(pauses, [10, 20, 40, 160, 300, 300, 300]);
    }

    /// The daemon is away, and there is nothing to report.
    #[tokio::test]
    async fn the_task_sleeps_between_its_requests() {
        let (period, duration) = (Duration::from_millis(50), Duration::from_millis(200));
        let host = SamplerHost {
            background: Arc::new(Background::new("xray-test")),
            daemon_address: "127.0.0.1:9".to_owned(),
            counters: Arc::default(),
            caller_rules: CallerRules::default(),
        };
        let periods = Periods { rules: period, targets: period };
        let mut task = Box::pin(Polling::new(Arc::default(), &host, periods, String::new()).run());
        let mut polls = 0;
        let counted = poll_fn(|context| {
            polls += 1;
            task.as_mut().poll(context)
        });
        assert!(timeout(duration, counted).await.is_err());
        assert!((2..200).contains(&polls), "{polls} polls");
    }

    #[test]
    fn a_period_is_prolonged_by_at_most_its_share() {
        let periods: Vec<_> = (0..1_000).map(|_| with_jitter(Duration::from_secs(10), 0.1).as_secs_f64()).collect();
        assert!(periods.iter().all(|period| (10.0..=11.0).contains(period)), "{periods:?}");
        assert!(periods.iter().any(|period| *period < 10.2) && periods.iter().any(|period| *period > 10.8));
    }
}
