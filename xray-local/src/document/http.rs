//! The `http` block.

use serde_json::Value;

use super::value;

/// The HTTP request that a segment serves or a subsegment makes, and its response.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Http {
    /// `GET`, `POST`, ..
    pub method: Option<String>,
    /// Of the request.
    pub url: Option<String>,
    /// Of the request.
    pub user_agent: Option<String>,
    /// Who asked.
    pub client_ip: Option<String>,
    /// Whether `client_ip` is what a header says.
    pub x_forwarded_for: bool,
    /// Of the response.
    pub status: Option<i64>,
    /// Of the response, in bytes; `-1` is how some SDKs say that they do not know.
    pub content_length: Option<i64>,
}

impl Http {
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
