//! Every client that takes an `http::Request`: hyper's connections, hyper-util's client, tower services and
//! those built on them.

use http::header::HOST;
use http::{Request, Response};

use crate::http::{Call, CallParent, Outgoing, ReadResponse, ResponseHead, methods};

/// For methods that are also those of server middleware: only a request that names its host goes out.
macro_rules! to_a_named_host {
    ($($method:ident),*) => {$(
        impl<B> Outgoing<methods::$method> for Request<B> {
            fn begin(&mut self, parent: CallParent) -> Option<Call> {
                self.uri().authority()?;
                begin(self, parent)
            }
        }
    )*};
}

to_a_named_host!(any, call, execute, oneshot, request, run);

/// For a connection, whose requests name the host in a header. It sends at the call.
macro_rules! on_a_connection {
    ($($method:ident),*) => {$(
        impl<B> Outgoing<methods::$method> for Request<B> {
            fn begin(&mut self, parent: CallParent) -> Option<Call> {
                let mut call = begin(self, parent)?;
                call.start();
                Some(call)
            }
        }
    )*};
}

on_a_connection!(send_request, try_send_request);

pub(super) fn begin<B>(request: &mut Request<B>, parent: CallParent) -> Option<Call> {
    let is_named = request.uri().authority().is_some() || host(request).is_some();
    is_named.then(|| begin_anywhere(request, parent))?
}

/// For what is known to go out, even if it does not say where to.
pub(crate) fn begin_anywhere<B>(request: &mut Request<B>, parent: CallParent) -> Option<Call> {
    let (method, uri) = (request.method().as_str(), request.uri());
    let pending = match host(request) {
        // The scheme is the connection's secret.
        Some(host) if uri.authority().is_none() => parent.begin(method, &format!("//{host}{}", uri.path())),
        _ => parent.begin(method, uri),
    };
    pending.insert_into(request.headers_mut())
}

fn host<B>(request: &Request<B>) -> Option<&str> {
    request.headers().get(HOST)?.to_str().ok()
}

impl<B> ReadResponse for Response<B> {
    fn read(&self, call: &mut Call) {
        call.response_head(&ResponseHead::new(self.status().as_u16(), None).with_headers(self.headers()));
    }
}

#[cfg(feature = "hyper-0-14")]
pub(super) use on_a_connection;
#[cfg(any(feature = "hyper-0-14", feature = "isahc"))]
pub(super) use to_a_named_host;
