//! The headers of `http` 0.2, which older clients have.

use http_0_2::{HeaderMap, HeaderName, HeaderValue};

use crate::http::{Call, PendingCall, ResponseHeaders};

/// As [`PendingCall::insert_into`].
pub(super) fn insert_into(pending: PendingCall, headers: &mut HeaderMap) -> Option<Call> {
    let pending = pending.for_request(|name| headers.get(name.as_str())?.to_str().ok());
    for (name, value) in pending.headers() {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(HeaderName::from_static(name.as_str()), value);
        }
    }
    pending.into_call()
}

impl ResponseHeaders for HeaderMap {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }
}
