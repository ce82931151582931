//! Every client that takes an `http::Request`: hyper's connections, hyper-util's client, tower services and the clients
//! that are built on them.

use http::header::HOST;
use http::{Request, Response, Version};

use crate::http::grpc::{is_grpc, note_status};
use crate::http::{Call, CallParent, Outgoing, PendingCall, ReadResponse, ResponseHead, methods};

/// Implements `Outgoing` for methods that a server's middleware calls too, such as `next.call(request)`.
// Only a request with an authority is treated as sent over the network. A request that a server received over HTTP/1.1
// usually has none in its URI (RFC 9112, section 3.2.1). A request that it received over HTTP/2 has one, and is taken
// for an outgoing request: see `docs/limits.md`.
macro_rules! to_a_named_host {
    ($($method:ident),*) => {$(
        impl<B> Outgoing<methods::$method> for Request<B> {
            fn begin(&mut self, parent: CallParent) -> Option<PendingCall> {
                self.uri().authority()?;
                begin(self, parent)
            }
        }
    )*};
}

to_a_named_host!(any, call, execute, oneshot, request, run);

/// Implements `Outgoing` for the methods of a connection, whose requests name the host in a header.
// A connection sends at the call, and its future only waits for the response. So the time starts at the call.
macro_rules! on_a_connection {
    ($($method:ident),*) => {$(
        impl<B> Outgoing<methods::$method> for Request<B> {
            fn begin(&mut self, parent: CallParent) -> Option<PendingCall> {
                begin(self, parent).map(PendingCall::started)
            }
        }
    )*};
}

on_a_connection!(send_request, try_send_request);

/// Begins the call of a request that names its host in the URI or in a header.
pub(super) fn begin<B>(request: &mut Request<B>, parent: CallParent) -> Option<PendingCall> {
    let is_named = request.uri().authority().is_some() || host(request).is_some();
    is_named.then(|| begin_anywhere(request, parent))
}

/// Begins the call of a request that is sent over the network, even if it does not name its host.
pub(crate) fn begin_anywhere<B>(request: &mut Request<B>, parent: CallParent) -> PendingCall {
    let (method, uri) = (request.method(), request.uri());
    let call = match (uri.authority(), host(request)) {
        (None, Some(host)) => parent.begin_with_url(method, || url_without_scheme(host, uri.path())),
        (None, None) => parent.begin_with_fallback_name(method, uri, grpc_service(request)),
        (Some(_), _) => parent.begin(method, uri),
    };
    call.inject(request.headers_mut())
}

/// Returns the URL of a request whose scheme only the connection knows.
pub(super) fn url_without_scheme(host: &str, path: &str) -> String {
    // The path of `OPTIONS *` is `*`.
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("//{host}{slash}{path}")
}

/// Returns the name of the service that a gRPC request calls. (gRPC over HTTP/2, "Requests".)
// tonic's channel adds the scheme and the authority inside all layers around it, and no layer can read them from the
// channel. So the request of a generated client has only a path here.
//
// Input:  path `/helloworld.Greeter/SayHello`, content type `application/grpc`
// Output: `helloworld.Greeter`
fn grpc_service<B>(request: &Request<B>) -> Option<&str> {
    let (service, _) = request.uri().path().strip_prefix('/')?.rsplit_once('/')?;
    is_grpc(request.headers()).then_some(service)
}

/// Returns the `Host` header.
fn host<B>(request: &Request<B>) -> Option<&str> {
    request.headers().get(HOST)?.to_str().ok()
}

impl<B> ReadResponse for Response<B> {
    fn read(&self, call: &mut Call) {
        read_head(self, call);
        // A gRPC call that fails before its first message has its status in the head. (gRPC over HTTP/2,
        // "Trailers-Only".)
        if self.version() == Version::HTTP_2 && is_grpc(self.headers()) {
            note_status(self.headers(), &call.subsegment());
        }
    }
}

/// Records the head of a response, but not the gRPC status that may be in it.
pub(crate) fn read_head<B>(response: &Response<B>, call: &mut Call) {
    call.response_head(&ResponseHead::new(response.status().as_u16(), None).with_headers(response.headers()));
}

#[cfg(feature = "hyper-0-14")]
pub(super) use on_a_connection;
#[cfg(any(feature = "hyper-0-14", feature = "isahc"))]
pub(super) use to_a_named_host;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::segment::Segment;
    use crate::testing::capture_blocking;

    #[test]
    fn a_status_in_the_head_counts_if_the_response_is_one_of_grpc() {
        for (version, content_type, is_failed) in [
            (Version::HTTP_2, "application/grpc", true),
            (Version::HTTP_2, "application/json", false),
            (Version::HTTP_11, "application/grpc", false),
        ] {
            let response = Response::builder().version(version).header("content-type", content_type);
            let response = response.header("grpc-status", "5").body(()).unwrap();
            let (_, documents) = capture_blocking(|| {
                let call = || crate::http::call("POST", "http://h/").run(|| response, ReadResponse::read);
                Segment::builder("s").begin().in_scope(call)
            });
            let call = &documents[0].subsegments[0];
            assert_eq!(call.error, is_failed, "{version:?} {content_type}");
        }
    }
}
