//! Sampling: which requests are recorded.

pub(crate) mod wildcard;

/// Decides whether a request is recorded, where the caller has not decided already.
///
/// Asked once for each segment that begins without a decision in its trace header, on the thread that begins
/// it, so it must be quick.
///
/// ```
/// use xray::sampling::{Decision, Sampler, SamplingRequest};
///
/// /// Records one service and no other.
/// struct Only(&'static str);
///
/// impl Sampler for Only {
///     fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
///         if request.service_name == self.0 { Decision::sampled() } else { Decision::not_sampled() }
///     }
/// }
///
/// let recorder = xray::Recorder::builder().sampler(Only("todo-app")).build();
/// assert!(!xray::Segment::builder("other").recorder(&recorder).begin().is_sampled());
/// ```
pub trait Sampler: Send + Sync + 'static {
    /// The decision for one request.
    fn sample(&self, request: &SamplingRequest<'_>) -> Decision;
}

/// What is known of a request when its segment begins.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SamplingRequest<'a> {
    /// The name of the segment.
    pub service_name: &'a str,
}

impl<'a> SamplingRequest<'a> {
    pub(crate) fn new(service_name: &'a str) -> Self {
        Self { service_name }
    }
}

/// A sampler's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub(crate) sampled: bool,
    pub(crate) rule_name: Option<String>,
}

impl Decision {
    /// The request is recorded.
    #[must_use]
    pub fn sampled() -> Self {
        Self { sampled: true, rule_name: None }
    }

    /// The request is not recorded; its trace header still travels on.
    #[must_use]
    pub fn not_sampled() -> Self {
        Self { sampled: false, rule_name: None }
    }

    /// Names the rule behind the decision; recorded as `aws.xray.sampling_rule_name`.
    #[must_use]
    pub fn by_rule(mut self, name: impl Into<String>) -> Self {
        self.rule_name = Some(name.into());
        self
    }
}

/// Records every request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Always;

impl Sampler for Always {
    fn sample(&self, _request: &SamplingRequest<'_>) -> Decision {
        Decision::sampled()
    }
}

/// Records no request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Never;

impl Sampler for Never {
    fn sample(&self, _request: &SamplingRequest<'_>) -> Decision {
        Decision::not_sampled()
    }
}
