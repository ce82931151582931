//! ureq 2: every method of `Request` that sends it.

use std::io::Read;

use serde::Serialize;
use ureq_2::{Error, Request, Response};

use crate::http::{Call, CallParent, CallSite, ResponseHead, ResponseHeaders, Traceable, methods, perform};

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

/// A [`Request`] in an annotated function.
#[derive(Debug)]
pub struct TracedRequest {
    request: Request,
    site: CallSite,
}

/// As long as the client's own, which are its interface.
#[expect(clippy::result_large_err, reason = "the error is the client's")]
impl TracedRequest {
    /// [`Request::call`] in a subsegment.
    pub fn call(self) -> Result<Response, Error> {
        self.perform(Request::call)
    }

    /// [`Request::send`] in a subsegment.
    pub fn send(self, reader: impl Read) -> Result<Response, Error> {
        self.perform(|request| request.send(reader))
    }

    /// [`Request::send_bytes`] in a subsegment.
    pub fn send_bytes(self, data: &[u8]) -> Result<Response, Error> {
        self.perform(|request| request.send_bytes(data))
    }

    /// [`Request::send_form`] in a subsegment.
    pub fn send_form(self, data: &[(&str, &str)]) -> Result<Response, Error> {
        self.perform(|request| request.send_form(data))
    }

    /// What `Request::send_json` does, in a subsegment.
    ///
    /// That method itself cannot be named here: it is there only with ureq's feature `json`, which is the user's
    /// choice.
    ///
    /// # Panics
    ///
    /// As the client's own does, where the value cannot be serialized.
    pub fn send_json(mut self, data: impl Serialize) -> Result<Response, Error> {
        if self.request.header("Content-Type").is_none() {
            self.request = self.request.set("Content-Type", "application/json");
        }
        let json = serde_json::to_vec(&data).expect("Failed to serialize data passed to send_json into JSON");
        self.send_bytes(&json)
    }

    /// [`Request::send_string`] in a subsegment.
    pub fn send_string(self, data: &str) -> Result<Response, Error> {
        self.perform(|request| request.send_string(data))
    }

    fn perform(self, send: impl FnOnce(Request) -> Result<Response, Error>) -> Result<Response, Error> {
        let (request, call) = match self.site.open() {
            Some(parent) => begin(self.request, parent),
            None => (self.request, None),
        };
        perform(call, || send(request), read)
    }
}

fn begin(mut request: Request, parent: CallParent) -> (Request, Option<Call>) {
    if request.request_url().is_err() {
        return (request, None);
    }
    let pending = parent.begin(request.method(), request.url()).for_request(|name| request.header(name.as_str()));
    for (name, value) in pending.headers() {
        let (name, Ok(value)) = (name.as_str(), value.to_str()) else { continue };
        // `set` appends where the name begins with `x-` or is there in other letters, and nothing takes a header out:
        // then what is there stays, and the service finds one header as ever, though it is not this call's.
        let is_kept = request.has(name) && request.clone().set(name, value).all(name).len() > 1;
        if !is_kept {
            request = request.set(name, value);
        }
    }
    (request, pending.into_call())
}

fn read(answer: &Result<Response, Error>, call: &mut Call) {
    match answer {
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
