//! Access to the headers of a request, whatever their type.

use http::header::Entry;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::trace_header::TRACE_HEADER_NAME;

/// The name of the `X-Amzn-Trace-Id` header.
// A static beside the constant, for a reference that is `&'static`: see `W3C` in `propagation`.
pub(crate) static X_RAY: HeaderName = TRACE_HEADER_NAME;

/// The headers of a request that is about to be sent, whatever their type.
///
/// [`PendingCall::inject`](crate::http::PendingCall::inject) puts the trace headers into a request by this trait. It is
/// implemented for [`http::HeaderMap`], for the header types of the clients that have a feature here, and for
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

    /// Sets the header `name`, unless `keeps` returns `true` for the value that the request has for it. Returns whether
    /// the header was set.
    ///
    /// Override this method for a type that can do both with one look-up.
    fn set_unless(&mut self, name: &'static HeaderName, value: HeaderValue, keeps: impl Fn(&str) -> bool) -> bool {
        if self.get(name).is_some_and(keeps) {
            return false;
        }
        self.set(name, value);
        true
    }
}

impl RequestHeaders for HeaderMap {
    #[inline]
    fn get(&self, name: &HeaderName) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }

    #[inline]
    fn set(&mut self, name: &'static HeaderName, value: HeaderValue) {
        self.insert(owned(name), value);
    }

    #[inline]
    fn set_unless(&mut self, name: &'static HeaderName, value: HeaderValue, keeps: impl Fn(&str) -> bool) -> bool {
        // A look-up hashes the name. `get` and `set` would do that twice, an entry does it once.
        match self.entry(owned(name)) {
            Entry::Vacant(entry) => drop(entry.insert(value)),
            Entry::Occupied(mut entry) => {
                if entry.get().to_str().is_ok_and(keeps) {
                    return false;
                }
                entry.insert(value);
            }
        }
        true
    }
}

/// Returns an owned name for a header map.
// The clone of a name that is not one of the standard names goes through a function pointer and memory, and takes as long
// as the rest of the insertion. A constant costs nothing, and `set` is called with this one by default.
#[inline]
fn owned(name: &'static HeaderName) -> HeaderName {
    if std::ptr::eq(name, &raw const X_RAY) { TRACE_HEADER_NAME } else { name.clone() }
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

    /// Sets a header where there is none, where there is one to keep, and where there are two to replace.
    fn check<H: RequestHeaders + Default>(append: fn(&mut H, &str), values: fn(&H) -> Vec<String>) {
        let value = |text: &'static str| HeaderValue::from_static(text);
        let mut headers = H::default();
        assert_eq!(headers.get(&NAME), None);
        assert!(headers.set_unless(&NAME, value("a"), |_| unreachable!("there is no value to keep")));
        assert_eq!((headers.get(&NAME), values(&headers)), (Some("a"), vec!["a".to_owned()]));
        assert!(!headers.set_unless(&NAME, value("b"), |present| present == "a"));
        append(&mut headers, "c");
        assert_eq!((headers.get(&NAME), values(&headers).len()), (Some("a"), 2));
        assert!(headers.set_unless(&NAME, value("d"), |present| present != "a"));
        assert_eq!(values(&headers), ["d"]);
        append(&mut headers, "e");
        headers.set(&NAME, value("f"));
        assert_eq!(values(&headers), ["f"]);
    }

    #[test]
    fn a_header_is_set_or_kept() {
        check::<HeaderMap>(
            |headers, value| assert!(headers.append(&NAME, value.parse().unwrap())),
            |headers| headers.get_all(&NAME).iter().map(|value| value.to_str().unwrap().to_owned()).collect(),
        );
        check::<Vec<(String, String)>>(
            |headers, value| headers.push(("X-Name".to_owned(), value.to_owned())),
            |headers| headers.iter().map(|(_, value)| value.clone()).collect(),
        );
    }
}
