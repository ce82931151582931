//! The parts of an incoming request that a segment records, for any server.

use std::net::{IpAddr, SocketAddr};

use http::request::Parts;

use crate::document::MAX_STRING_CHARS;
use crate::support::secrets;

/// The head of an incoming request, for any server.
pub(crate) trait IncomingRequest {
    /// Returns the method.
    fn method(&self) -> &str;

    /// Returns the scheme of the URI, if it has one.
    fn scheme(&self) -> Option<&str>;

    /// Returns the authority of the URI, if it has one.
    fn authority(&self) -> Option<&str>;

    /// Returns the path of the URI.
    fn path(&self) -> &str;

    /// Returns all values of a header. The name is in lower case.
    fn headers<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]>;

    /// Returns the address of the connection's other end, if the server provides it.
    fn peer(&self) -> Option<SocketAddr>;

    /// Returns the first value of a header. The name is in lower case.
    fn header(&self, name: &'static str) -> Option<&[u8]> {
        self.headers(name).next()
    }
}

impl IncomingRequest for Parts {
    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn scheme(&self) -> Option<&str> {
        self.uri.scheme_str()
    }

    fn authority(&self) -> Option<&str> {
        self.uri.authority().map(http::uri::Authority::as_str)
    }

    fn path(&self) -> &str {
        self.uri.path()
    }

    fn headers<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.get_all(name).iter().map(http::HeaderValue::as_bytes)
    }

    /// Returns the socket address in the extensions of the request.
    fn peer(&self) -> Option<SocketAddr> {
        self.extensions.get().copied()
    }
}

/// The client of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    /// `true` if the address comes from `X-Forwarded-For`, which any client can forge.
    pub(super) is_forwarded: bool,
}

/// Returns the client of a request: the first address in `X-Forwarded-For` if that header is read, else the result of
/// `peer`, else the address of the connection's other end.
pub(super) fn client(
    request: &impl IncomingRequest,
    reads_forwarded_for: bool,
    peer: impl FnOnce() -> Option<IpAddr>,
) -> Option<Client> {
    let forwarded = reads_forwarded_for.then(|| forwarded_for(request)).flatten();
    let is_forwarded = forwarded.is_some();
    let address = forwarded.or_else(peer).or_else(|| request.peer().map(|peer| peer.ip()));
    // A server on `[::]` sees IPv4 addresses as `::ffff:192.0.2.1`.
    address.map(|address| Client { address: address.to_canonical(), is_forwarded })
}

/// Returns the user agent without secrets, at most 250 characters.
pub(super) fn user_agent(request: &impl IncomingRequest) -> Option<String> {
    let text = String::from_utf8_lossy(request.header("user-agent")?);
    (!text.is_empty()).then(|| secrets::recorded(&text, MAX_STRING_CHARS).into_owned())
}

/// Returns the URL that the client used, without its query.
pub(super) fn url(request: &impl IncomingRequest) -> String {
    let path = request.path();
    match authority(request) {
        Some(authority) => {
            let slash = if path.starts_with('/') { "" } else { "/" };
            format!("{}://{authority}{slash}{path}", scheme(request))
        }
        None => path.to_owned(),
    }
}

/// Returns the authority of the URI, else the `Host` header: an absolute URI takes precedence. (RFC 9112, section
/// 3.2.2.)
fn authority(request: &impl IncomingRequest) -> Option<&str> {
    // Neither a host nor a URL contains bytes outside ASCII.
    let in_header = || std::str::from_utf8(request.header("host")?).ok().filter(|host| host.is_ascii());
    request.authority().or_else(in_header).filter(|authority| !authority.is_empty())
}

/// Returns the scheme of the URI, else that of `X-Forwarded-Proto` if it is one of the four that a browser or client
/// uses.
fn scheme(request: &impl IncomingRequest) -> &str {
    const KNOWN: [&str; 4] = ["http", "https", "ws", "wss"];
    request.scheme().unwrap_or_else(|| {
        let forwarded = first(request, "x-forwarded-proto").unwrap_or_default();
        KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(forwarded)).unwrap_or("http")
    })
}

