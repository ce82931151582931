//! The `http` block of a segment document.

use serde_json::Value;

use super::value;

/// The request that a segment answers or a subsegment sends, and the response.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Http {
    /// The request's method, such as `GET`.
    pub method: Option<String>,
    /// The request's URL.
    pub url: Option<String>,
    /// The request's `User-Agent`.
    pub user_agent: Option<String>,
    /// The IP address of the client.
    pub client_ip: Option<String>,
    /// `true` if `client_ip` comes from an `X-Forwarded-For` header.
    pub x_forwarded_for: bool,
    /// The response's status code.
    pub status: Option<i64>,
    /// The length of the response's body in bytes. Some SDKs send `-1` for an unknown length.
    pub content_length: Option<i64>,
}

impl Http {
    /// Reads the block. Returns `None` if it is not an object. A field of the wrong type is `None`.
    pub(super) fn read(block: &Value) -> Option<Self> {
        let block = block.as_object()?;
        let part = |part: &str, field: &str| block.get(part).and_then(|part| part.get(field));
        Some(Self {
            method: part("request", "method").and_then(value::text),
            url: part("request", "url").and_then(value::text),
            user_agent: part("request", "user_agent").and_then(value::text),
            client_ip: part("request", "client_ip").and_then(value::text),
            x_forwarded_for: part("request", "x_forwarded_for").is_some_and(value::flag),
            status: part("response", "status").and_then(value::integer),
            content_length: part("response", "content_length").and_then(value::integer),
        })
    }
}
