//! The future of a call that may start at its first poll.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::call::Call;
use super::call_future::CallFuture;
use super::call_parent::CallParent;
use super::pending_call::PendingCall;
use super::site::CallSite;

/// Sends a request: a closure, or a type that has to be named where a closure cannot be.
pub trait Start<F: Future> {
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

/// A request that was sent, or that could not be sent.
pub struct Sent<F: Future> {
    result: Result<F, F::Output>,
    call: Option<Call>,
}

impl<F: Future> Sent<F> {
    /// Creates it from the client's own future and the call, if one has begun for the request.
    #[inline]
    pub fn new(future: F, call: Option<PendingCall>) -> Self {
        Self { result: Ok(future), call: call.and_then(PendingCall::into_call) }
    }

    /// Creates it for a request that the client refuses to send, such as one with an invalid URL. The call's future is
    /// ready with this output at its first poll, and nothing is recorded.
    pub fn refused(output: F::Output) -> Self {
        Self { result: Err(output), call: None }
    }

    /// Puts another future around the client's.
    pub(crate) fn map<G: Future<Output = F::Output>>(self, wrap: impl FnOnce(F) -> G) -> Sent<G> {
        Sent { result: self.result.map(wrap), call: self.call }
    }
}

impl<F: Future> fmt::Debug for Sent<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_refused = self.result.is_err();
        formatter
            .debug_struct("Sent")
            .field("is_refused", &is_refused)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

type Read<F> = fn(&<F as Future>::Output, &mut Call);

pin_project! {
    /// The future of a traced call: the client's own future, with a subsegment around it.
    ///
    /// If a segment is open where the call is made, the request is sent there, as without tracing. Otherwise it is sent at
    /// the first poll: a future that is made outside any segment and runs in one is traced. The time of the subsegment is
    /// from the first poll to the head of the response.
    ///
    /// The future is `Send`, `Sync` and `Unpin` if the client's future is (and the closure, for `Send` and `Sync`). There
    /// is an example at [`Traceable`](super::Traceable).
    // The client's future is a parameter of its own and not `S::Future`. The compiler checks `Send` of an `async fn` with
    // all lifetimes erased, and does not see through an associated type then: a call that borrows its URL would not be
    // `Send` in a function that is.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct DeferredCall<F: Future, S> {
        site: CallSite,
        read: Read<F>,
        #[pin]
        state: State<F, S>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F: Future, S> {
        // No segment was open at the call. `None` if the client panicked when it was to send.
        Waiting { start: Option<S> },
        Sent { #[pin] future: CallFuture<F, Read<F>> },
        // `None` after the output.
        Refused { output: Option<F::Output> },
    }
}

impl<F, S> DeferredCall<F, S>
where
    F: Future,
    S: FnOnce(Option<CallParent>) -> Sent<F>,
{
    /// Makes the call at `site`.
    ///
    /// `start` sends the request as the client does, after [`CallParent::begin`] if there is a parent. `read` records the
    /// output, by [`Call::response`] or [`Call::error`].
    ///
    /// The type of `start` is a part of the future's type, so that the compiler sees which client is behind it. A method
    /// that returns the future has the return type `impl Future<Output = ..>`.
    #[inline]
    pub fn new(site: CallSite, start: S, read: fn(&F::Output, &mut Call)) -> Self {
        Self::with_start(site, start, read)
    }
}

impl<F: Future, S: Start<F>> DeferredCall<F, S> {
    #[inline]
    pub(crate) fn with_start(site: CallSite, start: S, read: Read<F>) -> Self {
        // The request is sent where the user's code sends it, if at all possible: a client may do work before the first
        // poll, and the parent is the segment around the call, not around the await.
        let state = match site.find_parent() {
            Some(parent) => State::of(start.start(Some(parent)), read),
            None => State::Waiting { start: Some(start) },
        };
        Self { site, read, state }
    }
}

impl<F: Future, S> State<F, S> {
    #[inline]
    fn of(sent: Sent<F>, read: Read<F>) -> Self {
        match sent.result {
            Ok(future) => Self::Sent { future: CallFuture::new(future, sent.call, read) },
            Err(output) => Self::Refused { output: Some(output) },
        }
    }
}

impl<F: Future, S: Start<F>> Future for DeferredCall<F, S> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let StateProjection::Waiting { start } = this.state.as_mut().project() {
            if let Some(start) = start.take() {
                let sent = start.start(this.site.parent());
                this.state.set(State::of(sent, *this.read));
            }
        }
        match this.state.project() {
            StateProjection::Sent { future } => future.poll(task),
            StateProjection::Refused { output } => output.take().map_or(Poll::Pending, Poll::Ready),
            // The client panicked when it was to send, and somebody polls again: there is nothing left to poll.
            StateProjection::Waiting { .. } => Poll::Pending,
        }
    }
}

impl<F: Future, S> fmt::Debug for DeferredCall<F, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let future = match &self.state {
            State::Sent { future } => Some(future),
            State::Waiting { .. } | State::Refused { .. } => None,
        };
        formatter.debug_struct("DeferredCall").field("site", &self.site).field("sent", &future).finish_non_exhaustive()
    }
}
