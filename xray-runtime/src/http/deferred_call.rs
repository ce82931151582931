//! The future of a traced call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::call::{Call, CallParent};
use super::site::CallSite;

/// A request that is yet to be sent, of which `F` is the client's own future: a closure, which knows how.
///
/// It sends the request as the user's code would, after [`CallParent::begin`] if there is a parent. The type of the
/// closure is part of that of the future, so that the compiler sees through to the client; a method that gives such a
/// future best says `impl Future<Output = ..>`.
pub trait Start<F: Future> {
    /// Sends the request.
    fn start(self, parent: Option<CallParent>) -> Sent<F>;
}

impl<S, F> Start<F> for S
where
    S: FnOnce(Option<CallParent>) -> Sent<F>,
    F: Future,
{
    #[inline]
    fn start(self, parent: Option<CallParent>) -> Sent<F> {
        self(parent)
    }
}

/// A request that was sent, or could not be.
pub struct Sent<F: Future> {
    sent: Result<F, F::Output>,
    call: Option<Call>,
}

impl<F: Future> Sent<F> {
    /// The client's own future, and the call that it performs, if that is recorded.
    #[inline]
    pub fn new(future: F, call: Option<Call>) -> Self {
        Self { sent: Ok(future), call }
    }

    /// The same with another future around the client's.
    pub(crate) fn map<G: Future<Output = F::Output>>(self, wrap: impl FnOnce(F) -> G) -> Sent<G> {
        Sent { sent: self.sent.map(wrap), call: self.call }
    }

    /// What the client's future would give without sending anything: an error of the builder, for instance.
    pub fn refused(output: F::Output) -> Self {
        Self { sent: Err(output), call: None }
    }
}

pin_project! {
    /// A client's own future, with the subsegment of the call around it.
    ///
    /// The client's method is called where the user's code calls it, if a segment is open there; else at the
    /// first poll, so that a future that is made outside a segment and runs in one is traced. The time of the
    /// subsegment is from the first poll to the head of the response. It is `Unpin`, `Send` and `Sync` as the
    /// client's future and request are.
    // The client's future is a parameter of its own: by way of `Start` the compiler would not see that a call which
    // borrows its URL is `Send` in a function that is.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct DeferredCall<F: Future, S> {
        site: CallSite,
        // Made where nothing was open, and not polled so far.
        waiting: Option<S>,
        #[pin]
        state: State<F>,
        // Below the future, so that it ends after what it measures.
        call: Option<Call>,
        read: fn(&F::Output, &mut Call),
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F: Future> {
        Unsent,
        Running { #[pin] future: F },
        Refused { output: Option<F::Output> },
    }
}

impl<F: Future, S: Start<F>> DeferredCall<F, S> {
    /// Performs the call at `site`; `read` tells what its answer says.
    #[inline]
    pub fn new(site: CallSite, request: S, read: fn(&F::Output, &mut Call)) -> Self {
        match site.open_early() {
            Some(parent) => {
                let Sent { sent, call } = request.start(Some(parent));
                Self { site, waiting: None, state: State::of(sent), call, read }
            }
            None => Self { site, waiting: Some(request), state: State::Unsent, call: None, read },
        }
    }
}

impl<F: Future> State<F> {
    #[inline]
    fn of(sent: Result<F, F::Output>) -> Self {
        match sent {
            Ok(future) => Self::Running { future },
            Err(output) => Self::Refused { output: Some(output) },
        }
    }
}

impl<F: Future, S: Start<F>> Future for DeferredCall<F, S> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let Some(request) = this.waiting.take() {
            let Sent { sent, call } = request.start(this.site.open_again());
            if call.is_some() {
                *this.call = call;
            }
            this.state.set(State::of(sent));
        }
        let future = match this.state.project() {
            StateProjection::Running { future } => future,
            StateProjection::Refused { output } => return output.take().map_or(Poll::Pending, Poll::Ready),
            // A panic of the client came between; there is nothing left to poll.
            StateProjection::Unsent => return Poll::Pending,
        };
        let Some(call) = this.call else { return future.poll(task) };
        let output = ready!(call.poll(future, task));
        call.read(&output, this.read);
        *this.call = None;
        Poll::Ready(output)
    }
}

impl<F: Future, S> fmt::Debug for DeferredCall<F, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Traced").field("call", &self.call).finish_non_exhaustive()
    }
}
