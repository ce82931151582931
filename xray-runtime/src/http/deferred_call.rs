//! The future of a call that may start at its first poll.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::call::Call;
use super::call_parent::CallParent;
use super::pending_call::PendingCall;
use super::site::CallSite;

/// Sends a request. Implemented for closures, and for types of this crate that must be named in a signature.
pub trait Start<F: Future> {
    fn start(self, parent: Option<CallParent>) -> Sent<F>;
}

impl<S, F> Start<F> for S
where
    S: FnOnce(Option<CallParent>) -> Sent<F>,
    F: Future,
{
    #[expect(clippy::inline_always, reason = "without a parent, the closure reduces to the client's own call")]
    #[inline(always)]
    fn start(self, parent: Option<CallParent>) -> Sent<F> {
        self(parent)
    }
}

/// Sends a request as a call below `parent`.
// Not inlined, unlike the start without a parent. The code that begins a call is long, and inlining it would keep the
// compiler from inlining the rest of the future into the function that awaits it.
#[inline(never)]
fn start_below<F: Future>(start: impl Start<F>, parent: CallParent) -> Sent<F> {
    start.start(Some(parent))
}

/// A request that was sent, or that could not be sent.
pub struct Sent<F: Future> {
    result: SendResult<F>,
    call: Option<Call>,
}

pin_project! {
    #[project = SendResultProjection]
    enum SendResult<F: Future> {
        Sent { #[pin] future: F },
        // `None` after the future is ready.
        Refused { output: Option<F::Output> },
    }
}

impl<F: Future> Sent<F> {
    /// Creates a `Sent` from the client's future and the call that has begun for the request, if there is one.
    #[inline]
    pub fn new(future: F, call: Option<PendingCall>) -> Self {
        Self { result: SendResult::Sent { future }, call: call.and_then(PendingCall::into_call) }
    }

    /// Creates a `Sent` for a request that the client refuses to send, for example because of an invalid URL. The
    /// call's future returns `output` at its first poll, and nothing is recorded.
    pub fn refused(output: F::Output) -> Self {
        Self { result: SendResult::Refused { output: Some(output) }, call: None }
    }

    /// Replaces the client's future with the result of `wrap`.
    pub(crate) fn map<G: Future<Output = F::Output>>(self, wrap: impl FnOnce(F) -> G) -> Sent<G> {
        let result = match self.result {
            SendResult::Sent { future } => SendResult::Sent { future: wrap(future) },
            SendResult::Refused { output } => SendResult::Refused { output },
        };
        Sent { result, call: self.call }
    }
}

impl<F: Future> fmt::Debug for Sent<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_refused = matches!(self.result, SendResult::Refused { .. });
        formatter
            .debug_struct("Sent")
            .field("is_refused", &is_refused)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

type Read<F> = fn(&<F as Future>::Output, &mut Call);

pin_project! {
    /// The future of a traced call. It wraps the client's future.
    ///
    /// If there is a current segment at the call, the request is sent at the call, as without tracing. Otherwise it is
    /// sent at the first poll, so a future that is created outside any segment and polled inside one is traced. The
    /// subsegment lasts from the first poll until the head of the response arrives.
    ///
    /// The future is `Send`, `Sync` and `Unpin` if the client's future is (and the closure, for `Send` and `Sync`).
    /// There is an example at [`Traceable`](super::Traceable).
    // The client's future is the type parameter `F`, and not an associated type `S::Future`. To find out whether an
    // `async fn` is `Send`, the compiler erases all lifetimes, and then it cannot resolve associated types. So with
    // `S::Future`, an `async fn` whose call borrows its URL would not be `Send`.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct DeferredCall<F: Future, S> {
        site: CallSite,
        #[pin]
        state: State<F, S>,
        // Declared after `state`, because fields are dropped in this order: first the client's future, then the call,
        // which ends the subsegment.
        call: Option<Call>,
        read: Read<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F: Future, S> {
        // No segment was current at the call, and the future has not been polled.
        Waiting { start: Option<S> },
        Started { #[pin] result: SendResult<F> },
    }
}

impl<F, S> DeferredCall<F, S>
where
    F: Future,
    S: FnOnce(Option<CallParent>) -> Sent<F>,
{
    /// Makes the call at `site`.
    ///
    /// `start` sends the request as the client does; if there is a parent, it calls [`CallParent::begin`] first. `read`
    /// records the output with [`Call::response`] or [`Call::error`].
    ///
    /// The type of `start` is part of the future's type. A method that returns the future has the return type
    /// `impl Future<Output = ..>`, because the type of a closure cannot be named.
    #[inline]
    pub fn new(site: CallSite, start: S, read: fn(&F::Output, &mut Call)) -> Self {
        Self::with_start(site, start, read)
    }
}

impl<F: Future, S: Start<F>> DeferredCall<F, S> {
    #[inline]
    pub(crate) fn with_start(site: CallSite, start: S, read: Read<F>) -> Self {
        // If a segment is current, send the request now and not at the first poll. The client may do work before the
        // first poll, and the parent must be the segment that is current at the call, not the one at the `.await`.
        if let Some(parent) = site.find_parent() {
            let Sent { result, call } = start_below(start, parent);
            return Self { site, state: State::Started { result }, call, read };
        }
        Self { site, state: State::Waiting { start: Some(start) }, call: None, read }
    }
}

impl<F: Future, S: Start<F>> Future for DeferredCall<F, S> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if let StateProjection::Waiting { start } = this.state.as_mut().project() {
            // Looked up before the request is taken. If other code ran between taking the request and passing it to the
            // client, the compiler would have to move the request out of its place first.
            let parent = this.site.parent();
            // The client panicked in `start`, and the future is polled again. There is no future to poll.
            let Some(start) = start.take() else { return Poll::Pending };
            // Each branch assigns the state itself. If both left a result for one assignment, the compiler would write
            // the result with stores of one width and read it with loads of another, and the processor would stall.
            match parent {
                Some(parent) => {
                    let Sent { result, call } = start_below(start, parent);
                    *this.call = call;
                    this.state.set(State::Started { result });
                }
                None => this.state.set(State::Started { result: start.start(None).result }),
            }
        }
        let future = match this.state.project() {
            StateProjection::Started { result } => match result.project() {
                SendResultProjection::Sent { future } => future,
                SendResultProjection::Refused { output } => return output.take().map_or(Poll::Pending, Poll::Ready),
            },
            StateProjection::Waiting { .. } => return Poll::Pending,
        };
        let Some(call) = this.call else { return future.poll(task) };
        let output = ready!(call.poll(future, task));
        call.read(&output, this.read);
        *this.call = None;
        Poll::Ready(output)
    }
}

