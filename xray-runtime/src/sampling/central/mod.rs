//! Sampling by the rules that are kept in X-Ray, which the daemon hands out.

mod book;
mod daemon;
mod ledger;
mod messages;
mod polling;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use once_cell::sync::OnceCell;

use self::book::Book;
use self::polling::Polling;
use super::{Decision, Local, Sampler, SamplerHost, SamplingRequest};
use crate::support::background::{self, TaskOwner};

/// Samples by the rules and quotas of X-Ray, as its console has them, for all hosts of a service together.
///
/// The daemon is asked at its TCP address, the one of `AWS_XRAY_DAEMON_ADDRESS`, from the background thread of the
/// recorder, which this begins with the first decision; a decision itself asks nobody. The rules are fetched then and
/// every 300 seconds. Every 10 seconds, or as often as X-Ray says, each rule that was used is reported, and X-Ray answers
/// with its quota: how many requests in each second this host may sample, until when, and which share of the others.
/// Without a valid quota a rule with a reservoir samples one request in each second, and of the others its fixed rate.
/// Where X-Ray tells that rules were changed, they are fetched at once. (Developer guide, "Using sampling rules with the
/// X-Ray API".)
///
/// Of the rules that match a request the one with the lowest priority number decides, of several the first by name, and
/// the rule `Default` where no other matches. What is not known of a request matches every pattern. Its name is recorded
/// as `aws.xray.sampling_rule_name`. Rules of a version other than 1, for one resource, or with attributes are not for
/// SDKs, and left out.
///
/// The fallback decides until the first rules are there, where no rule matches, and when none could be fetched for an
/// hour: [`Local`] with one request in each second and 5 % of the others, unless set. A daemon that is absent, slow or
/// answers with something else harms nobody: it is counted in [`Stats`](crate::Stats), told in the log once for each kind
/// of failure, and asked for rules again after 10 seconds, then after twice as long each time, at most 300.
///
/// ```
/// use xray::sampling::Central;
///
/// // Also what a recorder has that is given no sampler.
/// let recorder = xray::Recorder::builder().sampler(Central::default()).build();
/// assert!(xray::Segment::builder("shop").recorder(&recorder).begin().is_sampled(), "the first of a second");
/// ```
///
/// A sampler that contains a `Central` must forward [`attach`](Sampler::attach), which is how `Central` gets the recorder's
/// thread and the daemon's address. Without that it leaves every decision to its fallback, and logs a warning once. A
/// `Central` serves the first recorder that attaches it.
///
/// ```
/// use xray::sampling::{Central, Decision, Sampler, SamplerHost, SamplingRequest};
///
/// struct NoHealthChecks(Central);
///
/// impl Sampler for NoHealthChecks {
///     fn attach(&self, host: &SamplerHost) {
///         self.0.attach(host);
///     }
///
///     fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
///         if request.path() == Some("/health") { Decision::not_sampled() } else { self.0.sample(request) }
///     }
/// }
/// # xray::Recorder::builder().sampler(NoHealthChecks(Central::default())).build();
/// ```
pub struct Central {
    book: Arc<Book>,
    fallback: Box<dyn Sampler>,
    periods: Periods,
    /// The recorder, once it is built.
    host: OnceCell<SamplerHost>,
    has_logged_missing_host: AtomicBool,
    /// The polling task, from the first decision on. It stops with this sampler.
    polling: OnceCell<TaskOwner>,
}

/// How often the daemon is asked.
#[derive(Debug, Clone, Copy)]
struct Periods {
    rules: Duration,
    targets: Duration,
}

impl Central {
    /// Settings, all optional.
    ///
    /// ```
    /// use xray::sampling::{Central, Local};
    ///
    /// let sampler = Central::builder().fallback(Local::builder().default_rule(5, 0.01).build()).build();
    /// # let _ = sampler;
    /// ```
    pub fn builder() -> CentralBuilder {
        CentralBuilder {
            fallback: None,
            periods: Periods { rules: Duration::from_secs(300), targets: Duration::from_secs(10) },
        }
    }

