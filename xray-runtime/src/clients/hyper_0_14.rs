//! Every client that takes an `http::Request` of `http` 0.2: hyper 0.14's client and connections, tower services.

use http_0_2::header::HOST;
use http_0_2::{Request, Response};

use super::http::{on_a_connection, to_a_named_host, url_without_scheme};
use crate::http::{Call, CallParent, Outgoing, PendingCall, ReadResponse, ResponseHead, methods};

to_a_named_host!(any, call, execute, oneshot, request, run);
on_a_connection!(send_request, try_send_request);

/// Begins the call of a request that names its host in the URI or in a header.
fn begin<B>(request: &mut Request<B>, parent: CallParent) -> Option<PendingCall> {
    let (method, uri) = (request.method(), request.uri());
    let call = if uri.authority().is_some() {
        parent.begin_with_url(method, || uri.to_string())
    } else {
        let host = request.headers().get(HOST)?.to_str().ok()?;
        parent.begin_with_url(method, || url_without_scheme(host, uri.path()))
    };
    Some(call.inject(request.headers_mut()))
}

impl<B> ReadResponse for Response<B> {
    fn read(&self, call: &mut Call) {
        call.response_head(&ResponseHead::new(self.status().as_u16(), None).with_headers(self.headers()));
    }
}
