//! Sampling by the rules in X-Ray, which the daemon fetches.

mod active_rules;
mod daemon;
mod messages;
mod polling;
mod rule_state;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;

use self::active_rules::ActiveRules;
pub(crate) use self::daemon::check_rules;
use self::polling::Polling;
use super::{Decision, Local, Sampler, SamplerHost, SamplingRequest, Watch, Watching};
use crate::header::tracestate::RuleHash;
use crate::id::{TraceId, random_client_id};
use crate::support::background::Task;
use crate::support::log_line::{LoggedOnce, log_line};
use crate::support::process::PerProcess;
use crate::support::worker::Worker;

/// A sampler with the rules and quotas of X-Ray, which the X-Ray console manages for all hosts of a service together.
///
/// **Rules.** The rules are fetched from the daemon at the first decision and then every 300 seconds, or at once if
/// X-Ray reports that they have changed. Of the rules that match a request, the one with the lowest priority number
/// decides; if several have that number, the first in the order of their names decides. The rule `Default` decides if
/// no other matches. A rule that names a host, a method or a path does not match a segment without a
/// [request](crate::SegmentBuilder::request); otherwise a property that a request does not have matches every pattern.
/// The name of the rule is recorded as `aws.xray.sampling_rule_name`. Rules with attributes, for one resource, or with
/// a version other than 1 are not for SDKs. They are ignored, and each is logged once.
///
/// **Quotas.** Every 10 seconds, or as often as X-Ray asks, the number of decisions by each rule is reported to X-Ray.
/// It answers with a quota: the number of requests that this host may sample in each second, the end of the quota, and
/// the share of the remaining requests to sample. Without a valid quota, a rule with a reservoir samples one request in
/// each second, and its fixed rate of the others.
///
/// **Boosts.** For a rule with a `SamplingRateBoost`, the sampler also reports the number of traces that began in this
/// service, and the number of failed traces. A trace fails if this service answers with the status 5xx, if a gRPC
/// status that means a fault is recorded, if an error or panic is recorded, or if the program calls
/// [`set_fault`](crate::Context::set_fault). A failed HTTP call or AWS operation alone does not count. Unsampled traces
/// are counted too. X-Ray may answer with a higher rate, which replaces the fixed rate for up to a minute. (Developer
/// guide, "Adaptive sampling".)
///
/// A called service reports its failed traces for the rule of the service in which the trace began. This works if both
/// recorders [propagate](crate::Propagation) `traceparent`: the header `tracestate`, which accompanies it, names the
/// rule as in the AWS Distro for OpenTelemetry. `X-Amzn-Trace-Id` has no place for a rule. A trace counts once, even if
/// it calls the service several times; the sampler remembers the latest 10,000 called traces of a rule.
///
/// **Fallback.** Another sampler decides until the first rules have arrived, if no rule matches because the rules lack
/// `Default`, and if no rules could be fetched for an hour: [`Local`] with one request in each second and 5 % of the
/// others, unless [`fallback`](CentralBuilder::fallback) sets another.
///
/// **Failures.** All requests to the daemon are made on the background thread of the recorder, to the TCP address in
/// `AWS_XRAY_DAEMON_ADDRESS`. A decision never waits. If the daemon is absent, slow, or returns something unexpected,
/// that is counted in [`Stats`](crate::Stats) and logged once for each kind of failure. The rules are requested again
/// after 10 seconds, then after twice that time, and so on up to 300 seconds. The numbers of a report that failed are
/// part of the next one. (Developer guide, "Using sampling rules with the X-Ray API".)
///
/// ```
/// use xray::sampling::Central;
///
/// // This is the default: a recorder without a sampler uses it too.
/// let recorder = xray::Recorder::builder().sampler(Central::default()).daemon_address("127.0.0.1:3000").build();
/// assert!(xray::Segment::builder("shop").recorder(&recorder).begin().is_sampled(), "the first of a second");
/// ```
///
/// A sampler that contains a `Central` must forward [`attach`](Sampler::attach), which is how `Central` gets the
/// recorder's thread and the daemon's address. Without that it leaves every decision to its fallback, and logs a
/// warning once. A `Central` serves the first recorder that attaches it.
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
    fallback: Box<dyn Sampler>,
    periods: Periods,
    /// The rules of the recorder's daemon, once the recorder is built.
    poller: OnceCell<Arc<PerProcess<Poller>>>,
    logged_missing_host: LoggedOnce,
}

/// The rules of one process, and the task that fetches them, which starts with the first decision and stops with the
/// sampler.
struct Poller {
    active_rules: Arc<ActiveRules>,
    polling: Worker,
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

    fn log_missing_host(&self) {
        if self.logged_missing_host.is_first() {
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

impl Poller {
    fn new(host: SamplerHost, periods: Periods) -> Self {
        // The id under which X-Ray counts this sampler: another one in each process.
        let (active_rules, client_id) = (Arc::<ActiveRules>::default(), random_client_id());
        let (background, poller) = (Arc::clone(&host.background), Arc::clone(&active_rules));
        let make =
            move || -> Task { Box::pin(Polling::new(Arc::clone(&poller), &host, periods, client_id.clone()).run()) };
        Self { active_rules, polling: Worker::until_dropped(background, make) }
    }
}

impl Watching for PerProcess<Poller> {
    fn watch(&self, rule: RuleHash, trace: TraceId, service_name: &str) -> Option<Arc<Watch>> {
        let Poller { active_rules, polling } = self.get();
        // A service that takes every decision from its callers needs the rules too, once a caller names one.
        polling.ensure_running();
        active_rules.watch(rule, trace, service_name, active_rules.now())
    }
}

impl Sampler for Central {
    fn attach(&self, host: &SamplerHost) {
        let (kept, periods) = (host.clone(), self.periods);
        // The first recorder counts: a second one would need rules and quotas of its own.
        let poller = Arc::new(PerProcess::new(move || Poller::new(kept.clone(), periods)));
        host.caller_rules.set(self.poller.get_or_init(|| poller));
        self.fallback.attach(host);
    }

    fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
        let decision = if let Some(poller) = self.poller.get() {
            let Poller { active_rules, polling } = poller.get();
            // At the first decision rather than in `attach`: a program that takes every decision from its callers needs
            // neither the thread nor the daemon.
            polling.ensure_running();
            active_rules.sample(request, active_rules.now())
        } else {
            self.log_missing_host();
            None
        };
        decision.unwrap_or_else(|| self.fallback.sample(request))
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
            fallback: self.fallback.unwrap_or_else(|| Box::new(Local::default())),
            periods: self.periods,
            poller: OnceCell::new(),
            logged_missing_host: LoggedOnce::new(),
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
