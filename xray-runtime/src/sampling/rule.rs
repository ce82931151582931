//! A rule of the local sampler: patterns for requests, and how many of the matching ones are sampled.

use super::SamplingRequest;
use super::patterns::Patterns;
use super::reservoir::{Reservoir, by_chance};

/// A rule of a [`Local`](super::Local) sampler: patterns for requests, and how many of the matching ones are sampled.
///
/// In a pattern, `*` matches any number of characters and `?` matches one. Letters match in upper and lower case. Each
/// pattern is `*` unless it is set. The text between two `*` is searched for in the first 1,024 characters. (Developer
/// guide, "Configuring sampling rules".)
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
    /// Creates a rule that matches every request.
    ///
    /// It samples `fixed_target` requests in each second, and the share `rate` of the others, from 0 to 1. A rate below
    /// 0 or above 1 counts as 0 or 1, and NaN as 0.
    ///
    /// ```
    /// use xray::sampling::{Local, Rule, Sampler, SamplingRequest};
    ///
    /// let sampler = Local::builder().rule(Rule::new(2, 0.0)).build();
    /// let request = SamplingRequest::new("shop");
    /// let sampled = (0..5).filter(|_| sampler.sample(&request).is_sampled()).count();
    /// assert!((2..=4).contains(&sampled), "more than two if a new second began meanwhile: {sampled}");
    /// ```
    pub fn new(fixed_target: u32, rate: f64) -> Self {
        // `clamp` passes NaN on.
        let rate = if rate.is_nan() { 0.0 } else { rate.clamp(0.0, 1.0) };
        Self { patterns: Patterns::default(), fixed_target, rate, reservoir: Reservoir::default() }
    }

    /// Sets the pattern for the host of the request, which has no port.
    pub fn host(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.host = pattern.into();
        self
    }

    /// Sets the pattern for the method of the request.
    pub fn method(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.method = pattern.into();
        self
    }

    /// Sets the pattern for the path of the request, which begins with `/` and has no query.
    pub fn path(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.path = pattern.into();
        self
    }

    /// Returns whether the rule matches a request.
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

    /// Decides about a matching request in this second.
    pub(crate) fn is_sampled(&self, second: u32) -> bool {
        // The rate applies only to the requests that the reservoir did not take. (Developer guide, "Configuring
        // sampling rules".)
        self.reservoir.take(second, self.fixed_target) || by_chance(self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_out_of_range_counts_as_the_nearest_end() {
        for (rate, sampled) in [(0.0, 0), (-1.0, 0), (f64::NAN, 0), (f64::NEG_INFINITY, 0), (1.0, 1000), (7.0, 1000)] {
            let rule = Rule::new(0, rate);
            assert_eq!((0..1000).filter(|_| rule.is_sampled(1)).count(), sampled, "{rate}");
        }
    }
}
