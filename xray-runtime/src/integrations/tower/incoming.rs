//! A request that is served, as a segment: what it says of itself, and until when it is open.

use std::net::{IpAddr, SocketAddr};

use http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, response};

use crate::document::http::recorded_method;
use crate::document::url::Url;
use crate::document::{HttpRequest, MAX_STRING_CHARS};
use crate::header::trace_header::TRACE_HEADER_NAME;
use crate::live::context::{self, Context};
use crate::live::segment::Segment;
use crate::support::text::first_chars;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The segment of a request. Dropped before it is [complete](Self::complete) it is marked as cancelled.
pub(super) struct Serving {
    segment: Segment,
    /// Whether the caller leaves the sampling decision to us, and asks for it.
    is_asked: bool,
    /// Says of some responses that they have no body.
    method: Method,
    is_complete: bool,
}

impl Serving {
    pub(super) fn new(segment: Segment, is_asked: bool, method: Method) -> Self {
        Self { segment, is_asked, method, is_complete: false }
    }

    /// The handle of the segment.
    pub(super) fn context(&self) -> &Context {
        &self.segment
    }

    /// All is said: its end is no cancellation.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Runs a closure in the segment; a panic in it is recorded and goes on.
    pub(super) fn run<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let _entered = self.segment.enter();
        context::observe_panic(run, |message| {
            self.segment.record_panic(message);
            self.is_complete = true;
        })
    }

    /// Records the head of the response, and adds the decision if that was asked for.
    pub(super) fn respond(&self, head: &mut response::Parts, content_length: Option<u64>) {
        self.segment.set_http_response(head.status.as_u16(), content_length);
        let Some(root) = self.segment.trace_id().filter(|_| self.is_asked) else { return };
        let decision = format!("Root={root};Sampled={}", u8::from(self.segment.is_sampled()));
        if let Ok(decision) = HeaderValue::try_from(decision) {
            head.headers.insert(TRACE_HEADER_NAME, decision);
        }
    }

    /// Whether a server sends no body with this status, and drops one that is there. (RFC 9110, section 6.4.1.)
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

/// The `http` block of a request; `peer` is asked for where no proxy names the client.
pub(super) fn recorded_request(
    parts: &Parts,
    url: &str,
    is_proxy_heard: bool,
    peer: impl FnOnce() -> Option<IpAddr>,
) -> HttpRequest {
    let forwarded = is_proxy_heard.then(|| forwarded_for(&parts.headers)).flatten();
    let peer = || peer().or_else(|| parts.extensions.get::<SocketAddr>().map(SocketAddr::ip));
    HttpRequest {
        method: Some(recorded_method(parts.method.as_str())),
        url: Some(Url::from(url).recorded()),
        user_agent: parts.headers.get(USER_AGENT).and_then(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            (!text.is_empty()).then(|| first_chars(&text, MAX_STRING_CHARS).to_owned())
        }),
        x_forwarded_for: forwarded.is_some(),
        client_ip: forwarded.or_else(peer).map(|address| address.to_string()),
    }
}

/// The host that the request names, in lower case and without a port.
pub(super) fn host(parts: &Parts) -> Option<String> {
    let authority = format!("//{}", authority(parts)?);
    Url::from(&authority).host().map(Into::into)
}

/// The length of a body, by the header.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The URL as the client had it, without its query.
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

/// That of the URI goes first, as HTTP has it. (RFC 9112, section 3.2.2.)
fn authority(parts: &Parts) -> Option<&str> {
    let in_header = || parts.headers.get(HOST)?.to_str().ok();
    parts.uri.authority().map(http::uri::Authority::as_str).or_else(in_header).filter(|authority| !authority.is_empty())
}

/// A header is believed if it names one that a client can have used.
fn scheme(parts: &Parts) -> &str {
    const KNOWN: [&str; 4] = ["http", "https", "ws", "wss"];
    parts.uri.scheme_str().unwrap_or_else(|| {
        let forwarded = first(&parts.headers, &FORWARDED_PROTO).unwrap_or_default();
        KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(forwarded)).unwrap_or("http")
    })
}

/// The address that stands first: the client's, if the proxies are to be believed. What is no address is left out.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let text = first(headers, &FORWARDED_FOR)?.trim_matches('"');
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

/// The first element of a header that is a list.
fn first<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // Up to the comma: what follows may be anything.
    let element = headers.get(name)?.as_bytes().split(|byte| *byte == b',').next()?;
    std::str::from_utf8(element).ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, headers: &[(&'static str, &[u8])]) -> Parts {
        let mut parts = http::Request::get(uri).body(()).unwrap().into_parts().0;
        for (name, value) in headers {
            parts.headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        parts
    }

    fn recorded_url(parts: &Parts) -> String {
        recorded_request(parts, &url(parts), true, || None).url.unwrap()
    }

    #[test]
    fn urls() {
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
    fn clients() {
        let peer: SocketAddr = "10.0.0.9:5000".parse().unwrap();
        for (forwarded, client, is_forwarded) in [
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
            let request = recorded_request(&parts, "/", true, || None);
            let text = String::from_utf8_lossy(forwarded);
            assert_eq!((request.client_ip.as_deref(), request.x_forwarded_for), (Some(client), is_forwarded), "{text}");
            let request = recorded_request(&parts, "/", false, || Some([127, 0, 0, 1].into()));
            assert_eq!((request.client_ip.as_deref(), request.x_forwarded_for), (Some("127.0.0.1"), false), "{text}");
        }
    }
}
