//! ureq 3: `call` of requests without a body, `send`, `send_empty`, `send_form` and `send_json` of those with one.
//!
//! `Agent::run` and `ureq::run` take an `http::Request`: see `http.rs`.

use std::fmt;

use serde::Serialize;
use ureq::http::Response;
use ureq::http::header::{CONTENT_TYPE, HeaderValue};
use ureq::typestate::{WithBody, WithoutBody};
use ureq::{AsSendBody, Body, Error, RequestBuilder};

use crate::http::{Call, CallParent, CallSite, PendingCall, ResponseHead, StatusError, Traceable, methods, read_error};

/// Implements `Traceable` for methods of one of the two kinds of builders.
macro_rules! traceable {
    ($body:ident: $($method:ident),*) => {$(
        impl Traceable<methods::$method> for RequestBuilder<$body> {
            type Traced = TracedRequestBuilder<$body>;

            fn traced(self, site: CallSite) -> TracedRequestBuilder<$body> {
                TracedRequestBuilder { builder: self, site }
            }
        }
    )*};
}

traceable!(WithoutBody: call);
traceable!(WithBody: send, send_empty, send_form);

// ureq has `send_json` only with its feature `json`. That is the user's choice, which a `cfg` of this crate cannot see.
// The bound checks for it: with the feature, ureq's error can be created from an error of `serde_json`.
impl<B: HasBody> Traceable<methods::send_json> for RequestBuilder<B>
where
    Error: HoldsJson<B>,
{
    type Traced = TracedRequestBuilder<B>;

    fn traced(self, site: CallSite) -> TracedRequestBuilder<B> {
        TracedRequestBuilder { builder: self, site }
    }
}

/// The traced twin of a [`RequestBuilder`].
pub struct TracedRequestBuilder<B> {
    builder: RequestBuilder<B>,
    site: CallSite,
}

// By hand: ureq's builder does not implement `Debug`.
impl<B> fmt::Debug for TracedRequestBuilder<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TracedRequestBuilder").field("site", &self.site).finish_non_exhaustive()
    }
}

impl TracedRequestBuilder<WithoutBody> {
    /// Calls [`RequestBuilder::call`] in a subsegment.
    pub fn call(self) -> Result<Response<Body>, Error> {
        self.run(RequestBuilder::call)
    }
}

impl TracedRequestBuilder<WithBody> {
    /// Calls [`RequestBuilder::send`] in a subsegment.
    pub fn send(self, data: impl AsSendBody) -> Result<Response<Body>, Error> {
        self.run(|builder| builder.send(data))
    }

    /// Calls [`RequestBuilder::send_empty`] in a subsegment.
    pub fn send_empty(self) -> Result<Response<Body>, Error> {
        self.run(RequestBuilder::send_empty)
    }

    /// Calls [`RequestBuilder::send_form`] in a subsegment.
    pub fn send_form<I, K, V>(self, iter: I) -> Result<Response<Body>, Error>
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<str>,
        V: AsRef<str>,
    {
        self.run(|builder| builder.send_form(iter))
    }

    /// Does what `RequestBuilder::send_json` does, in a subsegment.
    // That method cannot be called here: without ureq's feature `json` this crate would not compile.
    pub fn send_json<T: Serialize>(mut self, data: T) -> Result<Response<Body>, Error>
    where
        Error: HoldsJson<T>,
    {
        let json = serde_json::to_vec_pretty(&data).map_err(<Error as HoldsJson<T>>::hold)?;
        if let Some(headers) = self.builder.headers_mut() {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json; charset=utf-8"));
        }
        self.send(json)
    }
}

impl<B> TracedRequestBuilder<B> {
    fn run(
        mut self,
        send: impl FnOnce(RequestBuilder<B>) -> Result<Response<Body>, Error>,
    ) -> Result<Response<Body>, Error> {
        let call = self.site.parent().and_then(|parent| begin(&mut self.builder, parent));
        call.unwrap_or_default().run(|| send(self.builder), read)
    }
}

/// Begins the call. Returns `None` for a builder that holds an error, and for a URL that ureq refuses: nothing is sent.
fn begin<B>(builder: &mut RequestBuilder<B>, parent: CallParent) -> Option<PendingCall> {
    let (method, uri) = (builder.method_ref()?, builder.uri_ref()?);
    if uri.scheme().is_none() || uri.authority().is_none() {
        return None;
    }
    // Not by `RequestBuilder::header`, which adds a second value to a header that the request has.
    Some(parent.begin(method, uri).inject(builder.headers_mut()?))
}

fn read(result: &Result<Response<Body>, Error>, call: &mut Call) {
    match result {
        Ok(response) => {
            let head = ResponseHead::new(response.status().as_u16(), response.body().content_length());
            call.response_head(&head.with_headers(response.headers()));
        }
        Err(error) => read_error(error, call),
    }
}

impl StatusError for Error {
    fn status(&self) -> Option<u16> {
        match self {
            Self::StatusCode(status) => Some(*status),
            _ => None,
        }
    }
}

/// Implemented for [`WithBody`] alone.
// It gives the `impl` of `Traceable<methods::send_json>` a type parameter for its bound `Error: HoldsJson<B>`. The
// compiler checks a bound without a type parameter where it is written, and `Error` does not meet this one in a build
// without ureq's `json`.
pub trait HasBody {}

impl HasBody for WithBody {}

/// An error that can be created from an error of `serde_json`. ureq's error can with the feature `json`.
// `T` has no meaning. A `where` clause without a type parameter is checked where it is written, see `HasBody`; the
// unused `T` defers the check to the caller.
pub trait HoldsJson<T> {
    fn hold(error: serde_json::Error) -> Self;
}

impl<T, E: From<serde_json::Error>> HoldsJson<T> for E {
    fn hold(error: serde_json::Error) -> Self {
        error.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::site::CallSites;
    use crate::live::segment::Segment;
    use crate::testing::capture_blocking;

    #[test]
    fn a_url_without_a_scheme_or_a_host_makes_no_call() {
        static SITES: CallSites = CallSites::new("get", "src/main.rs", 1);

        for (url, is_call) in [("http://h/", true), ("h:80", false), ("h", false), ("/path", false)] {
            let begun = || begin(&mut ureq::get(url), SITES.at(1).parent().unwrap()).is_some();
            let (has_begun, _) = capture_blocking(|| Segment::builder("s").begin().in_scope(begun));
            assert_eq!(has_begun, is_call, "{url}");
        }
    }
}
