//! ureq 2: every method of `Request` that sends it.

use std::io::Read;

use serde::Serialize;
use ureq_2::{Error, Request, Response};

use crate::http::{
    Call, CallParent, CallSite, PendingCall, RequestHeaders, ResponseHead, ResponseHeaders, Traceable, methods,
};

macro_rules! traceable {
    ($($method:ident),*) => {$(
        impl Traceable<methods::$method> for Request {
            type Traced = TracedRequest;

            fn traced(self, site: CallSite) -> TracedRequest {
                TracedRequest { request: self, site }
            }
        }
    )*};
}

traceable!(call, send, send_bytes, send_form, send_json, send_string);

/// The traced twin of a [`Request`].
#[derive(Debug)]
pub struct TracedRequest {
    request: Request,
    site: CallSite,
}

#[expect(clippy::result_large_err, reason = "the methods return the client's own error")]
impl TracedRequest {
    /// Calls [`Request::call`] in a subsegment.
    pub fn call(self) -> Result<Response, Error> {
        self.run(Request::call)
    }

    /// Calls [`Request::send`] in a subsegment.
    pub fn send(self, reader: impl Read) -> Result<Response, Error> {
        self.run(|request| request.send(reader))
    }

    /// Calls [`Request::send_bytes`] in a subsegment.
    pub fn send_bytes(self, data: &[u8]) -> Result<Response, Error> {
        self.run(|request| request.send_bytes(data))
    }

    /// Calls [`Request::send_form`] in a subsegment.
    pub fn send_form(self, data: &[(&str, &str)]) -> Result<Response, Error> {
        self.run(|request| request.send_form(data))
    }

    /// Does what `Request::send_json` does, in a subsegment.
    ///
    /// # Panics
    ///
    /// Panics if the value cannot be serialised, with the message of the client's own method.
    // That method cannot be called here: ureq has it only with its feature `json`, which is the user's choice.
    pub fn send_json(mut self, data: impl Serialize) -> Result<Response, Error> {
        if self.request.header("Content-Type").is_none() {
            self.request = self.request.set("Content-Type", "application/json");
        }
        let json = serde_json::to_vec(&data).expect("Failed to serialize data passed to send_json into JSON");
        self.send_bytes(&json)
    }

    /// Calls [`Request::send_string`] in a subsegment.
    pub fn send_string(self, data: &str) -> Result<Response, Error> {
        self.run(|request| request.send_string(data))
    }

    fn run(mut self, send: impl FnOnce(Request) -> Result<Response, Error>) -> Result<Response, Error> {
        let call = self.site.parent().and_then(|parent| begin(&mut self.request, parent));
        call.unwrap_or_default().run(|| send(self.request), read)
    }
}

/// Begins the call. Returns `None` for a request with an invalid URL, which is not sent.
fn begin(request: &mut Request, parent: CallParent) -> Option<PendingCall> {
    request.request_url().ok()?;
    Some(parent.begin(request.method(), request.url()).inject(request))
}

impl RequestHeaders for Request {
    fn get(&self, name: &http::HeaderName) -> Option<&str> {
        self.header(name.as_str())
    }

    fn set(&mut self, name: &'static http::HeaderName, value: http::HeaderValue) {
        let (name, Ok(value)) = (name.as_str(), value.to_str()) else { return };
        // `Request::set` takes the request by value, so there is no way around a clone.
        let request = self.clone().set(name, value);
        // `Request::set` adds a second value if the name begins with `x-` or is present in another letter case, and no
        // method removes a header. In that case the present value stays, so that the service finds one header, as
        // without tracing. That header does not name this call.
        let is_second = self.has(name) && request.all(name).len() > 1;
        if !is_second {
            *self = request;
        }
    }
}

fn read(result: &Result<Response, Error>, call: &mut Call) {
    match result {
        Ok(response) | Err(Error::Status(_, response)) => {
            let head = ResponseHead::new(response.status(), None);
            call.response_head(&head.with_headers(response).with_url(response.get_url()));
        }
        Err(error) => call.error(error),
    }
}

impl ResponseHeaders for Response {
    fn get(&self, name: &str) -> Option<&str> {
        self.header(name)
    }
}
