//! The headers of `http` 0.2, which older clients have.

use http_0_2::{HeaderMap, HeaderValue};

use crate::http::{Begun, Call, Headers};
use crate::trace_header::TRACE_HEADER;

/// As [`Begun::insert_into`].
pub(super) fn insert_into(begun: Begun, headers: &mut HeaderMap) -> Option<Call> {
    let existing = headers.get(TRACE_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    begun.insert_with(existing.as_deref(), |value| {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(TRACE_HEADER, value);
        }
    })
}

impl Headers for HeaderMap {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }
}
