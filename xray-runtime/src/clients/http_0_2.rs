//! The headers of `http` 0.2, which older clients have.

use http_0_2::{HeaderMap, HeaderName, HeaderValue};

use crate::http::{RequestHeaders, ResponseHeaders};

impl RequestHeaders for HeaderMap {
    fn get(&self, name: &http::HeaderName) -> Option<&str> {
        self.get(name.as_str())?.to_str().ok()
    }

    fn set(&mut self, name: &'static http::HeaderName, value: http::HeaderValue) {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            self.insert(HeaderName::from_static(name.as_str()), value);
        }
    }
}

impl ResponseHeaders for HeaderMap {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }
}
