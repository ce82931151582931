//! The patterns by which a sampling rule matches requests.

use super::SamplingRequest;
use crate::support::wildcard;

/// One pattern for each property of a request; `*` unless set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Patterns {
    pub(super) service_name: String,
    pub(super) service_type: String,
    pub(super) host: String,
    pub(super) method: String,
    pub(super) path: String,
}

impl Default for Patterns {
    fn default() -> Self {
        let any = || "*".to_owned();
        Self { service_name: any(), service_type: any(), host: any(), method: any(), path: any() }
    }
}

impl Patterns {
    /// Returns whether all patterns match a request. A property that the request does not have matches every pattern.
    ///
    /// A segment that serves no request has neither method, host nor path. Patterns that name one of the three do not
    /// match it.
    // An unknown property matches in the X-Ray SDKs for Go, Node.js and Python too. If it also matched for segments
    // that serve no request, a rule for a path, such as one that excludes health checks, would decide about jobs and
    // consumers.
    pub(super) fn are_for(&self, request: &SamplingRequest<'_>) -> bool {
        let is_any = |pattern: &String| pattern == "*";
        if request.is_of_job() && ![&self.method, &self.host, &self.path].into_iter().all(is_any) {
            return false;
        }
        // Most patterns are `*`, and each decision compares five patterns of each rule until one matches.
        let is_match_by = |matches: fn(&str, &str) -> bool, pattern: &str, value: Option<&str>| {
            pattern == "*" || value.is_none_or(|value| matches(pattern, value))
        };
        let is_match = |pattern, value| is_match_by(wildcard::matches, pattern, value);
        // Short and selective properties first.
        is_match(&self.method, request.method())
            && is_match_by(wildcard::matches_host, &self.host, request.host())
            && is_match(&self.path, request.path())
            && is_match(&self.service_name, Some(request.service_name()))
            && is_match(&self.service_type, request.service_type())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(set: impl FnOnce(&mut Patterns)) -> Patterns {
        let mut patterns = Patterns::default();
        set(&mut patterns);
        patterns
    }

    fn request() -> SamplingRequest<'static> {
        let request = SamplingRequest::new("shop").with_service_type("AWS::ECS::Container");
        request.with_host("shop.example.com").with_method("POST").with_path("/pay/7")
    }

    #[test]
    fn all_patterns_have_to_match() {
        assert!(Patterns::default().are_for(&request()));
        let matching = Patterns {
            service_name: "SH?P".to_owned(),
            service_type: "AWS::ECS::*".to_owned(),
            host: "*.EXAMPLE.com".to_owned(),
            method: "po?t".to_owned(),
            path: "/pay/?".to_owned(),
        };
        assert!(matching.are_for(&request()));
        for other in [
            patterns(|patterns| patterns.service_name = "sho".to_owned()),
            patterns(|patterns| patterns.service_type = "AWS::EC2::Instance".to_owned()),
            patterns(|patterns| patterns.host = "example.com".to_owned()),
            patterns(|patterns| patterns.method = "GET".to_owned()),
            patterns(|patterns| patterns.path = "/pay".to_owned()),
            patterns(|patterns| patterns.path = String::new()),
        ] {
            assert!(!other.are_for(&request()), "{other:?}");
        }
    }

    #[test]
    fn neither_the_port_in_a_rule_nor_a_dot_at_the_end_of_a_host_matters() {
        let rule = patterns(|patterns| patterns.host = "shop.example.com:8080".to_owned());
        for host in ["shop.example.com", "shop.example.com.", "shop.example.com:80"] {
            assert!(rule.are_for(&request().with_host(host)), "{host}");
        }
        assert!(!rule.are_for(&request().with_host("shop.example.com.evil.org")));
    }

    #[test]
    fn an_unknown_property_matches_every_pattern() {
        let patterns = patterns(|patterns| {
            (patterns.host, patterns.method) = ("h".to_owned(), "GET".to_owned());
            (patterns.path, patterns.service_type) = ("/p".to_owned(), "AWS::EC2::Instance".to_owned());
        });
        let request = SamplingRequest::new("s");
        assert!(patterns.are_for(&request));
        assert!(patterns.are_for(&request.with_path("/p")));
        assert!(patterns.are_for(&SamplingRequest::of_job("s").with_path("/p")));
        assert!(!patterns.are_for(&request.with_path("/q")));
    }

    #[test]
    fn patterns_for_requests_do_not_match_a_segment_that_serves_none() {
        let request = SamplingRequest::of_job("shop").with_service_type("AWS::ECS::Container");
        let service = |patterns: &mut Patterns| patterns.service_name = "sh*".to_owned();
        assert!(patterns(service).are_for(&request) && Patterns::default().are_for(&request));
        assert!(!patterns(|patterns| patterns.host = "*.example.com".to_owned()).are_for(&request));
        assert!(!patterns(|patterns| patterns.method = "GET".to_owned()).are_for(&request));
        assert!(!patterns(|patterns| patterns.path = "/health*".to_owned()).are_for(&request));
    }
}
