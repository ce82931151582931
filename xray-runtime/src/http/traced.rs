//! The future of a traced call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::call::{Call, Opening};
use super::site::Site;

/// How a client's requests are sent, and its answers read.
pub struct Adapter<R, F: Future> {
    /// Sends a request: as the user's code would, after [`Opening::begin`] if there is an opening.
    pub start: fn(R, Option<Opening>) -> Started<F>,
    /// Reads an answer into the call.
    pub read: fn(&F::Output, &mut Call),
}

/// A request that was sent, or could not be.
pub struct Started<F: Future> {
    sent: Result<F, F::Output>,
    call: Option<Call>,
}

impl<R, F: Future> Clone for Adapter<R, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, F: Future> Copy for Adapter<R, F> {}

impl<F: Future> Started<F> {
    /// The client's own future, and the call that it performs, if that is recorded.
    pub fn new(future: F, call: Option<Call>) -> Self {
        Self { sent: Ok(future), call }
    }

    /// The same with another future around the client's.
    pub(crate) fn map<G: Future<Output = F::Output>>(self, wrap: impl FnOnce(F) -> G) -> Started<G> {
        Started { sent: self.sent.map(wrap), call: self.call }
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
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Traced<F: Future, R> {
        #[pin]
        state: State<F, R>,
        // Below the future, so that it ends after what it measures.
        call: Option<Call>,
        adapter: Adapter<R, F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F: Future, R> {
        // Made where nothing was open.
        Waiting { request: Option<(R, Site)> },
        Running { #[pin] future: F },
        Refused { output: Option<F::Output> },
    }
}

impl<F: Future, R> Traced<F, R> {
    /// Performs the call at `site` with `request`.
    #[inline]
    pub fn new(request: R, site: Site, adapter: Adapter<R, F>) -> Self {
        match site.open_early() {
            Ok(opening) => {
                let Started { sent, call } = (adapter.start)(request, Some(opening));
                Self { state: State::of(sent), call, adapter }
            }
            Err(site) => Self { state: State::Waiting { request: Some((request, site)) }, call: None, adapter },
        }
    }
}

impl<F: Future, R> State<F, R> {
    fn of(sent: Result<F, F::Output>) -> Self {
        match sent {
            Ok(future) => Self::Running { future },
            Err(output) => Self::Refused { output: Some(output) },
        }
    }
}

impl<F: Future, R> Future for Traced<F, R> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let StateProjection::Waiting { request } = this.state.as_mut().project() {
            let started = request.take().map(|(request, site)| (this.adapter.start)(request, site.open()));
            if let Some(Started { sent, call }) = started {
                if call.is_some() {
                    *this.call = call;
                }
                this.state.set(State::of(sent));
            }
        }
        let future = match this.state.project() {
            StateProjection::Running { future } => future,
            StateProjection::Refused { output } => return output.take().map_or(Poll::Pending, Poll::Ready),
            // A panic of the client came between; there is nothing left to poll.
            StateProjection::Waiting { .. } => return Poll::Pending,
        };
        let Some(call) = this.call else { return future.poll(task) };
        let output = ready!(call.poll(future, task));
        call.read(&output, this.adapter.read);
        *this.call = None;
        Poll::Ready(output)
    }
}

impl<F: Future, R> fmt::Debug for Traced<F, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Traced").field("call", &self.call).finish_non_exhaustive()
    }
}
