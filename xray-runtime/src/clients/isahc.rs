//! isahc 2: requests that are sent by themselves, by the crate's functions and by a client; `get` and `get_async`.
//!
//! `request.send_async()` stays as it is: its future's type is nobody else's to make, so a twin could not have the trait
//! that the method comes from, and the user's import of that would seem unused.

use http::{Request, Response, Uri};
use isahc::{AsyncBody, Body, Error, RequestExt, ResponseFuture};

use super::http::{begin, to_a_named_host};
use crate::http::{
    Call, CallParent, CallSite, FetchedLater, FetchedNow, Outgoing, ReadResponse, Sent, Traceable, methods, perform,
};

to_a_named_host!(send, send_async);

impl<B: Into<Body>> Traceable<methods::send> for Request<B> {
    type Traced = TracedRequest<B>;

    fn traced(self, site: CallSite) -> TracedRequest<B> {
        TracedRequest { request: self, site }
    }
}

/// A [`Request`] in an annotated function, where it is sent at once.
///
/// A request has `send` from a trait, and any crate may have such a trait. So has the twin, from isahc's trait: where
/// another one is meant, that is an error of the compiler, and no request takes another way than before.
#[derive(Debug)]
pub struct TracedRequest<B> {
    request: Request<B>,
    site: CallSite,
}

impl<B> RequestExt<B> for TracedRequest<B> {
    fn to_builder(&self) -> http::request::Builder {
        self.request.to_builder()
    }

    /// [`RequestExt::send`] in a subsegment.
    fn send(self) -> Result<Response<Body>, Error>
    where
        B: Into<Body>,
    {
        match self.site.open() {
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
    let call = Outgoing::<methods::send>::begin(&mut request, parent);
    perform(call, || isahc::send(request), ReadResponse::read)
}

fn start<B: Into<AsyncBody>>(mut request: Request<B>, parent: Option<CallParent>) -> Sent<ResponseFuture<'static>> {
    let call = parent.and_then(|parent| Outgoing::<methods::send_async>::begin(&mut request, parent));
    Sent::new(isahc::send_async(request), call)
}

impl<T> FetchedNow<T> for Result<Response<Body>, Error>
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

impl<T> FetchedLater<T> for Result<Response<AsyncBody>, Error>
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

fn refused(error: http::Error) -> Result<Response<Body>, Error> {
    isahc::get(NoUrl(error))
}

fn refused_later(error: http::Error) -> ResponseFuture<'static> {
    isahc::get_async(NoUrl(error))
}

/// What turned out to be no URL. Only isahc can make its error of that.
struct NoUrl(http::Error);

impl TryFrom<NoUrl> for Uri {
    type Error = http::Error;

    fn try_from(NoUrl(error): NoUrl) -> Result<Self, http::Error> {
        Err(error)
    }
}