/// `futures::select!` requires this trait.
impl<F: FusedFuture, S: Start<F>> FusedFuture for DeferredCall<F, S> {
    fn is_terminated(&self) -> bool {
        match &self.state {
            State::Waiting { start } => start.is_none(),
            State::Started { result: SendResult::Sent { future } } => future.is_terminated(),
            State::Started { result: SendResult::Refused { output } } => output.is_none(),
        }
    }
}

impl<F: Future, S> fmt::Debug for DeferredCall<F, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, state, call, .. } = self;
        let is_waiting = matches!(state, State::Waiting { .. });
        let mut future = formatter.debug_struct("DeferredCall");
        future.field("site", site).field("is_waiting", &is_waiting).field("call", call).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::live::segment::Segment;
    use crate::testing::capture_blocking;

    #[test]
    fn a_request_and_the_future_that_sends_it_share_their_place() {
        const BYTES: usize = 1024;
        let request = [0_u8; BYTES];
        let start = move |_: Option<CallParent>| Sent::new(std::future::ready(request), None);
        let call = DeferredCall::new(CallSite::manual(), start, |_, _| ());
        assert!(size_of_val(&call) <= BYTES + 9 * size_of::<usize>(), "{}", size_of_val(&call));
    }

    /// A client's future, which is terminated after it was ready.
    struct Once(Option<u8>);

    impl Future for Once {
        type Output = u8;

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> {
            self.0.take().map_or(Poll::Pending, Poll::Ready)
        }
    }

    impl FusedFuture for Once {
        fn is_terminated(&self) -> bool {
            self.0.is_none()
        }
    }

    #[test]
    fn a_traced_future_is_terminated_after_it_was_ready() {
        fn check(mut future: impl FusedFuture<Output = u8> + Unpin) {
            assert!(!future.is_terminated());
            let polled = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!((polled, future.is_terminated()), (Poll::Ready(7), true));
        }

        fn check_each() {
            let send = |_: Option<CallParent>| Sent::new(Once(Some(7)), None);
            check(DeferredCall::new(CallSite::manual(), send, |_, _| ()));
            let refuse = |_: Option<CallParent>| Sent::<Once>::refused(7);
            check(DeferredCall::new(CallSite::manual(), refuse, |_, _| ()));
            check(crate::http::call("GET", "http://h/").run_async(Once(Some(7)), |_, _| ()));
        }

        // Outside a segment, the request is sent at the first poll.
        check_each();
        let ((), documents) = capture_blocking(|| Segment::builder("s").begin().in_scope(check_each));
        assert_eq!(documents[0].subsegments.len(), 1);
    }
}
