//! Sampling by the rules in X-Ray, which the daemon fetches.

mod book;
mod daemon;
mod ledger;
mod messages;
mod polling;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;
use tokio::sync::oneshot;

use self::book::Book;
use self::polling::{Polling, until};
use super::{Backing, Decision, Local, Sampler, SamplingRequest};

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
/// It works for the recorder that asks it first, and without one leaves all to its fallback. Inside a sampler of your
/// own, pass the request on as it comes:
///
/// ```
/// use xray::sampling::{Central, Decision, Sampler, SamplingRequest};
///
/// struct NoHealthChecks(Central);
///
/// impl Sampler for NoHealthChecks {
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
    /// The sender of a channel on which nothing is sent. The polling ends when the sender is dropped with the sampler.
    polling: OnceCell<oneshot::Sender<Infallible>>,
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

    /// Begins to ask the daemon.
    fn start(&self, backing: &Backing) -> oneshot::Sender<Infallible> {
        let (open, closed) = oneshot::channel();
        let polling = Polling::new(Arc::clone(&self.book), backing, self.periods);
        backing.background.spawn(Box::pin(until(closed, polling.run())));
        open
    }
}

impl Default for Central {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Sampler for Central {
    fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
        if let Some(backing) = request.backing {
            self.polling.get_or_init(|| self.start(backing));
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
