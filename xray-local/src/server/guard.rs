//! Decides which HTTP requests are allowed: those of programs, those of the console's own pages, and links to the
//! console.
//!
//! The server does not authenticate clients, so it must reject requests that a foreign web page in the developer's
//! browser sends. A page can attack in two ways: it sends a request from its own origin, or it uses a host name of its
//! own that resolves to the loopback interface (DNS rebinding). The `Origin` and `Sec-Fetch-Site` headers reveal the
//! first attack, the `Host` header the second.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, Method, header};

/// The hosts that a request's `Host` header may name.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    hosts: Vec<String>,
    /// `true` if any IP address is allowed, because the server listens on all addresses of the machine. This is safe:
    /// DNS rebinding needs a host name.
    allows_any_ip: bool,
}

impl Guard {
    /// Creates a guard for a server. `given` is the configured address, `bound` the IP address it resolved to, and
    /// `names` are further allowed hosts.
    pub(super) fn new(given: &str, bound: IpAddr, names: Vec<String>) -> Self {
        let given = given.rsplit_once(':').map_or(given, |(host, _)| host);
        let hosts = names.into_iter().chain([given.to_owned(), bound.to_string()]);
        let hosts = hosts.map(|host| normalized(&host)).collect();
        Self { hosts, allows_any_ip: bound.is_unspecified() }
    }

    /// Allows the hosts of a further address on which the server listens. The parameters are like those of
    /// [`new`](Self::new).
    pub(super) fn also(mut self, given: &str, bound: IpAddr) -> Self {
        let further = Self::new(given, bound, Vec::new());
        self.hosts.extend(further.hosts);
        self.allows_any_ip |= further.allows_any_ip;
        self
    }

    /// Checks a request's headers.
    ///
    /// # Errors
    ///
    /// Returns the reason, as text for the client, if the request is rejected.
    pub(super) fn check(&self, request: &Parts) -> Result<(), String> {
        let host = single_header(request, &header::HOST)?.ok_or("the request has no Host header")?;
        let authority = self.allowed_authority(host)?;
        if let Some(other) = request.uri.authority() {
            self.allowed_authority(other.as_str())?;
        }
        if let Some(origin) = single_header(request, &header::ORIGIN)? {
            let origin_authority = origin.split_once("://").map(|(_, authority)| authority);
            if !origin_authority.is_some_and(|origin| origin.eq_ignore_ascii_case(authority.as_str())) {
                return Err(format!("the request comes from a web page of another origin, {origin:?}"));
            }
        }
        check_fetch_metadata(request)
    }

    fn allowed_authority(&self, host: &str) -> Result<Authority, String> {
        let authority: Authority = host.parse().map_err(|_| format!("the request's host {host:?} is not valid"))?;
        let name = normalized(authority.host());
        let address: Option<IpAddr> = name.parse().ok();
        let is_loopback = match address {
            Some(address) => address.is_loopback(),
            None => name == "localhost" || name.ends_with(".localhost"),
        };
        if is_loopback || self.hosts.contains(&name) || self.allows_any_ip && address.is_some() {
            return Ok(authority);
        }
        Err(format!(
            "the request's host {host:?} is neither loopback nor the server's address; to allow it, start xray-local \
             with --allow-host {name}"
        ))
    }
}

/// Checks a host that a user allows: a name or an IP address, without the scheme, the port and the path of a URL.
/// Requests to every port of the host are allowed.
///
/// # Errors
///
/// Returns the reason why the host cannot be allowed.
pub(super) fn check_allowed(host: &str) -> Result<(), &'static str> {
    let name = normalized(host);
    if name.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    let is_name = |name: &str| name.parse::<Authority>().is_ok_and(|authority| authority.host() == name);
    match name.split_once(':') {
        _ if name.contains("://") || name.contains('/') => Err("it is a URL; use only its host"),
        Some((host, _)) if is_name(host) => {
            Err("it has a port; use only the host, which is then allowed with each port")
        }
        None if is_name(&name) => Ok(()),
        _ => Err("it is neither a host name nor an IP address"),
    }
}

/// Checks the `Sec-Fetch-*` headers, which browsers also send with requests without an `Origin`. A foreign page may
/// only link to the console.
fn check_fetch_metadata(request: &Parts) -> Result<(), String> {
    let get = |name: &'static str| request.headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"));
    let is_link =
        request.method == Method::GET && get("sec-fetch-mode") == "navigate" && get("sec-fetch-dest") == "document";
    match get("sec-fetch-site") {
        "" | "same-origin" | "none" => Ok(()),
        _ if is_link => Ok(()),
        site => Err(format!("the request comes from a foreign web page (Sec-Fetch-Site: {site})")),
    }
}

/// Returns the value of a header.
///
/// # Errors
///
/// Returns an error if the header is repeated, because another parser might use the other value, or if its value is not
/// ASCII text.
fn single_header<'a>(request: &'a Parts, name: &HeaderName) -> Result<Option<&'a str>, String> {
    let mut values = request.headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value)),
        _ => Err(format!("the request must have one {name} header, and its value must be ASCII text")),
    }
}

