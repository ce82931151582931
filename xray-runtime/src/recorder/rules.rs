//! What holds for every outgoing request of the program, by host and path.

use super::RecorderBuilder;
use crate::header::propagation::Propagation;
use crate::support::wildcard;

/// The rules of a recorder; without any, nothing is asked of a request.
#[derive(Debug, Default)]
pub(crate) struct HttpRules {
    ignored: Vec<Pattern>,
    /// Where the headers go; everywhere if none is named.
    injected: Vec<Pattern>,
    named: Vec<(Pattern, String)>,
}

/// A host and perhaps a path, in which `*` stands for any characters and `?` for one.
#[derive(Debug)]
struct Pattern {
    host: String,
    path: Option<String>,
}

impl RecorderBuilder {
    /// Leaves requests alone: neither subsegment nor header of ours. May be called more than once.
    ///
    /// The pattern is a host such as `169.254.169.254` or `*.local`, or a host and a path: `example.com/health*`. `*`
    /// stands for any characters, `?` for one; the case of letters does not matter. Ports are not looked at.
    ///
    /// ```
    /// let recorder = xray::Recorder::builder().ignore("169.254.169.254").ignore("*/health").build();
    /// # drop(recorder);
    /// ```
    pub fn ignore(mut self, pattern: impl AsRef<str>) -> Self {
        self.rules.ignored.push(Pattern::new(pattern.as_ref()));
        self
    }

    /// Which headers outgoing requests carry: `X-Amzn-Trace-Id` unless set, `traceparent` of W3C Trace Context for
    /// services that read only that, or both.
    ///
    /// It holds for every client, for the middlewares and for calls that are made by hand; see
    /// [`PendingCall::inject`](crate::http::PendingCall::inject). A header that the request has is replaced, one that is not
    /// chosen is left as it is. Of a trace that is not sampled the headers say so; as a `traceparent` has to name a
    /// parent, it names the segment. `traceparent` has no place for what else came in an `X-Amzn-Trace-Id`, such as
    /// `Lineage`.
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

    /// Sends the headers only to these hosts, or hosts and paths; a call to any other is recorded without. May be called
    /// more than once. The pattern is that of [`ignore`](Self::ignore).
    ///
    /// ```
    /// let recorder = xray::Recorder::builder().inject_only("*.internal.example.com").build();
    /// # drop(recorder);
    /// ```
    pub fn inject_only(mut self, pattern: impl AsRef<str>) -> Self {
        self.rules.injected.push(Pattern::new(pattern.as_ref()));
        self
    }

    /// Names the subsegments of calls to these hosts, where nothing nearer does: one node in the service graph for many
    /// hosts. The first that matches counts. The pattern is that of [`ignore`](Self::ignore).
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

    pub(crate) fn ignores(&self, host: &str, path: &str) -> bool {
        self.ignored.iter().any(|pattern| pattern.matches(host, path))
    }

    pub(crate) fn injects(&self, host: &str, path: &str) -> bool {
        self.injected.is_empty() || self.injected.iter().any(|pattern| pattern.matches(host, path))
    }

    pub(crate) fn name(&self, host: &str, path: &str) -> Option<&str> {
        self.named.iter().find(|(pattern, _)| pattern.matches(host, path)).map(|(_, name)| name.as_str())
    }
}

impl Pattern {
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
    fn hosts_and_paths() {
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
