//! Rules for outgoing requests by host and path, and the methods of the builder that set them.

use super::RecorderBuilder;
use crate::header::propagation::Propagation;
use crate::support::wildcard;

/// The rules of a recorder for outgoing requests.
//
// They hold for the whole program and every client, because the exceptions are facts about hosts rather than about the
// code that calls them: a metadata service, a health check, a third party that must not see the program's trace ids.
#[derive(Debug, Default)]
pub(crate) struct HttpRules {
    /// Requests that get neither subsegment nor header.
    ignored: Vec<Pattern>,
    /// Requests that get the headers. Empty for all requests.
    injected: Vec<Pattern>,
    /// Names for subsegments. The first pattern that matches counts.
    named: Vec<(Pattern, String)>,
}

/// A pattern for a host and optionally a path. `*` stands for any number of characters, `?` for exactly one.
#[derive(Debug)]
struct Pattern {
    host: String,
    path: Option<String>,
}

impl RecorderBuilder {
    /// Ignores requests to a host: they get neither a subsegment nor a header. Can be called several times.
    ///
    /// The pattern is a host such as `169.254.169.254` or `*.local`, or a host and a path such as `example.com/health*`.
    /// `*` stands for any number of characters, `?` for exactly one. Neither the case of letters nor the port matters.
    ///
    /// ```
    /// let recorder = xray::Recorder::builder().ignore("169.254.169.254").ignore("*/health").build();
    /// # drop(recorder);
    /// ```
    pub fn ignore(mut self, pattern: impl AsRef<str>) -> Self {
        self.rules.ignored.push(Pattern::new(pattern.as_ref()));
        self
    }

    /// Sets the headers of outgoing requests: `X-Amzn-Trace-Id`, which is the default, the `traceparent` of W3C Trace
    /// Context for services that read only that, or both.
    ///
    /// The setting holds for every client, for the middlewares and for calls that are made by hand; see
    /// [`PendingCall::inject`](crate::http::PendingCall::inject). A chosen header that the request already has is replaced.
    /// A header that is not chosen stays as it is. In a trace that is not sampled the headers say `Sampled=0`. A
    /// `traceparent` must name a parent even then, so it names the segment. Other fields of an incoming `X-Amzn-Trace-Id`,
    /// such as `Lineage`, have no place in a `traceparent`.
    ///
    /// ```
    /// use xray::{Propagation, Recorder, Segment, TraceHeader};
    ///
    /// let recorder = Recorder::builder().propagate(Propagation::Both).build();
    /// let incoming = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
    /// let segment = Segment::builder("todo-app").trace_header(&incoming).recorder(&recorder).begin();
    ///
    /// let mut request = http::Request::get("https://example.com/todos/1").body(()).unwrap();
    /// let call = segment.in_scope(|| {
    ///     xray::http::call("GET", request.uri()).inject(request.headers_mut())
    /// });
    /// let x_ray = request.headers()["x-amzn-trace-id"].to_str().unwrap();
    /// let traceparent = request.headers()["traceparent"].to_str().unwrap();
    /// assert!(x_ray.starts_with("Root=1-5759e988-bd862e3fe1be46a994272793;Parent="));
    /// assert!(traceparent.starts_with("00-5759e988bd862e3fe1be46a994272793-"));
    /// assert_eq!(TraceHeader::from_traceparent(traceparent), Some(TraceHeader::parse(x_ray)));
    /// # drop(call);
    /// ```
    pub fn propagate(mut self, propagation: Propagation) -> Self {
        self.propagation = propagation;
        self
    }

    /// Sends the headers only in requests that match. Other requests are recorded and get no header. Can be called several
    /// times. The pattern is that of [`ignore`](Self::ignore).
    ///
    /// ```
    /// let recorder = xray::Recorder::builder().inject_only("*.internal.example.com").build();
    /// # drop(recorder);
    /// ```
    pub fn inject_only(mut self, pattern: impl AsRef<str>) -> Self {
        self.rules.injected.push(Pattern::new(pattern.as_ref()));
        self
    }

    /// Names the subsegments of calls to matching hosts, so that many hosts are one node in the service graph.
    ///
    /// A name that is set at the call or on its function takes precedence. If several patterns match, the first counts. The
    /// pattern is that of [`ignore`](Self::ignore).
    ///
    /// ```
    /// let recorder = xray::Recorder::builder().name_hosts("*.shard.example.com", "shards").build();
    /// # drop(recorder);
    /// ```
    pub fn name_hosts(mut self, pattern: impl AsRef<str>, name: impl Into<String>) -> Self {
        self.rules.named.push((Pattern::new(pattern.as_ref()), name.into()));
        self
    }
}

impl HttpRules {
    pub(super) fn is_empty(&self) -> bool {
        self.ignored.is_empty() && self.injected.is_empty() && self.named.is_empty()
    }

    /// Returns whether a request to this host and path gets neither a subsegment nor a header.
    pub(crate) fn ignores(&self, host: &str, path: &str) -> bool {
        self.ignored.iter().any(|pattern| pattern.matches(host, path))
    }

    /// Returns whether a request to this host and path gets the headers.
    pub(crate) fn injects(&self, host: &str, path: &str) -> bool {
        self.injected.is_empty() || self.injected.iter().any(|pattern| pattern.matches(host, path))
    }

    /// Returns the name for the subsegment of a request to this host and path.
    pub(crate) fn name(&self, host: &str, path: &str) -> Option<&str> {
        self.named.iter().find(|(pattern, _)| pattern.matches(host, path)).map(|(_, name)| name.as_str())
    }
}

impl Pattern {
    // A host has no `/`, so the first one begins the path.
    fn new(pattern: &str) -> Self {
        match pattern.find('/') {
            Some(slash) => Self { host: pattern[..slash].to_owned(), path: Some(pattern[slash..].to_owned()) },
            None => Self { host: pattern.to_owned(), path: None },
        }
    }

    fn matches(&self, host: &str, path: &str) -> bool {
        wildcard::matches(&self.host, host) && self.path.as_ref().is_none_or(|wanted| wildcard::matches(wanted, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_hosts_and_paths() {
        for (pattern, host, path, expected) in [
            ("example.com", "example.com", "/a", true),
            ("Example.COM", "example.com", "", true),
            ("example.com", "example.com.evil.org", "/a", false),
            ("*.example.com", "a.b.example.com", "/", true),
            ("*/health", "any", "/health", true),
            ("*/health", "any", "/health/x", false),
            ("example.com/a*", "example.com", "/a/b", true),
            ("example.com/a*", "example.com", "/b", false),
            ("", "example.com", "/", false),
            ("/x", "", "/x", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(host, path), expected, "{pattern} on {host}{path}");
        }
    }
}