/// Returns a host in lower case, without the brackets of an IPv6 address and the trailing dot of a fully qualified
/// name.
fn normalized(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn check(guard: &Guard, method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<(), String> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guard.check(&request.body(()).unwrap().into_parts().0)
    }

    fn is_host_allowed(guard: &Guard, host: &str) -> bool {
        check(guard, "POST", "/Traces", &[("host", host)]).is_ok()
    }

    fn loopback() -> Guard {
        Guard::new("127.0.0.1:2000", IpAddr::from([127, 0, 0, 1]), Vec::new())
    }

    #[test]
    fn each_name_of_loopback_is_allowed() {
        for host in ["127.0.0.1:2000", "127.0.0.1", "127.8.9.1:2000", "localhost:2000", "LOCALHOST", "localhost.:80"] {
            assert!(is_host_allowed(&loopback(), host), "{host}");
        }
        for host in ["[::1]:2000", "xray.localhost:2000", "localhost:3000"] {
            assert!(is_host_allowed(&loopback(), host), "{host}");
        }
    }

    #[test]
    fn other_hosts_are_refused() {
        for host in ["evil.example", "evil.example:2000", "192.168.1.7:2000", "localhost.evil.example", "notlocalhost"]
        {
            assert!(!is_host_allowed(&loopback(), host), "{host}");
        }
        for host in ["", "a b", "127.0.0.1.evil.example:2000", "user@evil.example", "[::2]:2000", "[::1", "0.0.0.0"] {
            assert!(!is_host_allowed(&loopback(), host), "{host}");
        }
        assert!(check(&loopback(), "GET", "/", &[]).is_err(), "no host");
        assert!(check(&loopback(), "GET", "/", &[("host", "localhost"), ("host", "localhost")]).is_err(), "two hosts");
        let refused = check(&loopback(), "GET", "http://evil.example/", &[("host", "localhost")]);
        assert!(refused.unwrap_err().contains("evil.example"), "a proxy's form");
    }

    #[test]
    fn the_configured_address_and_extra_names_are_allowed() {
        let guard = Guard::new("dev.example:2000", IpAddr::from([192, 168, 1, 7]), vec!["Tracer".to_owned()]);
        for host in ["dev.example:2000", "192.168.1.7:2000", "tracer:2000", "localhost:2000"] {
            assert!(is_host_allowed(&guard, host), "{host}");
        }
        assert!(!is_host_allowed(&guard, "192.168.1.8:2000"));
        let guard = guard.also("10.0.0.2:4318", IpAddr::from([10, 0, 0, 2]));
        assert!(is_host_allowed(&guard, "10.0.0.2:4318") && !is_host_allowed(&guard, "10.0.0.3:4318"));
        assert!(is_host_allowed(&guard.also("0.0.0.0:4318", IpAddr::from([0; 4])), "10.0.0.3:4318"), "listens on all");
        let guard = Guard::new("[::1]:2000", IpAddr::from([0; 16]), Vec::new());
        assert!(
            is_host_allowed(&guard, "10.0.0.1:2000") && is_host_allowed(&guard, "[fe80::1]:2000"),
            "listens on all"
        );
        assert!(!is_host_allowed(&guard, "evil.example:2000"));
    }

    #[test]
    fn a_refused_request_names_the_option_that_allows_it() {
        for (host, name) in
            [("Tracer:2000", "tracer"), ("[fe80::1]:2000", "fe80::1"), ("tracer.example.", "tracer.example")]
        {
            let refused = check(&loopback(), "GET", "/", &[("host", host)]).unwrap_err();
            assert!(refused.ends_with(&format!(" --allow-host {name}")), "{refused}");
            assert_eq!(check_allowed(name), Ok(()));
            let guard = Guard::new("127.0.0.1:2000", IpAddr::from([127, 0, 0, 1]), vec![name.to_owned()]);
            assert!(is_host_allowed(&guard, host), "{host}");
        }
    }

    #[test]
    fn only_a_host_can_be_allowed() {
        for host in ["xray-local", "Tracer.example.", "my_tracer", "10.0.0.1", "::1", "[::1]"] {
            assert_eq!(check_allowed(host), Ok(()), "{host}");
        }
        for (host, reason) in [
            ("xray-local:2000", "port"),
            ("10.0.0.1:2000", "port"),
            ("http://xray-local", "URL"),
            ("http://xray-local:2000/", "URL"),
            ("xray-local/", "URL"),
            ("", "neither"),
            ("a b", "neither"),
            ("[::1]:2000", "neither"),
            ("user@xray-local", "neither"),
        ] {
            assert!(check_allowed(host).is_err_and(|error| error.contains(reason)), "{host}");
        }
    }

    #[test]
    fn foreign_pages_are_refused() {
        let from = |origin| check(&loopback(), "POST", "/Traces", &[("host", "localhost:2000"), ("origin", origin)]);
        assert!(from("http://localhost:2000").is_ok(), "the console");
        for origin in
            ["http://evil.example", "http://localhost:3000", "http://127.0.0.1:2000", "null", "", "localhost:2000"]
        {
            assert!(from(origin).is_err(), "{origin}");
        }
    }

    #[test]
    fn a_foreign_page_may_only_link_to_the_console() {
        let fetch = |method, site, mode, dest| {
            let headers = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
            check(&loopback(), method, "/", &[&[("host", "localhost:2000")], &headers[..]].concat()).is_ok()
        };
        assert!(fetch("GET", "same-origin", "cors", "empty"));
        assert!(fetch("GET", "none", "navigate", "document"));
        assert!(fetch("GET", "cross-site", "navigate", "document"));
        assert!(!fetch("POST", "cross-site", "navigate", "document"));
        assert!(!fetch("GET", "cross-site", "navigate", "iframe"));
        assert!(!fetch("GET", "cross-site", "no-cors", "script"));
        assert!(!fetch("GET", "same-site", "no-cors", "image"));
    }
}
