//! The head of a response, and what a program records of it besides.

use std::any::Any;
use std::fmt;

use http::HeaderMap;

use crate::document::url::Url;
use crate::live::segment::Subsegment;
use crate::recorder::{Recorder, RecorderBuilder};
use crate::support::guard::guard;

/// The head of a response, whatever the client.
#[derive(Clone, Copy)]
pub struct ResponseHead<'a> {
    status: u16,
    content_length: Option<u64>,
    headers: Option<&'a dyn ResponseHeaders>,
    url: Option<&'a str>,
}

/// The headers of a response, whatever their type.
pub trait ResponseHeaders {
    /// The first value of a header, if it is text. The name is in lower case.
    fn get(&self, name: &str) -> Option<&str>;
}

impl ResponseHeaders for HeaderMap {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }
}

impl<'a> ResponseHead<'a> {
    /// A head of which the headers are not known; `content_length` in bytes, where it is known.
    #[must_use]
    pub fn new(status: u16, content_length: Option<u64>) -> Self {
        Self { status, content_length, headers: None, url: None }
    }

    /// The same with its headers. What their `Content-Length` says goes before any other length.
    #[must_use]
    pub fn with_headers(self, headers: &'a dyn ResponseHeaders) -> Self {
        let length = headers.get("content-length").and_then(|length| length.parse().ok());
        Self { content_length: length.or(self.content_length), headers: Some(headers), ..self }
    }

    /// The same with the URL that answered, which after a redirect is not the one that was asked for.
    #[must_use]
    pub fn with_url(self, url: &'a str) -> Self {
        Self { url: Some(url), ..self }
    }

    /// The URL that answered: scheme, host, port and path. Known with reqwest, ureq 2 and attohttpc.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.url.map(|url| Url::from(url).recorded())
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The length of the body in bytes, where it is known.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    /// The first value of a header, if it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers?.get(&name.to_ascii_lowercase())
    }
}

impl fmt::Debug for ResponseHead<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, content_length, .. } = self;
        let mut head = formatter.debug_struct("ResponseHead");
        head.field("status", status).field("content_length", content_length).finish_non_exhaustive()
    }
}

type Hook = Box<dyn Fn(&Subsegment, &ResponseHead<'_>) + Send + Sync>;

impl RecorderBuilder {
    /// Records more about a call from the head of its response.
    ///
    /// Run for every call that is sampled and got a response, whatever the client, on the thread that got it; so it must
    /// be quick. A panic in it is logged and goes no further.
    ///
    /// ```
    /// let recorder = xray::Recorder::builder()
    ///     .on_response(|subsegment, response| {
    ///         if let Some(id) = response.header("x-request-id") {
    ///             subsegment.annotate("request_id", id);
    ///         }
    ///     })
    ///     .build();
    /// # drop(recorder);
    /// ```
    pub fn on_response(
        self,
        record: impl Fn(&Subsegment, &ResponseHead<'_>) + Send + Sync + 'static,
    ) -> RecorderBuilder {
        let hook: Hook = Box::new(record);
        self.keep_response_hook(Box::new(hook))
    }
}

/// The hook that the recorder keeps, which knows nothing of its type: that is of a floor above it.
pub(super) fn hook(recorder: &Recorder) -> Option<&Hook> {
    <dyn Any>::downcast_ref(recorder.response_hook()?)
}

pub(super) fn run(hook: &Hook, subsegment: &Subsegment, head: &ResponseHead<'_>) {
    if guard(|| hook(subsegment, head)).is_none() {
        log::error!(target: "xray::http", "`on_response` panicked at the response to a call; the call is not harmed");
    }
}
