//! The `http` block, and the flags that an HTTP status sets.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{MAX_STRING_CHARS, is_false};
use crate::support::text::first_chars;

/// An HTTP request that a segment serves or a subsegment makes, and its response.
///
/// (Developer guide, "X-Ray segment documents", "HTTP request data".)
///
/// ```
/// let ((), documents) = xray::testing::capture_blocking(|| {
///     let segment = xray::Segment::builder("shop").request("get", "https://shop.example.com/cart?user=7").begin();
///     segment.set_http_response(404, None);
/// });
/// let http = documents[0].http.as_ref().unwrap();
/// let request = http.request.as_ref().unwrap();
/// assert_eq!(request.method.as_deref(), Some("GET"));
/// assert_eq!(request.url.as_deref(), Some("https://shop.example.com/cart"));
/// assert_eq!(http.response.unwrap().status, Some(404));
/// assert!(documents[0].error);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Http {
    /// The head of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequest>,
    /// The head of the response; absent if the request failed before one arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<HttpResponse>,
}

/// The request of an [`Http`] block; see there for an example. Each text has at most 250 characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The method in capitals, such as `GET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Cow<'static, str>>,
    /// Scheme, host, port and path of the URL, without its credentials, query and fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The client's `User-Agent` header; on segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The IP address of the client; on segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
    /// `true` if `client_ip` comes from an `X-Forwarded-For` header, which a client can forge.
    #[serde(default, skip_serializing_if = "is_false")]
    pub x_forwarded_for: bool,
}

/// The response of an [`Http`] block; see there for an example.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The length of the body in bytes, if the response has a `Content-Length` header.
    // Signed, because other SDKs write -1 for an unknown length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_length: Option<i64>,
}

/// Returns a method in capitals, so that one search finds all traces of the method. (HTTP's methods are case-sensitive,
/// but programs write `get` too.)
#[inline]
pub(crate) fn recorded_method(method: &str) -> Cow<'static, str> {
    // Each traced call records a method. The usual ones are static texts, so that it does not allocate for them.
    const USUAL: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    match USUAL.iter().find(|usual| **usual == method) {
        Some(usual) => Cow::Borrowed(usual),
        None => in_capitals(first_chars(method, MAX_STRING_CHARS), &USUAL),
    }
}

#[cold]
fn in_capitals(method: &str, usual: &[&'static str]) -> Cow<'static, str> {
    match usual.iter().find(|usual| usual.eq_ignore_ascii_case(method)) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(method.to_ascii_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_recorded_in_capitals() {
        for (method, recorded) in
            [("GET", "GET"), ("get", "GET"), ("pAtCh", "PATCH"), ("M-Search", "M-SEARCH"), ("", "")]
        {
            assert_eq!(recorded_method(method), recorded);
        }
        assert!(matches!(recorded_method("Delete"), Cow::Borrowed(_)), "the usual methods do not allocate");
        assert_eq!(recorded_method(&"\u{e9}".repeat(300)).chars().count(), 250);
    }
}
