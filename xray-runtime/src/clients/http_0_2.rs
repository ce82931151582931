//! The headers of `http` 0.2, which older clients have.

use http_0_2::{HeaderMap, HeaderName, HeaderValue};

use crate::http::{Begun, Call, Headers};

/// As [`Begun::insert_into`].
pub(super) fn insert_into(begun: Begun, headers: &mut HeaderMap) -> Option<Call> {
    let begun = begun.for_request(|name| headers.get(name.as_str())?.to_str().ok());
    for (name, value) in begun.headers() {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(HeaderName::from_static(name.as_str()), value);
        }
    }
    begun.into_call()
}

impl Headers for HeaderMap {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }
}
