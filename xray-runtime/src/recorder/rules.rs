//! What holds for every outgoing request of the program, by host and path.

use super::RecorderBuilder;
use crate::sampling::wildcard;

/// The rules of a recorder; without any, nothing is asked of a request.
#[derive(Debug, Default)]
pub(crate) struct HttpRules {
    ignored: Vec<Pattern>,
    /// Where the header goes; everywhere if none is named.
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
    /// Leaves requests alone: neither subsegment nor header. May be called more than once.
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

    /// Sends the header only to these hosts, or hosts and paths; a call to any other is recorded without. May be called
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
