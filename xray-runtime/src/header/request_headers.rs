//! Access to the headers of a request, whatever their type.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::trace_header::TRACE_HEADER_NAME;

/// The name of the `X-Amzn-Trace-Id` header.
// A static beside the constant, for a reference that is `&'static`: see `W3C` in `propagation`.
pub(crate) static X_RAY: HeaderName = TRACE_HEADER_NAME;

/// The headers of a request that is about to be sent, whatever their type.
///
/// [`PendingCall::inject`](crate::http::PendingCall::inject) puts the trace headers into a request through this trait.
/// It is implemented for [`http::HeaderMap`], for the header types of the clients that have a feature here, and for
/// `Vec<(String, String)>`, which suits a request that is written by hand. Implement it for a client of your own:
///
/// ```
/// use std::collections::BTreeMap;
///
/// use http::{HeaderName, HeaderValue};
/// use xray::http::RequestHeaders;
///
/// /// The headers of some client, with names in lower case.
/// struct Headers(BTreeMap<&'static str, String>);
///
/// impl RequestHeaders for Headers {
///     fn get(&self, name: &HeaderName) -> Option<&str> {
///         self.0.get(name.as_str()).map(String::as_str)
///     }
///
///     fn set(&mut self, name: &'static HeaderName, value: HeaderValue) {
///         if let Ok(value) = value.to_str() {
///             self.0.insert(name.as_str(), value.to_owned());
///         }
///     }
/// }
///
/// let mut headers = Headers(BTreeMap::new());
/// # xray::Recorder::builder().sampler(xray::sampling::Always).emitter(xray::emitter::MemoryEmitter::new()).install().unwrap();
/// xray::Segment::builder("todo-app").sampled(true).begin().in_scope(|| {
///     let outer = xray::http::call("GET", "https://example.com/").inject(&mut headers);
///     let inner = xray::http::call("GET", "https://example.com/").inject(&mut headers);
///     assert!(outer.is_recorded() && !inner.is_recorded(), "the request is recorded once");
/// });
/// assert_eq!(headers.0.into_keys().collect::<Vec<_>>(), ["x-amzn-trace-id"]);
/// ```
pub trait RequestHeaders {
    /// Returns the first value of the header `name`, if the request has one and it is text.
    ///
    /// `name` is in lower case. Header names are case-insensitive (RFC 9110, section 5.1).
    fn get(&self, name: &HeaderName) -> Option<&str>;

    /// Sets the header `name`, in place of all values that the request has for it.
    ///
    /// The value consists of visible ASCII characters and spaces.
    fn set(&mut self, name: &'static HeaderName, value: HeaderValue);
}

impl RequestHeaders for HeaderMap {
    #[inline]
    fn get(&self, name: &HeaderName) -> Option<&str> {
        // A request has few headers. Comparing their names takes less time than hashing one name.
        let (_, value) = self.iter().find(|(present, _)| *present == name)?;
        value.to_str().ok()
    }

    #[inline]
    fn set(&mut self, name: &'static HeaderName, value: HeaderValue) {
        // With a constant as the name, the compiler computes its hash; otherwise that is half of the insertion.
        if std::ptr::eq(name, &raw const X_RAY) {
            self.insert(TRACE_HEADER_NAME, value);
        } else {
            self.insert(name, value);
        }
    }
}

impl RequestHeaders for Vec<(String, String)> {
    fn get(&self, name: &HeaderName) -> Option<&str> {
        let mut headers = self.iter();
        headers.find(|(header, _)| header.eq_ignore_ascii_case(name.as_str())).map(|(_, value)| value.as_str())
    }

    fn set(&mut self, name: &'static HeaderName, value: HeaderValue) {
        self.retain(|(header, _)| !header.eq_ignore_ascii_case(name.as_str()));
        if let Ok(value) = value.to_str() {
            self.push((name.to_string(), value.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NAME: HeaderName = HeaderName::from_static("x-name");

    /// Sets a header that a request does not have, has once, and has twice.
    fn check<H: RequestHeaders + Default>(
        append: fn(&mut H, &HeaderName, &str),
        values: fn(&H, &HeaderName) -> Vec<String>,
    ) {
        let value = |text: &'static str| HeaderValue::from_static(text);
        for name in [&NAME, &X_RAY] {
            let mut headers = H::default();
            assert_eq!(headers.get(name), None);
            headers.set(name, value("a"));
            assert_eq!((headers.get(name), values(&headers, name)), (Some("a"), vec!["a".to_owned()]));
            headers.set(name, value("b"));
            assert_eq!(values(&headers, name), ["b"]);
            append(&mut headers, name, "c");
            assert_eq!((headers.get(name), values(&headers, name).len()), (Some("b"), 2));
            headers.set(name, value("d"));
            assert_eq!(values(&headers, name), ["d"]);
        }
    }

    #[test]
    fn a_header_is_set_in_place_of_all_its_values() {
        check::<HeaderMap>(
            |headers, name, value| assert!(headers.append(name, value.parse().unwrap())),
            |headers, name| headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect(),
        );
        check::<Vec<(String, String)>>(
            |headers, name, value| headers.push((name.as_str().to_uppercase(), value.to_owned())),
            |headers, _| headers.iter().map(|(_, value)| value.clone()).collect(),
        );
    }
}
