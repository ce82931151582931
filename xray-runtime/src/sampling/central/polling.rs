//! The task that fetches rules and quotas from the daemon.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep_until};

use super::Periods;
use super::book::Book;
use super::daemon::{Daemon, Failure};
use super::ledger::Counts;
use super::messages::Statistics;
use crate::sampling::SamplerHost;
use crate::support::log_line::log_line;
use crate::support::stats::Counters;

/// The state of the task that keeps a [`Book`] up to date.
pub(super) struct Polling {
    book: Arc<Book>,
    daemon: Daemon,
    counters: Arc<Counters>,
    periods: Periods,
    /// The id under which X-Ray counts this sampler.
    client_id: String,
    /// One failure of each kind that was logged.
    logged: Vec<Failure>,
    /// The number of failed fetches of the rules since the last successful one.
    failures: u32,
    /// The time of the last change of a rule, in seconds since the Unix epoch, as X-Ray last reported it.
    reported_modification: Option<f64>,
    /// The time of the last change that the rules in the book include.
    known_modification: f64,
}

impl Polling {
    /// Limit of X-Ray on the rules in one report. (X-Ray API, `GetSamplingTargets`.)
    const MAX_REPORTED: usize = 25;
    /// The longest delay of a request, as a share of its period: 5 seconds of 300, and 0.1 of 10, as in the X-Ray SDKs.
    /// It spreads the requests of hosts that were started together.
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
            reported_modification: None,
            known_modification: 0.0,
        }
    }

    /// Fetches rules and quotas without an end.
    pub(super) async fn run(mut self) {
        let mut rules_at = Instant::now();
        let mut targets_at = rules_at + late(self.periods.targets, Self::TARGETS_JITTER);
        loop {
            sleep_until(rules_at.min(targets_at)).await;
            // One request after the other on one task: the book has one writer, and a slow daemon gets no second
            // request.
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

    /// Fetches the rules; returns the time until the next fetch.
    async fn fetch_rules(&mut self) -> Duration {
        // The time before the request: a rule that changes while the response is on its way counts as newer.
        let requested = epoch();
        match self.daemon.rules().await {
            Ok(fetched) => {
                self.note_rejected(fetched.rejected);
                self.book.set_rules(fetched.definitions, self.book.now());
                self.known_modification = self.reported_modification.unwrap_or(requested);
                self.failures = 0;
                late(self.periods.rules, Self::RULES_JITTER)
            }
            Err(failure) => {
                self.note_failure("rules", failure);
                // After 10 s, 20 s, 40 s and so on up to 300 s, so that a restarted daemon is found soon and an absent
                // one costs little.
                let pause = self.periods.targets.saturating_mul(1 << self.failures.min(16));
                self.failures = self.failures.saturating_add(1);
                late(pause.min(self.periods.rules), Self::RULES_JITTER)
            }
        }
    }

    /// Reports the counts of the rules and stores the quotas. Returns whether the rules must be fetched at once.
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
                // The counts of a failed report are lost, as in the other X-Ray SDKs. Sent again, they might count
                // twice.
                Err(failure) => self.note_failure("quotas", failure),
            }
        }
        is_changed
    }

    fn statistics(&self, rule_name: String, counts: Counts) -> Statistics {
        let timestamp = since_epoch().as_secs();
        Statistics { rule_name, client_id: self.client_id.clone(), timestamp, counts }
    }

    /// Returns whether X-Ray reports a change that the rules in the book do not include.
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
        if !self.logged.iter().any(|logged| logged.is_of_the_kind_of(&failure)) {
            log_line!(
                Warn,
                "xray::sampling",
                "could not fetch sampling {requested} from the daemon at {}: {failure} (logged once per kind of failure)",
                self.daemon.0,
            );
            self.logged.push(failure);
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

/// Returns a period with a random delay of at most its share `at_most`.
fn late(period: Duration, at_most: f64) -> Duration {
    period + period.mul_f64(at_most * fastrand::f64())
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn epoch() -> f64 {
    since_epoch().as_secs_f64()
}
