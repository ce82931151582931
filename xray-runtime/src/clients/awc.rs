//! awc: every method of `ClientRequest` that sends it.

use std::error::Error;

use awc::body::MessageBody;
use awc::error::SendRequestError;
use awc::http::header::{HeaderMap, HeaderName, HeaderValue};
use awc::{ClientRequest, ClientResponse, SendClientRequest};
use bytes::Bytes;
use futures_core::Stream;
use serde::Serialize;

use crate::http::{Call, CallFuture, CallParent, CallSite, Reader, ResponseHead, ResponseHeaders, Traceable, methods};

macro_rules! traceable {
    ($($method:ident),*) => {$(
        impl Traceable<methods::$method> for ClientRequest {
            type Traced = TracedClientRequest;

            fn traced(self, site: CallSite) -> TracedClientRequest {
                TracedClientRequest { request: self, site }
            }
        }
    )*};
}

traceable!(send, send_body, send_form, send_json, send_stream);

/// A [`ClientRequest`] in an annotated function.
pub struct TracedClientRequest {
    request: ClientRequest,
    site: CallSite,
}

/// What all methods give, so that the arms of an `if` may call different ones. It holds no request for later: what is
/// sent is made from a borrowed value at the call.
type Sent = CallFuture<SendClientRequest, Read>;

impl TracedClientRequest {
    /// [`ClientRequest::send`] in a subsegment.
    pub fn send(self) -> Sent {
        self.begin(ClientRequest::send)
    }

    /// [`ClientRequest::send_body`] in a subsegment.
    pub fn send_body<B>(self, body: B) -> Sent
    where
        B: MessageBody + 'static,
    {
        self.begin(|request| request.send_body(body))
    }

    /// [`ClientRequest::send_form`] in a subsegment.
    pub fn send_form<T: Serialize>(self, value: &T) -> Sent {
        self.begin(|request| request.send_form(value))
    }

    /// [`ClientRequest::send_json`] in a subsegment.
    pub fn send_json<T: Serialize>(self, value: &T) -> Sent {
        self.begin(|request| request.send_json(value))
    }

    /// [`ClientRequest::send_stream`] in a subsegment.
    pub fn send_stream<S, E>(self, stream: S) -> Sent
    where
        S: Stream<Item = Result<Bytes, E>> + 'static,
        E: Into<Box<dyn Error>> + 'static,
    {
        self.begin(|request| request.send_stream(stream))
    }

    fn begin(mut self, send: impl FnOnce(ClientRequest) -> SendClientRequest) -> Sent {
        let call = self.site.open().and_then(|parent| begin(&mut self.request, parent));
        match send(self.request) {
            // The builder's own error: nothing is sent.
            refused @ SendClientRequest::Err(_) => CallFuture::new(refused, None),
            future @ SendClientRequest::Fut(..) => CallFuture::new(future, call),
        }
    }
}

fn begin(request: &mut ClientRequest, parent: CallParent) -> Option<Call> {
    let pending = parent.begin(request.get_method().as_str(), &request.get_uri().to_string());
    let headers = request.headers_mut();
    let pending = pending.for_request(|name| headers.get(name.as_str())?.to_str().ok());
    for (name, value) in pending.headers() {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(HeaderName::from_static(name.as_str()), value);
        }
    }
    pending.into_call()
}

pub enum Read {}

impl<S> Reader<Result<ClientResponse<S>, SendRequestError>> for Read {
    fn read(answer: &Result<ClientResponse<S>, SendRequestError>, call: &mut Call) {
        match answer {
            Ok(response) => {
                let head = ResponseHead::new(response.status().as_u16(), None);
                call.response_head(&head.with_headers(response.headers()));
            }
            Err(error) => call.error(error),
        }
    }
}

impl ResponseHeaders for HeaderMap {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }
}
