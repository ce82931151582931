//! awc: every method of `ClientRequest` that sends it.

use std::error::Error;

use awc::body::MessageBody;
use awc::error::SendRequestError;
use awc::http::header::{HeaderMap, HeaderName, HeaderValue};
use awc::{ClientRequest, ClientResponse, SendClientRequest};
use bytes::Bytes;
use futures_core::Stream;
use serde::Serialize;

use crate::http::{
    Call, CallFuture, CallParent, CallSite, PendingCall, Reader, RequestHeaders, ResponseHead, ResponseHeaders,
    Traceable, methods,
};

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

/// The traced twin of a [`ClientRequest`].
#[derive(Debug)]
pub struct TracedClientRequest {
    request: ClientRequest,
    site: CallSite,
}

/// The future of every method. The methods return the same type, so the arms of an `if` may call different methods.
// Not a `DeferredCall`: that would keep the arguments until the first poll, and `send_json(&value)` borrows its
// argument only at the call.
type SendFuture = CallFuture<SendClientRequest, Read>;

impl TracedClientRequest {
    /// Calls [`ClientRequest::send`] in a subsegment.
    pub fn send(self) -> SendFuture {
        self.begin(ClientRequest::send)
    }

    /// Calls [`ClientRequest::send_body`] in a subsegment.
    pub fn send_body<B>(self, body: B) -> SendFuture
    where
        B: MessageBody + 'static,
    {
        self.begin(|request| request.send_body(body))
    }

    /// Calls [`ClientRequest::send_form`] in a subsegment.
    pub fn send_form<T: Serialize>(self, value: &T) -> SendFuture {
        self.begin(|request| request.send_form(value))
    }

    /// Calls [`ClientRequest::send_json`] in a subsegment.
    pub fn send_json<T: Serialize>(self, value: &T) -> SendFuture {
        self.begin(|request| request.send_json(value))
    }

    /// Calls [`ClientRequest::send_stream`] in a subsegment.
    pub fn send_stream<S, E>(self, stream: S) -> SendFuture
    where
        S: Stream<Item = Result<Bytes, E>> + 'static,
        E: Into<Box<dyn Error>> + 'static,
    {
        self.begin(|request| request.send_stream(stream))
    }

    fn begin(mut self, send: impl FnOnce(ClientRequest) -> SendClientRequest) -> SendFuture {
        let call = self.site.parent().map(|parent| begin(&mut self.request, parent));
        let future = send(self.request);
        // The builder's own error, such as an invalid URL: nothing is sent, so there is no call.
        let is_refused = matches!(future, SendClientRequest::Err(_));
        let call = call.filter(|_| !is_refused).and_then(PendingCall::into_call);
        CallFuture::new(future, call, Read)
    }
}

fn begin(request: &mut ClientRequest, parent: CallParent) -> PendingCall {
    // The URI is of `http` 0.2, which is not the version that the runtime knows.
    parent.begin_with_url(request.get_method(), || request.get_uri().to_string()).inject(request.headers_mut())
}

/// Reads the result of any method, whatever the type of the payload.
#[derive(Debug, Clone, Copy)]
pub struct Read;

impl<S> Reader<Result<ClientResponse<S>, SendRequestError>> for Read {
    fn read(self, result: &Result<ClientResponse<S>, SendRequestError>, call: &mut Call) {
        match result {
            Ok(response) => {
                let head = ResponseHead::new(response.status().as_u16(), None);
                call.response_head(&head.with_headers(response.headers()));
            }
            Err(error) => call.error(error),
        }
    }
}

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
