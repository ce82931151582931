//! ureq 3: `call` of requests without a body, `send`, `send_empty`, `send_form` and `send_json` of those with one.
//!
//! `Agent::run` and `ureq::run` take an `http::Request`, as others do.

use serde::Serialize;
use ureq::http::Response;
use ureq::http::header::{CONTENT_TYPE, HeaderValue};
use ureq::typestate::{WithBody, WithoutBody};
use ureq::{AsSendBody, Body, Error, RequestBuilder};

use crate::http::{Call, CallParent, CallSite, ResponseHead, StatusError, Traceable, methods, perform, read_error};

/// For methods of one of the two kinds of builders.
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

/// Only where ureq has its feature `json`, which is the user's choice: this build cannot ask for it, and without it
/// ureq has no such method.
impl<B: HasBody> Traceable<methods::send_json> for RequestBuilder<B>
where
    Error: HoldsJson<B>,
{
    type Traced = TracedRequestBuilder<B>;

    fn traced(self, site: CallSite) -> TracedRequestBuilder<B> {
        TracedRequestBuilder { builder: self, site }
    }
}

/// A [`RequestBuilder`] in an annotated function.
pub struct TracedRequestBuilder<B> {
    builder: RequestBuilder<B>,
    site: CallSite,
}

impl TracedRequestBuilder<WithoutBody> {
    /// [`RequestBuilder::call`] in a subsegment.
    pub fn call(self) -> Result<Response<Body>, Error> {
        self.perform(RequestBuilder::call)
    }
}

impl TracedRequestBuilder<WithBody> {
    /// [`RequestBuilder::send`] in a subsegment.
    pub fn send(self, data: impl AsSendBody) -> Result<Response<Body>, Error> {
        self.perform(|builder| builder.send(data))
    }

    /// [`RequestBuilder::send_empty`] in a subsegment.
    pub fn send_empty(self) -> Result<Response<Body>, Error> {
        self.perform(RequestBuilder::send_empty)
    }

    /// [`RequestBuilder::send_form`] in a subsegment.
    pub fn send_form<I, K, V>(self, iter: I) -> Result<Response<Body>, Error>
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<str>,
        V: AsRef<str>,
    {
        self.perform(|builder| builder.send_form(iter))
    }

    /// What `RequestBuilder::send_json` does, in a subsegment.
    ///
    /// That method itself cannot be named here, since it is there only with a feature.
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
    fn perform(
        mut self,
        send: impl FnOnce(RequestBuilder<B>) -> Result<Response<Body>, Error>,
    ) -> Result<Response<Body>, Error> {
        let call = self.site.open().and_then(|parent| begin(&mut self.builder, parent));
        perform(call, || send(self.builder), read)
    }
}

/// `None` for a builder that holds an error, and for a URL that ureq refuses.
fn begin<B>(builder: &mut RequestBuilder<B>, parent: CallParent) -> Option<Call> {
    let (method, uri) = (builder.method_ref()?, builder.uri_ref()?);
    if uri.scheme().is_none() || uri.authority().is_none() {
        return None;
    }
    // `header` of the builder would append.
    parent.begin(method.as_str(), uri).insert_into(builder.headers_mut()?)
}

fn read(answer: &Result<Response<Body>, Error>, call: &mut Call) {
    match answer {
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

/// [`WithBody`], as a bound: a bound without a parameter would have to hold in every build.
pub trait HasBody {}

impl HasBody for WithBody {}

/// An error that has a place for one of JSON. ureq's has it with the feature `json`.
///
/// `T` says nothing; it leaves the question to where the method is called.
pub trait HoldsJson<T> {
    fn hold(error: serde_json::Error) -> Self;
}

impl<T, E: From<serde_json::Error>> HoldsJson<T> for E {
    fn hold(error: serde_json::Error) -> Self {
        error.into()
    }
}
