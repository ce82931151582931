//! Sampling: decides which requests are recorded.
//!
//! A recorder asks its [`Sampler`] at the start of a segment. [`Central`] uses the rules in X-Ray, [`Local`] uses rules
//! from code or a file, and [`Always`] and [`Never`] are for tests. An unsampled request is not recorded, but its trace
//! header is passed on, with `Sampled=0`. (Developer guide, "Configuring sampling rules".)

mod boost;
mod central;
mod host;
mod local;
mod manifest;
mod patterns;
mod reservoir;
mod rule;

pub(crate) use self::boost::Watch;
pub(crate) use self::central::check_rules;
pub use self::central::{Central, CentralBuilder};
pub use self::host::SamplerHost;
pub(crate) use self::host::{CallerRules, Watching};
pub use self::local::{Local, LocalBuilder, ManifestError};
pub use self::rule::Rule;
use std::sync::Arc;

use crate::header::tracestate::RuleHash;
use crate::support::log_line::is_debug_read;

/// Decides which segments are recorded.
///
/// A sampler decides once for each segment whose trace header and whose builder leave the decision open. It runs on the
/// thread that begins the segment, so it must be quick and must not wait. If it panics, the segment is not recorded;
/// the panic is counted in [`Stats::sampling_failures`](crate::Stats::sampling_failures) and does not reach the
/// program.
///
/// ```
/// use xray::sampling::{Decision, Sampler, SamplingRequest};
///
/// /// Records one service and no other.
/// struct Only(&'static str);
///
/// impl Sampler for Only {
///     fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
///         if request.service_name() == self.0 { Decision::sampled() } else { Decision::not_sampled() }
///     }
/// }
///
/// let recorder = xray::Recorder::builder().sampler(Only("todo-app")).build();
/// assert!(!xray::Segment::builder("other").recorder(&recorder).begin().is_sampled());
/// ```
///
/// A sampler that contains another forwards both methods:
///
/// ```
/// use xray::sampling::{Central, Decision, Sampler, SamplerHost, SamplingRequest};
///
/// /// Leaves the path out of every request, so that rules for paths match all of them.
/// struct WithoutPath(Central);
///
/// impl Sampler for WithoutPath {
///     fn attach(&self, host: &SamplerHost) {
///         self.0.attach(host);
///     }
///
///     fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
///         self.0.sample(&SamplingRequest::new(request.service_name()))
///     }
/// }
/// # xray::Recorder::builder().sampler(WithoutPath(Central::default())).build();
/// ```
pub trait Sampler: Send + Sync + 'static {
    /// Decides about one request.
    fn sample(&self, request: &SamplingRequest<'_>) -> Decision;

    /// Receives the recorder's background thread, the daemon's address and the counters. The default does nothing.
    ///
    /// Called once, when the recorder is built and before the first [`sample`](Self::sample). In Lambda it is not
    /// called, since samplers are not used there.
    //
    // A method of its own rather than a part of `SamplingRequest`: a sampler that builds a new request for the sampler
    // inside it would drop that part without any sign of it, and `Central` would then never fetch a rule.
    fn attach(&self, host: &SamplerHost) {
        let _ = host;
    }
}

/// The properties of a request that are known when its segment begins.
///
/// A recorder always knows the service's name, and its type if the program has an [`Origin`](crate::origin::Origin).
/// Host, method and path are known if the segment was given its [request](crate::SegmentBuilder::request). A rule that
/// names one of the three does not match a segment without a request.
///
/// ```
/// use xray::sampling::SamplingRequest;
///
/// let request = SamplingRequest::new("shop").with_method("GET").with_path("/cart");
/// assert_eq!((request.service_name(), request.method(), request.host()), ("shop", Some("GET"), None));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SamplingRequest<'a> {
    service_name: &'a str,
    service_type: Option<&'a str>,
    host: Option<&'a str>,
    method: Option<&'a str>,
    path: Option<&'a str>,
    /// `true` if the segment is known to serve no request. If `false`, an absent property is unknown.
    is_of_job: bool,
}

impl<'a> SamplingRequest<'a> {
    /// Creates a request with only the name of the service.
    #[must_use]
    pub fn new(service_name: &'a str) -> Self {
        Self { service_name, service_type: None, host: None, method: None, path: None, is_of_job: false }
    }

    /// Describes the segment of a job or a consumer, which serves no request.
    pub(crate) fn of_job(service_name: &'a str) -> Self {
        Self { is_of_job: true, ..Self::new(service_name) }
    }

