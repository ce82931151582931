//! One rule: which requests it is for, and how many of them are sampled.

use super::SamplingRequest;
use super::patterns::Patterns;
use super::reservoir::{Reservoir, by_chance};

/// A rule of a [`Local`](super::Local) sampler: patterns for requests, and how many of those that match are sampled.
///
/// In a pattern `*` stands for any number of characters and `?` for one; letters match in any case. A pattern that is not
/// given is `*`.
///
/// ```
/// use xray::sampling::{Local, Rule, Sampler, SamplingRequest};
///
/// let payments = Rule::new(0, 1.0).host("*.example.com").method("POST").path("/pay/*");
/// let sampler = Local::builder().rule(payments).default_rule(0, 0.0).build();
///
/// let request = SamplingRequest::new("shop").with_host("shop.example.com").with_method("POST");
/// assert!(sampler.sample(&request.with_path("/pay/7")).is_sampled());
/// assert!(!sampler.sample(&request.with_path("/cart")).is_sampled());
/// ```
#[derive(Debug)]
#[must_use = "a rule does nothing until a sampler has it"]
pub struct Rule {
    patterns: Patterns,
    fixed_target: u32,
    rate: f64,
    reservoir: Reservoir,
}

impl Rule {
    /// A rule for every request: `fixed_target` requests in each second are sampled, and of the others the share `rate`,
    /// from 0 to 1.
    ///
    /// A rate outside of that counts as the nearer end, one that is not a number as 0.
    pub fn new(fixed_target: u32, rate: f64) -> Self {
        let rate = if rate.is_nan() { 0.0 } else { rate.clamp(0.0, 1.0) };
        Self { patterns: Patterns::default(), fixed_target, rate, reservoir: Reservoir::default() }
    }

    /// Only requests to these hosts.
    pub fn host(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.host = pattern.into();
        self
    }

    /// Only requests with these methods.
    pub fn method(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.method = pattern.into();
        self
    }

    /// Only requests for these paths; a path begins with `/` and has no query.
    pub fn path(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.path = pattern.into();
        self
    }

    pub(crate) fn is_for(&self, request: &SamplingRequest<'_>) -> bool {
        self.patterns.are_for(request)
    }

    #[cfg(test)]
    pub(crate) fn fixed_target(&self) -> u32 {
        self.fixed_target
    }

    #[cfg(test)]
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    /// The decision for a request that it is for.
    pub(crate) fn is_sampled(&self, second: u32) -> bool {
        self.reservoir.take(second, self.fixed_target) || by_chance(self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_at_the_ends_and_beyond() {
        for (rate, sampled) in [(0.0, 0), (-1.0, 0), (f64::NAN, 0), (f64::NEG_INFINITY, 0), (1.0, 1000), (7.0, 1000)] {
            let rule = Rule::new(0, rate);
            assert_eq!((0..1000).filter(|_| rule.is_sampled(1)).count(), sampled, "{rate}");
        }
    }
}