/// Returns the first address in `X-Forwarded-For`: each proxy appends the address of its own client, so the first is
/// the original client. Returns `None` if the first element is no IP address.
fn forwarded_for(request: &impl IncomingRequest) -> Option<IpAddr> {
    let text = first(request, "x-forwarded-for")?.trim_matches('"');
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

/// Returns the first element of a header that holds a list.
fn first<'a>(request: &'a impl IncomingRequest, name: &'static str) -> Option<&'a str> {
    // Only the first element has to be text: the others may hold any bytes.
    let element = request.header(name)?.split(|byte| *byte == b',').next()?;
    std::str::from_utf8(element).ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::document::url::Url;

    fn parts(uri: &str, headers: &[(&'static str, &[u8])]) -> Parts {
        let mut parts = http::Request::get(uri).body(()).unwrap().into_parts().0;
        for (name, value) in headers {
            parts.headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        parts
    }

    fn recorded_url(parts: &Parts) -> String {
        Url::from(&url(parts)).recorded()
    }

    fn host(parts: &Parts) -> Option<String> {
        Url::from(&url(parts)).host().map(Into::into)
    }

    #[test]
    fn the_url_and_the_host_of_a_request() {
        let long = "h".repeat(70_000);
        for (uri, headers, url, name) in [
            ("/a?token=x", &[("host", &b"Example.com:80"[..])][..], "http://Example.com:80/a", Some("example.com")),
            ("/a", &[("host", b"h"), ("x-forwarded-proto", b"HTTPS, http")], "https://h/a", Some("h")),
            ("/a", &[("host", b"h"), ("x-forwarded-proto", b"javascript:alert(1)//")], "http://h/a", Some("h")),
            ("https://u:p@h/a?b", &[("host", b"other"), ("x-forwarded-proto", b"http")], "https://h/a", Some("h")),
            ("/a", &[("host", b"user:secret@h")], "http://h/a", Some("h")),
            ("/a", &[("host", b"h?token=x")], "http://h", Some("h")),
            ("/a", &[("host", b"[::1]:80")], "http://[::1]:80/a", Some("::1")),
            ("*", &[("host", b"h")], "http://h/*", Some("h")),
            ("h:443", &[], "http://h:443/", Some("h")),
            ("/a", &[("host", b"\xff\xfe")], "/a", None),
            ("/a", &[("host", b"")], "/a", None),
            ("/a?token=x", &[], "/a", None),
        ] {
            let parts = parts(uri, headers);
            assert_eq!(recorded_url(&parts), url, "{uri} {headers:?}");
            assert_eq!(host(&parts).as_deref(), name, "{uri} {headers:?}");
        }
        let parts = parts("/a", &[("host", long.as_bytes())]);
        assert_eq!(recorded_url(&parts).len(), 250);
    }

    #[test]
    fn the_client_of_a_request() {
        let peer: SocketAddr = "10.0.0.9:5000".parse().unwrap();
        for (forwarded, expected, is_forwarded) in [
            (&b"203.0.113.7, 10.0.0.1"[..], "203.0.113.7", true),
            (b" 203.0.113.7 ,\xff\xff", "203.0.113.7", true),
            (b"203.0.113.7:4711", "203.0.113.7", true),
            (b"2001:DB8::1", "2001:db8::1", true),
            (b"\"[2001:db8::1]:80\"", "2001:db8::1", true),
            (b"[2001:db8::1]", "2001:db8::1", true),
            (b"::ffff:203.0.113.7", "203.0.113.7", true),
            (b"unknown, 203.0.113.7", "10.0.0.9", false),
            (b"<script>", "10.0.0.9", false),
            (b"\xff", "10.0.0.9", false),
            (b"", "10.0.0.9", false),
        ] {
            let mut parts = parts("/", &[("x-forwarded-for", forwarded)]);
            parts.extensions.insert(peer);
            let found = client(&parts, true, || None).unwrap();
            let text = String::from_utf8_lossy(forwarded);
            assert_eq!((found.address.to_string(), found.is_forwarded), (expected.to_owned(), is_forwarded), "{text}");
            let found = client(&parts, false, || Some([127, 0, 0, 1].into())).unwrap();
            assert_eq!((found.address.to_string(), found.is_forwarded), ("127.0.0.1".to_owned(), false), "{text}");
        }
    }
}
