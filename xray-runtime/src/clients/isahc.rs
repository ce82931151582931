//! isahc 2: `request.send()`; requests that are passed to the crate's functions or to a client; `get` and `get_async`.

use http::{Request, Response, Uri};
use isahc::{AsyncBody, Body, Error, RequestExt, ResponseFuture};

use super::http::{begin, to_a_named_host};
use crate::http::{
    AsyncFetch, BlockingFetch, CallParent, CallSite, Outgoing, PendingCall, ReadResponse, Sent, Traceable, methods,
};

to_a_named_host!(send, send_async);

impl<B: Into<Body>> Traceable<methods::send> for Request<B> {
    type Traced = TracedRequest<B>;

    fn traced(self, site: CallSite) -> TracedRequest<B> {
        TracedRequest { request: self, site }
    }
}

/// The traced twin of a [`Request`], for `request.send()`.
// A `Request` has `send` only by a trait, and any crate may define such a trait. The twin implements isahc's: in code
// that imports another crate's trait the twin has no method `send`, so the compiler reports an error instead of sending
// the request with the wrong client.
//
// `request.send_async()` is not traced. isahc's trait returns a `ResponseFuture`, which only isahc can make, so the
// twin cannot return a traced future from it. A method of the twin's own would do, but then the user's
// `use isahc::RequestExt` would be reported as unused.
#[derive(Debug)]
pub struct TracedRequest<B> {
    request: Request<B>,
    site: CallSite,
}

impl<B> RequestExt<B> for TracedRequest<B> {
    fn to_builder(&self) -> http::request::Builder {
        self.request.to_builder()
    }

    /// Calls [`RequestExt::send`] in a subsegment.
    fn send(self) -> Result<Response<Body>, Error>
    where
        B: Into<Body>,
    {
        match self.site.parent() {
            Some(parent) => send(self.request, parent),
            None => isahc::send(self.request),
        }
    }

    fn send_async(self) -> ResponseFuture<'static>
    where
        B: Into<AsyncBody>,
    {
        isahc::send_async(self.request)
    }
}

fn send<B: Into<Body>>(mut request: Request<B>, parent: CallParent) -> Result<Response<Body>, Error> {
    let call = Outgoing::<methods::send>::begin(&mut request, parent).unwrap_or_default();
    call.run(|| isahc::send(request), ReadResponse::read)
}

fn start<B: Into<AsyncBody>>(mut request: Request<B>, parent: Option<CallParent>) -> Sent<ResponseFuture<'static>> {
    let call = parent.and_then(|parent| Outgoing::<methods::send_async>::begin(&mut request, parent));
    Sent::new(isahc::send_async(request), call)
}

impl<T> BlockingFetch<T> for Result<Response<Body>, Error>
where
    Uri: TryFrom<T, Error: Into<http::Error>>,
{
    const CRATE: &str = "isahc";

    fn fetch(url: T, parent: CallParent) -> Self {
        match Request::get(url).body(()) {
            Ok(request) => send(request, parent),
            Err(error) => refused(error),
        }
    }
}

impl<T> AsyncFetch<T> for Result<Response<AsyncBody>, Error>
where
    Uri: TryFrom<T, Error: Into<http::Error>>,
{
    const CRATE: &str = "isahc";
    type Future = ResponseFuture<'static>;

    fn fetch(url: T, parent: CallParent) -> Sent<ResponseFuture<'static>> {
        match Request::get(url).body(()) {
            Ok(request) => start(request, Some(parent)),
            Err(error) => Sent::new(refused_later(error), None),
        }
    }
}

// An invalid URL has to come back as isahc's own error, and only isahc can make one. So its function is called with a
// value whose conversion into a URL fails with the given error.
fn refused(error: http::Error) -> Result<Response<Body>, Error> {
    isahc::get(NoUrl(error))
}

fn refused_later(error: http::Error) -> ResponseFuture<'static> {
    isahc::get_async(NoUrl(error))
}

/// An argument that is not a URL: the conversion returns the error.
struct NoUrl(http::Error);

impl TryFrom<NoUrl> for Uri {
    type Error = http::Error;

    fn try_from(NoUrl(error): NoUrl) -> Result<Self, http::Error> {
        Err(error)
    }
}
