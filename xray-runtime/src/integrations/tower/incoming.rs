//! A request that is being served: the open segment, and the parts of the request that it records.

use std::net::{IpAddr, SocketAddr};

use http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, response};

use crate::document::MAX_STRING_CHARS;
use crate::header::trace_header::TRACE_HEADER_NAME;
use crate::live::context::{self, Context};
use crate::live::segment::Segment;
use crate::support::text::first_chars;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The segment of a request. If it is dropped before it is [complete](Self::complete), it is marked as cancelled.
pub(super) struct Serving {
    segment: Segment,
    /// Whether the caller asked for our sampling decision (`Sampled=?`).
    is_asked: bool,
    /// Decides, with the status, whether the response has a body.
    method: Method,
    is_complete: bool,
}

impl Serving {
    pub(super) fn new(segment: Segment, is_asked: bool, method: Method) -> Self {
        Self { segment, is_asked, method, is_complete: false }
    }

    /// Returns the handle of the segment.
    pub(super) fn context(&self) -> &Context {
        &self.segment
    }

    /// Marks the request as served: the end of the segment is then no cancellation.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Runs a closure in the segment. A panic in it is recorded and continues.
    pub(super) fn run<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let _entered = self.segment.enter();
        context::observe_panic(run, |message| {
            self.segment.record_panic(message);
            self.is_complete = true;
        })
    }

    /// Records the head of the response, and adds the sampling decision to it if the caller asked for it.
    pub(super) fn respond(&self, head: &mut response::Parts, content_length: Option<u64>) {
        self.segment.set_http_response(head.status.as_u16(), content_length);
        let Some(root) = self.segment.trace_id().filter(|_| self.is_asked) else { return };
        let decision = format!("Root={root};Sampled={}", u8::from(self.segment.is_sampled()));
        if let Ok(decision) = HeaderValue::try_from(decision) {
            head.headers.insert(TRACE_HEADER_NAME, decision);
        }
    }

    /// Returns whether a server sends no body with this status, even if the response has one. (RFC 9110, section 6.4.1.)
    pub(super) fn is_without_body(&self, status: StatusCode) -> bool {
        self.method == Method::HEAD
            || self.method == Method::CONNECT && status.is_success()
            || status.is_informational()
            || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if !self.is_complete {
            self.segment.add_metadata_in("xray", "cancelled", true);
        }
    }
}

/// The client of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    /// Whether the address comes from `X-Forwarded-For`, which anybody can write.
    pub(super) is_forwarded: bool,
}

/// Returns the client of a request: the first address in `X-Forwarded-For` if that is read, else the result of `peer`,
/// else the socket address in the request's extensions.
pub(super) fn client(
    parts: &Parts,
    reads_forwarded_for: bool,
    peer: impl FnOnce() -> Option<IpAddr>,
) -> Option<Client> {
    let forwarded = reads_forwarded_for.then(|| forwarded_for(&parts.headers)).flatten();
    let is_forwarded = forwarded.is_some();
    let address = forwarded.or_else(peer).or_else(|| parts.extensions.get().map(SocketAddr::ip));
    address.map(|address| Client { address, is_forwarded })
}

/// Returns the user agent, at most 250 characters.
pub(super) fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(USER_AGENT)?.as_bytes());
    (!text.is_empty()).then(|| first_chars(&text, MAX_STRING_CHARS).to_owned())
}

/// Returns the length of a body from its header.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Returns the URL that the client used, without its query.
pub(super) fn url(parts: &Parts) -> String {
    let path = parts.uri.path();
    match authority(parts) {
        Some(authority) => {
            let slash = if path.starts_with('/') { "" } else { "/" };
            format!("{}://{authority}{slash}{path}", scheme(parts))
        }
        None => path.to_owned(),
    }
}

/// Returns the authority of the URI, else the `Host` header: an absolute URI takes precedence. (RFC 9112, section 3.2.2.)
fn authority(parts: &Parts) -> Option<&str> {
    let in_header = || parts.headers.get(HOST)?.to_str().ok();
    parts.uri.authority().map(http::uri::Authority::as_str).or_else(in_header).filter(|authority| !authority.is_empty())
}

/// Returns the scheme of the URI, else that of `X-Forwarded-Proto` if it is one of the four that a browser or client uses.
fn scheme(parts: &Parts) -> &str {
    const KNOWN: [&str; 4] = ["http", "https", "ws", "wss"];
    parts.uri.scheme_str().unwrap_or_else(|| {
        let forwarded = first(&parts.headers, &FORWARDED_PROTO).unwrap_or_default();
        KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(forwarded)).unwrap_or("http")
    })
}

/// Returns the first address in `X-Forwarded-For`: each proxy appends the address of its own client, so the first is the
/// original client. Returns `None` if the first element is no IP address.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let text = first(headers, &FORWARDED_FOR)?.trim_matches('"');
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

/// Returns the first element of a header that holds a list.
fn first<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // Only the first element has to be text: the others may hold any bytes.
    let element = headers.get(name)?.as_bytes().split(|byte| *byte == b',').next()?;
    std::str::from_utf8(element).ok().map(str::trim)
}

#[cfg(test)]
mod tests {
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
