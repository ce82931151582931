//! Rules for outgoing requests by host and path.

use std::fmt;

use crate::support::variables::{Outcome, RejectedSetting};
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

impl HttpRules {
    /// Ignores the requests that match `pattern`.
    pub(super) fn ignore(&mut self, pattern: &str) {
        self.ignored.push(Pattern::new(pattern));
    }

    /// Adds `pattern` to the patterns of the requests that get the headers. Without any pattern, all requests get them.
    pub(super) fn inject_only(&mut self, pattern: &str) {
        self.injected.push(Pattern::new(pattern));
    }

    /// Names the subsegments of the requests that match `pattern`.
    pub(super) fn name_hosts(&mut self, pattern: &str, name: String) {
        self.named.push((Pattern::new(pattern), name));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ignored.is_empty() && self.injected.is_empty() && self.named.is_empty()
    }

    /// Returns the patterns that match no request, such as those without a host and those with a scheme.
    pub(super) fn invalid(&self) -> impl Iterator<Item = RejectedSetting> {
        let ignored = self.ignored.iter().map(|pattern| ("ignore", pattern));
        let injected = self.injected.iter().map(|pattern| ("inject_only", pattern));
        let named = self.named.iter().map(|(pattern, _)| ("name_hosts", pattern));
        let all = ignored.chain(injected).chain(named);
        all.filter(|(_, pattern)| !pattern.can_match()).map(|(name, pattern)| RejectedSetting {
            name,
            value: pattern.to_string(),
            expected: "a host such as `*.local`, or a host and a path such as `*/health`, without a scheme",
            outcome: Outcome::MatchesNothing,
        })
    }

    /// Returns whether a request to this host and path gets neither a subsegment nor a header.
    pub(crate) fn ignores(&self, host: &str, path: &str) -> bool {
        self.ignored.iter().any(|pattern| pattern.matches(host, path))
    }

    /// Returns each kind of rule that is set: the name of the builder's method, and the patterns as one text.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let text = |patterns: &[Pattern]| patterns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let named = self.named.iter().map(|(pattern, name)| format!("{pattern} as {name}")).collect::<Vec<_>>();
        let all =
            [("ignore", text(&self.ignored)), ("inject_only", text(&self.injected)), ("name_hosts", named.join(", "))];
        all.into_iter().filter(|(_, patterns)| !patterns.is_empty())
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

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host)?;
        formatter.write_str(self.path.as_deref().unwrap_or_default())
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

    /// Returns whether the pattern matches any request.
    fn can_match(&self) -> bool {
        // `new` splits `http://host/path` into the host `http:` and the path `//host/path`.
        let has_scheme = self.host.ends_with(':') && self.path.as_ref().is_some_and(|path| path.starts_with("//"));
        !has_scheme && wildcard::can_match_host(&self.host)
    }

    fn matches(&self, host: &str, path: &str) -> bool {
        wildcard::matches_host(&self.host, host)
            && self.path.as_ref().is_none_or(|wanted| wildcard::matches(wanted, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_match_no_request_are_known() {
        for (pattern, can_match) in [
            ("example.com", true),
            ("*/health", true),
            ("fd00::", true),
            ("::1/a//b", true),
            ("/health", false),
            ("", false),
            ("http://example.com/health", false),
            ("https://*", false),
            ("*:8080", false),
            (":8080/health", false),
            ("[::1]:80", true),
            ("localhost:8080", true),
        ] {
            assert_eq!(Pattern::new(pattern).can_match(), can_match, "{pattern}");
        }
    }

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
            ("localhost:4566/a", "localhost", "/a", true),
            ("*:8080", "localhost", "/", false),
            ("fd00:*", "fd00::1", "/", true),
            ("[::1]:80", "::1", "/", true),
            ("::1", "::1", "/", true),
            ("*.cluster.local", "db.cluster.local.", "/", true),
            ("db.cluster.local.", "db.cluster.local", "/", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(host, path), expected, "{pattern} on {host}{path}");
        }
    }
}
