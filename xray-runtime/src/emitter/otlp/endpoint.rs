//! The URL to which spans are sent.

use std::fmt;
use std::str::FromStr;

use crate::support::secrets;

/// The address and the path of a server that accepts spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The host and the port: `localhost:4318`, `[::1]:4318`.
    pub(super) address: String,
    /// The path, with a query if there is one. It begins with a slash.
    pub(super) path: String,
}

/// The path of traces below a base URL. (OTLP specification, "OTLP/HTTP Request".)
const TRACES_PATH: &str = "/v1/traces";

impl Endpoint {
    /// The expected form of a URL, for error messages.
    pub(super) const EXPECTED: &'static str = "a URL such as http://collector:4318. An https URL is not supported: \
        send to a collector beside the program over http, which sends on over https";

    /// Returns the endpoint for traces below a base URL.
    pub(super) fn below(base: &str) -> Result<Self, Refused> {
        let base: Self = base.parse()?;
        let (path, query) = base.path.split_at(base.path.find('?').unwrap_or(base.path.len()));
        Ok(Self { path: format!("{}{TRACES_PATH}{query}", path.trim_end_matches('/')), ..base })
    }
}

impl Default for Endpoint {
    fn default() -> Self {
        Self { address: "localhost:4318".to_owned(), path: TRACES_PATH.to_owned() }
    }
}

/// The reason why a URL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The URL needs TLS.
    Https,
    /// The URL contains a user name.
    Credentials,
    /// The URL has another form.
    Form,
}

impl FromStr for Endpoint {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(Refused::Form)?;
        match scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            "https" => return Err(Refused::Https),
            _ => return Err(Refused::Form),
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(Refused::Credentials);
        }
        let address = match (authority.rsplit_once(':'), authority.ends_with(']')) {
            (Some((_, port)), false) if port.parse::<u16>().is_ok_and(|port| port != 0) => authority.to_owned(),
            (Some(_), false) => return Err(Refused::Form),
            (None, _) | (_, true) => format!("{authority}:80"),
        };
        let is_host = |host: &str| !host.is_empty() && (host.starts_with('[') || !host.contains(':'));
        if !address.rsplit_once(':').is_some_and(|(host, _)| is_host(host)) {
            return Err(Refused::Form);
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        // Both texts become parts of the request's head.
        let is_valid = address.parse::<http::uri::Authority>().is_ok() && path.parse::<http::Uri>().is_ok();
        if is_valid { Ok(Self { address, path }) } else { Err(Refused::Form) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_CHARS: usize = 250;
        // The query may contain a secret key.
        formatter.write_str(&secrets::recorded(&format!("http://{}{}", self.address, self.path), MAX_CHARS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_traces_is_added_to_a_base_url_alone() {
        let endpoint = |address: &str, path: &str| Ok(Endpoint { address: address.to_owned(), path: path.to_owned() });
        for (base, address, path) in [
            ("http://collector:4318", "collector:4318", "/v1/traces"),
            ("HTTP://collector:4318/", "collector:4318", "/v1/traces"),
            (" http://127.0.0.1/otlp ", "127.0.0.1:80", "/otlp/v1/traces"),
            ("http://[::1]:4318", "[::1]:4318", "/v1/traces"),
            ("http://[::1]", "[::1]:80", "/v1/traces"),
            ("http://a:1/base/?key=1/2", "a:1", "/base/v1/traces?key=1/2"),
            ("http://a:1?key=1", "a:1", "/v1/traces?key=1"),
        ] {
            assert_eq!(Endpoint::below(base), endpoint(address, path), "{base}");
        }
        assert_eq!("http://a:1/traces?key=1#top".parse(), endpoint("a:1", "/traces?key=1"));
        assert_eq!("http://a:1".parse(), endpoint("a:1", "/"));
        assert_eq!("http://a:1?key=1".parse(), endpoint("a:1", "/?key=1"));
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        for text in [
            "",
            "collector:4318",
            "http://",
            "http:///v1",
            "http://:4318",
            "grpc://a:4317",
            "http://a:0",
            "http://a:b",
            "http://::1:4318",
            "http://a b:1",
            "http://a:1/\u{1}",
            "unix:///tmp/socket",
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(Refused::Form), "{text:?}");
        }
        assert_eq!("https://collector:4318".parse::<Endpoint>(), Err(Refused::Https));
        assert_eq!("http://user:password@collector".parse::<Endpoint>(), Err(Refused::Credentials));
    }
}
