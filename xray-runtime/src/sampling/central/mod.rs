//! Sampling by the rules in X-Ray, which the daemon fetches.

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
use crate::support::log_line::log_line;

/// A sampler with the rules and quotas of X-Ray, which the X-Ray console manages for all hosts of a service together.
///
/// **Rules.** The rules are fetched from the daemon at the first decision and then every 300 seconds, or at once if
/// X-Ray reports that they have changed. Of the rules that match a request, the one with the lowest priority number
/// decides; of several, the first by name. The rule `Default` decides if no other matches. A property that a request
/// does not have matches every pattern. The name of the rule is recorded as `aws.xray.sampling_rule_name`. Rules with
/// attributes, for one resource, or of another version than 1 are not for SDKs and are ignored.
///
/// **Quotas.** Every 10 seconds, or as often as X-Ray asks, the number of decisions by each rule is reported to X-Ray.
/// It answers with a quota: how many requests this host may sample in each second, until when, and which share of the
/// others. Without a valid quota, a rule with a reservoir samples one request in each second, and its fixed rate of the
/// others.
///
/// **Fallback.** Another sampler decides until the first rules have arrived, if no rule matches, and if no rules could
/// be fetched for an hour: [`Local`] with one request in each second and 5 % of the others, unless
/// [`fallback`](CentralBuilder::fallback) sets another.
///
/// **Failures.** All requests to the daemon are made on the background thread of the recorder, to the TCP address in
/// `AWS_XRAY_DAEMON_ADDRESS`. A decision never waits. If the daemon is absent, slow, or returns something unexpected,
/// that is counted in [`Stats`](crate::Stats) and logged once for each kind of failure. The rules are requested again
/// after 10 seconds, then after twice that time, and so on up to 300 seconds. (Developer guide, "Using sampling rules
/// with the X-Ray API".)
///
/// ```
/// use xray::sampling::Central;
///
/// // This is the default: a recorder without a sampler uses it too.
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

/// The time between two requests to the daemon, for rules and for quotas.
#[derive(Debug, Clone, Copy)]
struct Periods {
    rules: Duration,
    targets: Duration,
}

impl Central {
    /// Creates a builder with the default settings.
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
            log_line!(
                Warn,
                "xray::sampling",
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

/// A builder of a [`Central`] sampler; see [`Central::builder`].
#[must_use = "a builder does nothing until `build`"]
pub struct CentralBuilder {
    fallback: Option<Box<dyn Sampler>>,
    periods: Periods,
}

impl CentralBuilder {
    /// Limits on the time between two requests. A period of 0 would keep the thread busy, and `Duration::MAX` would
    /// overflow when it is added to the time.
    const SHORTEST_PERIOD: Duration = Duration::from_millis(10);
    const LONGEST_PERIOD: Duration = Duration::from_secs(24 * 3600);

    /// Sets the sampler that decides while there are no rules from the daemon.
    pub fn fallback(mut self, sampler: impl Sampler) -> Self {
        self.fallback = Some(Box::new(sampler));
        self
    }

    /// Sets the time between two fetches of the rules, from 10 milliseconds to a day. The default is 300 seconds.
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

    /// Sets the time between two reports to X-Ray, from 10 milliseconds to a day. The default is 10 seconds.
    ///
    /// Each report brings new quotas. X-Ray may ask for fewer reports of a rule.
    pub fn report_every(mut self, period: Duration) -> Self {
        self.periods.targets = period.clamp(Self::SHORTEST_PERIOD, Self::LONGEST_PERIOD);
        self
    }

    /// Creates the sampler.
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
    fn periods_are_limited_to_sensible_times() {
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
