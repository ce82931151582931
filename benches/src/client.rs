//! A client that does nothing but respond, and the code that makes it traceable.

use std::borrow::BorrowMut;
use std::fmt;
use std::future::{self, Ready};
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use xray::http::{Call, CallParent, CallSite, DeferredCall, Sent, Traceable, methods};

/// A request of the client.
pub type Request = http::Request<()>;

/// Creates a request that has room for one more header.
// Otherwise the insertion of the trace header would make the header map grow, which is the cost of the map and would
// be in every row but the untraced ones.
#[must_use]
pub fn request() -> Request {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert("accept", HeaderValue::from_static("*/*"));
    let mut request = Request::new(());
    *request.uri_mut() = Uri::from_static("https://names.example.com/todos/1?token=secret");
    *request.headers_mut() = headers;
    request
}

/// A request that is held by value or behind a pointer.
pub trait Held: BorrowMut<Request> + From<Request> {}

impl<R: BorrowMut<Request> + From<Request>> Held for R {}

/// A call that is ready to be sent. `C` says when the response comes.
// A parameter rather than a field, so that the floor has no branch for it.
pub struct Ping<R, C>(R, PhantomData<C>);

/// A response. It holds the request, so that no row measures the drop of one.
#[derive(Debug)]
pub struct Response<R> {
    /// The status.
    pub status: StatusCode,
    /// The request of the call.
    pub request: R,
}

impl<R, C: Client<R>> Ping<R, C> {
    /// Creates a call.
    pub fn new(request: R) -> Self {
        Self(request, PhantomData)
    }

    /// Sends the request.
    pub fn send(self) -> C::Future {
        C::respond(Response { status: StatusCode::OK, request: self.0 })
    }
}

impl<R, C> fmt::Debug for Ping<R, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ping").finish_non_exhaustive()
    }
}

/// When the response comes.
pub trait Client<R> {
    /// The future of the response.
    type Future: Future<Output = Response<R>>;

    /// Returns a future of the given response.
    fn respond(response: Response<R>) -> Self::Future;
}

/// The response is there at the first poll.
#[derive(Debug)]
pub struct AtOnce;

impl<R> Client<R> for AtOnce {
    type Future = Ready<Response<R>>;

    fn respond(response: Response<R>) -> Self::Future {
        future::ready(response)
    }
}

/// The response is there at the second poll, so that many calls can be in flight at a time.
#[derive(Debug)]
pub struct Later;

impl<R: Unpin> Client<R> for Later {
    type Future = Pending<R>;

    fn respond(response: Response<R>) -> Self::Future {
        Pending { response: Some(response), was_polled: false }
    }
}

/// The future of [`Later`].
#[derive(Debug)]
pub struct Pending<R> {
    response: Option<Response<R>>,
    was_polled: bool,
}

impl<R: Unpin> Future for Pending<R> {
    type Output = Response<R>;

    fn poll(mut self: Pin<&mut Self>, _task: &mut Context<'_>) -> Poll<Response<R>> {
        if !mem::replace(&mut self.was_polled, true) {
            return Poll::Pending;
        }
        self.response.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<R: Held, C: Client<R>> Traceable<methods::send> for Ping<R, C> {
    type Traced = TracedPing<R, C>;

    fn traced(self, site: CallSite) -> Self::Traced {
        TracedPing(self, site)
    }
}

/// The traced twin of [`Ping`].
#[derive(Debug)]
pub struct TracedPing<R, C>(Ping<R, C>, CallSite);

impl<R: Held, C: Client<R>> TracedPing<R, C> {
    /// Sends the request in a subsegment.
    // Inlined, because a future that is returned through memory is copied by words of another width than it was written
    // in, which takes longer than all that is measured in a call without a context.
    #[inline]
    pub fn send(self) -> impl Future<Output = Response<R>> {
        let Self(ping, site) = self;
        DeferredCall::new(site, move |parent| start(ping, parent), read)
    }
}

// Does nothing without a parent: method and URL are read only if they are recorded.
#[inline]
fn start<R: Held, C: Client<R>>(mut ping: Ping<R, C>, parent: Option<CallParent>) -> Sent<C::Future> {
    let Some(parent) = parent else { return Sent::new(ping.send(), None) };
    let request = ping.0.borrow_mut();
    let call = parent.begin(request.method(), request.uri()).inject(request.headers_mut());
    Sent::new(ping.send(), Some(call))
}

fn read<R>(response: &Response<R>, call: &mut Call) {
    call.response(response.status.as_u16(), None);
}
