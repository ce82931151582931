//! Who may ask: programs of this machine, the console's own pages, and nobody's web page.
//!
//! There are no credentials, so a page in the developer's browser must not get through, neither from its own origin nor
//! by a name of its own that points to the loopback interface (DNS rebinding).

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderName, Method, header};

/// Which hosts a request may name.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    hosts: Vec<String>,
    /// Whether any address may be named: the server listens on all of the machine's. A page cannot use that: it would
    /// have to come from that address itself.
    takes_addresses: bool,
}

impl Guard {
    /// For the address as it was given, what it was resolved to, and names that are allowed besides.
    pub(super) fn new(given: &str, bound: IpAddr, names: Vec<String>) -> Self {
        let given = given.rsplit_once(':').map_or(given, |(host, _)| host);
        let hosts = names.into_iter().chain([given.to_owned(), bound.to_string()]);
        let hosts = hosts.map(|host| normal(&host)).collect();
        Self { hosts, takes_addresses: bound.is_unspecified() }
    }

    /// # Errors
    ///
    /// Why the request is refused.
    pub(super) fn check(&self, request: &Parts) -> Result<(), String> {
        let host = one(request, &header::HOST)?.ok_or("the request has no Host")?;
        let authority = self.allowed(host)?;
        if let Some(other) = request.uri.authority() {
            self.allowed(other.as_str())?;
        }
        if let Some(origin) = one(request, &header::ORIGIN)? {
            let of_origin = origin.split_once("://").map(|(_, authority)| authority);
            if !of_origin.is_some_and(|origin| origin.eq_ignore_ascii_case(authority.as_str())) {
                return Err(format!("the Origin {origin:?} is foreign"));
            }
        }
        check_fetch(request)
    }

    fn allowed(&self, host: &str) -> Result<Authority, String> {
        let authority: Authority = host.parse().map_err(|_| format!("the Host {host:?} is not a host"))?;
        let name = normal(authority.host());
        let address: Option<IpAddr> = name.parse().ok();
        let is_loopback = match address {
            Some(address) => address.is_loopback(),
            None => name == "localhost" || name.ends_with(".localhost"),
        };
        if is_loopback || self.hosts.contains(&name) || self.takes_addresses && address.is_some() {
            return Ok(authority);
        }
        Err(format!("the Host {host:?} is neither loopback nor the given address (--allow-host allows it)"))
    }
}

/// What a browser says of itself where it sends no `Origin`: a page may link to the console, and no more.
fn check_fetch(request: &Parts) -> Result<(), String> {
    let get = |name: &'static str| request.headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"));
    let is_link =
        request.method == Method::GET && get("sec-fetch-mode") == "navigate" && get("sec-fetch-dest") == "document";
    match get("sec-fetch-site") {
        "" | "same-origin" | "none" => Ok(()),
        _ if is_link => Ok(()),
        site => Err(format!("the request comes from a web page ({site})")),
    }
}

/// A header that may stand once.
fn one<'a>(request: &'a Parts, name: &HeaderName) -> Result<Option<&'a str>, String> {
    let mut values = request.headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value)),
        _ => Err(format!("the request has more than one {name}, or one that is not text")),
    }
}

/// Without the brackets of an IPv6 address and the dot of a full name.
fn normal(host: &str) -> String {
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

    fn host_is_taken(guard: &Guard, host: &str) -> bool {
        check(guard, "POST", "/Traces", &[("host", host)]).is_ok()
    }

    fn loopback() -> Guard {
        Guard::new("127.0.0.1:2000", IpAddr::from([127, 0, 0, 1]), Vec::new())
    }

    #[test]
    fn loopback_is_taken_by_each_of_its_names() {
        for host in ["127.0.0.1:2000", "127.0.0.1", "127.8.9.1:2000", "localhost:2000", "LOCALHOST", "localhost.:80"] {
            assert!(host_is_taken(&loopback(), host), "{host}");
        }
        for host in ["[::1]:2000", "xray.localhost:2000", "localhost:3000"] {
            assert!(host_is_taken(&loopback(), host), "{host}");
        }
    }

    #[test]
    fn other_hosts_are_refused() {
        for host in ["evil.example", "evil.example:2000", "192.168.1.7:2000", "localhost.evil.example", "notlocalhost"]
        {
            assert!(!host_is_taken(&loopback(), host), "{host}");
        }
        for host in ["", "a b", "127.0.0.1.evil.example:2000", "user@evil.example", "[::2]:2000", "[::1", "0.0.0.0"] {
            assert!(!host_is_taken(&loopback(), host), "{host}");
        }
        assert!(check(&loopback(), "GET", "/", &[]).is_err(), "no host");
        assert!(check(&loopback(), "GET", "/", &[("host", "localhost"), ("host", "localhost")]).is_err(), "two hosts");
        let refused = check(&loopback(), "GET", "http://evil.example/", &[("host", "localhost")]);
        assert!(refused.unwrap_err().contains("evil.example"), "a proxy's form");
    }

    #[test]
    fn the_given_address_and_names_are_taken() {
        let guard = Guard::new("dev.example:2000", IpAddr::from([192, 168, 1, 7]), vec!["Tracer".to_owned()]);
        for host in ["dev.example:2000", "192.168.1.7:2000", "tracer:2000", "localhost:2000"] {
            assert!(host_is_taken(&guard, host), "{host}");
        }
        assert!(!host_is_taken(&guard, "192.168.1.8:2000"));
        let guard = Guard::new("[::1]:2000", IpAddr::from([0; 16]), Vec::new());
        assert!(host_is_taken(&guard, "10.0.0.1:2000") && host_is_taken(&guard, "[fe80::1]:2000"), "listens on all");
        assert!(!host_is_taken(&guard, "evil.example:2000"));
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
    fn a_link_is_all_that_a_foreign_page_has() {
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