    /// Starts to poll the daemon, unless that has started.
    //
    // At the first decision rather than in `attach`: a program that takes every decision from its callers needs neither
    // the thread nor the daemon.
    fn start_polling(&self) {
        let Some(host) = self.host.get() else { return self.log_missing_host() };
        let (owner, task) = background::owned(Polling::new(Arc::clone(&self.book), host, self.periods).run());
        // Spawned after `set` rather than inside `get_or_init`, because spawning may log, and the program's logger may
        // begin a segment, which would wait for the cell that it is itself initialising.
        if self.polling.set(owner).is_ok() {
            host.background.spawn(task);
        }
    }

    fn log_missing_host(&self) {
        // A plain read first: without a host this runs for every decision, and a swap would contend for the cache line.
        if !self.has_logged_missing_host.load(Ordering::Relaxed)
            && !self.has_logged_missing_host.swap(true, Ordering::Relaxed)
        {
            log::warn!(
                target: "xray::sampling",
                "`Central` is not attached to a recorder, so its fallback decides and no rules are fetched from the \
                 X-Ray daemon. A sampler that contains a `Central` must implement `Sampler::attach` and call \
                 `Central::attach` in it (logged once)",
            );
        }
    }
}

impl Default for Central {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Sampler for Central {
    fn attach(&self, host: &SamplerHost) {
        // The first recorder counts: a second one would need rules and quotas of its own.
        let _ = self.host.set(host.clone());
        self.fallback.attach(host);
    }

    fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
        if self.polling.get().is_none() {
            self.start_polling();
        }
        self.book.sample(request, self.book.now()).unwrap_or_else(|| self.fallback.sample(request))
    }
}

impl fmt::Debug for Central {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Central").field("periods", &self.periods).finish_non_exhaustive()
    }
}

/// Settings of a [`Central`] sampler.
#[must_use = "a builder does nothing until `build`"]
pub struct CentralBuilder {
    fallback: Option<Box<dyn Sampler>>,
    periods: Periods,
}

impl CentralBuilder {
    /// The time between two calls to the daemon.
    const SHORTEST_PERIOD: Duration = Duration::from_millis(10);
    const LONGEST_PERIOD: Duration = Duration::from_secs(24 * 3600);

    /// What decides where there are no rules of the daemon's.
    pub fn fallback(mut self, sampler: impl Sampler) -> Self {
        self.fallback = Some(Box::new(sampler));
        self
    }

    /// How often the rules are fetched; 300 seconds unless set, from 10 milliseconds to a day.
    ///
    /// ```
    /// use std::time::Duration;
    /// use xray::sampling::Central;
    ///
    /// let hour = Duration::from_secs(3600);
    /// let sampler = Central::builder().fetch_rules_every(hour / 2).report_every(hour / 60).build();
    /// # let _ = sampler;
    /// ```
    pub fn fetch_rules_every(mut self, period: Duration) -> Self {
        self.periods.rules = period.clamp(Self::SHORTEST_PERIOD, Self::LONGEST_PERIOD);
        self
    }

    /// How often it is reported what was sampled, which brings new quotas; 10 seconds unless set, from 10 milliseconds to
    /// a day. X-Ray may ask for a rule to be reported less often.
    pub fn report_every(mut self, period: Duration) -> Self {
        self.periods.targets = period.clamp(Self::SHORTEST_PERIOD, Self::LONGEST_PERIOD);
        self
    }

    /// The sampler.
    #[must_use]
    pub fn build(self) -> Central {
        Central {
            book: Arc::default(),
            fallback: self.fallback.unwrap_or_else(|| Box::new(Local::default())),
            periods: self.periods,
            host: OnceCell::new(),
            has_logged_missing_host: AtomicBool::new(false),
            polling: OnceCell::new(),
        }
    }
}

impl fmt::Debug for CentralBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CentralBuilder").field("periods", &self.periods).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::Never;

    #[test]
    fn periods_are_such_as_can_be_waited_for() {
        for (period, expected) in [
            (Duration::MAX, CentralBuilder::LONGEST_PERIOD),
            (Duration::ZERO, CentralBuilder::SHORTEST_PERIOD),
            (Duration::from_secs(7), Duration::from_secs(7)),
        ] {
            let periods = Central::builder().fetch_rules_every(period).report_every(period).build().periods;
            assert_eq!((periods.rules, periods.targets), (expected, expected));
        }
    }

    #[test]
    fn without_a_recorder_the_fallback_decides() {
        let sampler = Central::builder().fallback(Never).build();
        assert_eq!(sampler.sample(&SamplingRequest::new("s")), Decision::not_sampled());
    }
}
