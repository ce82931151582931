//! When the daemon is asked, and what becomes of its answers.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep_until};

use super::Periods;
use super::book::Book;
use super::daemon::{Daemon, Failure};
use super::ledger::Counts;
use super::messages::Statistics;
use crate::sampling::SamplerHost;
use crate::support::stats::Counters;

/// Keeps a book up to date.
pub(super) struct Polling {
    book: Arc<Book>,
    daemon: Daemon,
    counters: Arc<Counters>,
    periods: Periods,
    /// Names this sampler to X-Ray.
    client_id: String,
    /// A failure of each kind that the log knows of.
    logged: Vec<Failure>,
    /// How often in a row there were no rules.
    failures: u32,
    /// When a rule was changed last, in seconds since the Unix epoch: as X-Ray told, and as the rules here have it.
    told_modification: Option<f64>,
    known_modification: f64,
}

impl Polling {
    /// Rules that a report may name. (X-Ray API, `GetSamplingTargets`.)
    const MAX_REPORTED: usize = 25;
    /// By how much of its period a call is late at most, so that not all hosts of a service come at once.
    const RULES_JITTER: f64 = 1.0 / 60.0;
    const TARGETS_JITTER: f64 = 1.0 / 100.0;

    pub(super) fn new(book: Arc<Book>, host: &SamplerHost, periods: Periods) -> Self {
        const CLIENT_ID_BITS: u32 = 96;
        Self {
            book,
            daemon: Daemon(host.daemon_address.clone()),
            counters: Arc::clone(&host.counters),
            periods,
            client_id: format!("{:024x}", fastrand::u128(..1 << CLIENT_ID_BITS)),
            logged: Vec::new(),
            failures: 0,
            told_modification: None,
            known_modification: 0.0,
        }
    }

    /// Goes on for ever.
    pub(super) async fn run(mut self) {
        let mut rules_at = Instant::now();
        let mut targets_at = rules_at + late(self.periods.targets, Self::TARGETS_JITTER);
        loop {
            sleep_until(rules_at.min(targets_at)).await;
            if rules_at <= Instant::now() {
                let pause = self.fetch_rules().await;
                rules_at = Instant::now() + pause;
            }
            if targets_at <= Instant::now() {
                if self.report().await {
                    rules_at = Instant::now();
                }
                targets_at = Instant::now() + late(self.periods.targets, Self::TARGETS_JITTER);
            }
        }
    }

    /// Fetches the rules; when to do so again.
    async fn fetch_rules(&mut self) -> Duration {
        let asked = epoch();
        match self.daemon.rules().await {
            Ok(fetched) => {
                self.note_rejected(fetched.rejected);
                self.book.set_rules(fetched.definitions, self.book.now());
                self.known_modification = self.told_modification.unwrap_or(asked);
                self.failures = 0;
                late(self.periods.rules, Self::RULES_JITTER)
            }
            Err(failure) => {
                self.note_failure("rules", failure);
                let pause = self.periods.targets.saturating_mul(1 << self.failures.min(16));
                self.failures = self.failures.saturating_add(1);
                late(pause.min(self.periods.rules), Self::RULES_JITTER)
            }
        }
    }

    /// Reports what was sampled and takes the quotas; whether the rules are to be fetched at once.
    async fn report(&mut self) -> bool {
        let due = self.book.report(self.book.now());
        let statistics: Vec<_> = due.into_iter().map(|(rule, counts)| self.statistics(rule, counts)).collect();
        let mut is_changed = false;
        for statistics in statistics.chunks(Self::MAX_REPORTED) {
            match self.daemon.targets(statistics).await {
                Ok(answer) => {
                    self.note_rejected(answer.rejected);
                    for target in &answer.given {
                        self.book.set_target(target, self.book.now(), epoch());
                    }
                    is_changed |= answer.is_unknown | self.is_newer(answer.last_rule_modification);
                }
                Err(failure) => self.note_failure("quotas", failure),
            }
        }
        is_changed
    }

    fn statistics(&self, rule_name: String, counts: Counts) -> Statistics {
        let timestamp = since_epoch().as_secs();
        Statistics { rule_name, client_id: self.client_id.clone(), timestamp, counts }
    }

    /// Whether X-Ray tells of a change that the rules here have not. Its clock is another: once it has told a time, only
    /// those are compared.
    fn is_newer(&mut self, modification: Option<f64>) -> bool {
        let Some(time) = modification else { return false };
        self.told_modification = modification;
        let is_newer = time > self.known_modification;
        if !is_newer {
            self.known_modification = time;
        }
        is_newer
    }

    fn note_failure(&mut self, wanted: &str, failure: Failure) {
        self.counters.sampling_failures.increment();
        if !self.logged.iter().any(|logged| logged.is_of_the_kind_of(&failure)) {
            log::warn!(
                target: "xray::sampling",
                "no sampling {wanted} from the daemon at {}: {failure}; further failures of this kind are only counted",
                self.daemon.0,
            );
            self.logged.push(failure);
        }
    }

    fn note_rejected(&self, count: usize) {
        for _ in 0..count {
            if self.counters.sampling_rejected.increment() == 0 {
                log::warn!(
                    target: "xray::sampling",
                    "a sampling rule or quota from the daemon at {} cannot be read; further ones are only counted",
                    self.daemon.0,
                );
            }
        }
    }
}

/// A period, and a little more.
fn late(period: Duration, at_most: f64) -> Duration {
    period + period.mul_f64(at_most * fastrand::f64())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn epoch() -> f64 {
    since_epoch().as_secs_f64()
}
