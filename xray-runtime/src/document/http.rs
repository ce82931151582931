//! The `http` block, and what a status says about an entity.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Document, MAX_STRING_CHARS, is_false};
use crate::support::text::first_chars;

/// An HTTP request that a segment serves or a subsegment makes. (Developer guide, "HTTP request data".)
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Http {
    /// The request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<HttpRequest>,
    /// The head of the response; absent when none came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<HttpResponse>,
}

/// The request of an [`Http`] block.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The method, such as `GET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Cow<'static, str>>,
    /// Scheme, host, port and path; never credentials, query or fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What the client calls itself; of a request that is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The address of the client; of a request that is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
    /// Whether the address is from an `X-Forwarded-For` header, which anybody can write.
    #[serde(default, skip_serializing_if = "is_false")]
    pub x_forwarded_for: bool,
}

/// The response of an [`Http`] block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Length of the body in bytes, where it is known. Some SDKs write -1 for "unknown".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_length: Option<i64>,
}

impl Document {
    /// Records a response, and what its status says: 4xx is an error, 429 a throttle too, 5xx and beyond a fault.
    pub(crate) fn record_response(&mut self, status: u16, content_length: Option<u64>) {
        let content_length = content_length.and_then(|length| i64::try_from(length).ok());
        let response = HttpResponse { status: Some(status), content_length };
        self.http.get_or_insert_default().response = Some(response);
        self.throttle |= status == 429;
        self.error |= (400..=499).contains(&status);
        self.fault |= status >= 500;
    }
}

/// The method as a document has it: in capitals, so that traces can be found by it however a program writes it. Without
/// an allocation for the usual ones.
pub(crate) fn recorded_method(method: &str) -> Cow<'static, str> {
    const USUAL: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    match USUAL.iter().find(|usual| usual.eq_ignore_ascii_case(method)) {
        Some(usual) => Cow::Borrowed(usual),
        None => Cow::Owned(first_chars(method, MAX_STRING_CHARS).to_ascii_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods() {
        for (method, recorded) in
            [("GET", "GET"), ("get", "GET"), ("pAtCh", "PATCH"), ("M-Search", "M-SEARCH"), ("", "")]
        {
            assert_eq!(recorded_method(method), recorded);
        }
        assert!(matches!(recorded_method("Delete"), Cow::Borrowed(_)), "the usual ones cost nothing");
        assert_eq!(recorded_method(&"\u{e9}".repeat(300)).chars().count(), 250);
    }
}