    /// Returns the name of the segment.
    #[must_use]
    pub fn service_name(&self) -> &'a str {
        self.service_name
    }

    /// Returns the type of the service, as in the `origin` of a segment: for example `AWS::ECS::Container`.
    #[must_use]
    pub fn service_type(&self) -> Option<&'a str> {
        self.service_type
    }

    /// Returns the host to which the request was sent. A recorder passes it in lower case and without the port.
    #[must_use]
    pub fn host(&self) -> Option<&'a str> {
        self.host
    }

    /// Returns the HTTP method. A recorder passes it in capitals.
    #[must_use]
    pub fn method(&self) -> Option<&'a str> {
        self.method
    }

    /// Returns the path of the URL, without the query. A recorder passes at least `/`.
    #[must_use]
    pub fn path(&self) -> Option<&'a str> {
        self.path
    }

    /// Returns whether the segment is known to serve no request: it has neither method, host nor path.
    fn is_of_job(&self) -> bool {
        self.is_of_job && self.method.is_none() && self.host.is_none() && self.path.is_none()
    }

    /// Sets the type of the service.
    #[must_use]
    pub fn with_service_type(self, service_type: &'a str) -> Self {
        Self { service_type: Some(service_type), ..self }
    }

    /// Sets the host.
    #[must_use]
    pub fn with_host(self, host: &'a str) -> Self {
        Self { host: Some(host), ..self }
    }

    /// Sets the HTTP method.
    #[must_use]
    pub fn with_method(self, method: &'a str) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Sets the path.
    #[must_use]
    pub fn with_path(self, path: &'a str) -> Self {
        Self { path: Some(path), ..self }
    }
}

/// The decision of a sampler.
///
/// ```
/// use xray::sampling::Decision;
///
/// let decision = Decision::sampled().by_rule("payments");
/// assert!(decision.is_sampled());
/// assert!(!Decision::not_sampled().is_sampled());
/// ```
#[derive(Debug, Clone)]
pub struct Decision {
    pub(crate) sampled: bool,
    pub(crate) rule_name: Option<String>,
    /// The rule in X-Ray that decided. `None` if no such rule decided.
    pub(crate) rule: Option<RuleHash>,
    /// Counts the trace as failed when something fails. `None` if the rule has no boost.
    pub(crate) watch: Option<Arc<Watch>>,
}

/// Two decisions are equal if their outcomes and rules are equal.
impl PartialEq for Decision {
    fn eq(&self, other: &Self) -> bool {
        (self.sampled, &self.rule_name) == (other.sampled, &other.rule_name)
    }
}

impl Eq for Decision {}

impl Decision {
    /// Returns the decision to record the request.
    #[must_use]
    pub fn sampled() -> Self {
        Self { sampled: true, rule_name: None, rule: None, watch: None }
    }

    /// Returns the decision not to record the request. Its trace header is still passed on.
    #[must_use]
    pub fn not_sampled() -> Self {
        Self { sampled: false, rule_name: None, rule: None, watch: None }
    }

    /// Returns the decision of a rule not to record the request. The rule is named only if the log reads the name.
    pub(crate) fn not_sampled_by(rule_name: impl FnOnce() -> String) -> Self {
        Self { rule_name: is_debug_read().then(rule_name), ..Self::not_sampled() }
    }

    /// Returns whether the request is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// Adds the rule in X-Ray that decided, and the watch that counts the trace as failed.
    pub(crate) fn watched(self, rule: RuleHash, watch: Option<Watch>) -> Self {
        Self { rule: Some(rule), watch: watch.map(Arc::new), ..self }
    }

    /// Adds the name of the rule that decided, which is recorded as `aws.xray.sampling_rule_name`. For a request that
    /// is not sampled, it appears in the log at the level `Debug`.
    #[must_use]
    pub fn by_rule(mut self, name: impl Into<String>) -> Self {
        self.rule_name = Some(name.into());
        self
    }
}

/// A sampler that records every request.
///
/// ```
/// let recorder = xray::Recorder::builder().sampler(xray::sampling::Always);
/// # let recorder = recorder.emitter(xray::emitter::MemoryEmitter::new());
/// let recorder = recorder.build();
/// assert!(xray::Segment::builder("shop").recorder(&recorder).begin().is_sampled());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Always;

impl Sampler for Always {
    fn sample(&self, _request: &SamplingRequest<'_>) -> Decision {
        Decision::sampled()
    }
}

/// A sampler that records no request.
///
/// ```
/// let recorder = xray::Recorder::builder().sampler(xray::sampling::Never).build();
/// assert!(!xray::Segment::builder("shop").recorder(&recorder).begin().is_sampled());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Never;

impl Sampler for Never {
    fn sample(&self, _request: &SamplingRequest<'_>) -> Decision {
        Decision::not_sampled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_equal_if_their_outcomes_and_rules_are() {
        let by = |name| Decision::sampled().by_rule(name);
        assert_eq!(by("a").watched(RuleHash::of("a"), None), by("a"));
        for other in [Decision::sampled(), by("b"), Decision::not_sampled().by_rule("a")] {
            assert_ne!(by("a"), other);
        }
    }
}
