//! The future of a call whose request has been created.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::FusedFuture;
use pin_project_lite::pin_project;

use super::call::Call;
use super::read_response::ReadResponse;

/// Records a response of type `T` in its call. Implemented for closures, and for types such as [`ByReadResponse`].
pub trait Reader<T> {
    fn read(self, response: &T, call: &mut Call);
}

impl<T, R: FnOnce(&T, &mut Call)> Reader<T> for R {
    #[inline]
    fn read(self, response: &T, call: &mut Call) {
        self(response, call);
    }
}

/// Reads a response with its implementation of [`ReadResponse`].
// A zero-sized type and not the function pointer `T::read`, because a type that contains `fn(&T, &mut Call)` is
// `'static` only if `T` is `'static`. A user's generic function may require `'static` of the client's future and not of
// its output:
//
// Input:  fn start<T, F: Future<Output = T> + 'static>(..) { spawn_local(client.call(request).map(drop)); }
// Output: the future passed to `spawn_local` contains a CallFuture<F, ByReadResponse>, which is `'static` because `F`
//         is. A CallFuture<F, fn(&T, &mut Call)> would not be.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByReadResponse;

impl<T: ReadResponse> Reader<T> for ByReadResponse {
    #[inline]
    fn read(self, response: &T, call: &mut Call) {
        response.read(call);
    }
}

pin_project! {
    /// Wraps a client's future. The subsegment of the call lasts from the first poll until the future is ready.
    ///
    /// [`PendingCall::run_async`](super::PendingCall::run_async) returns one, and so does a traced call. The future is
    /// `Send`, `Sync` and `Unpin` if the client's future is (and the reader, for `Send` and `Sync`). It needs no
    /// allocation of its own.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct CallFuture<F, R> {
        #[pin]
        future: F,
        // Declared after `future`, because fields are dropped in this order: first the client's future, then the call,
        // which ends the subsegment. `None` if the call is not recorded, and after the future is ready.
        recorded: Option<(Call, R)>,
    }
}

impl<F: Future, R: Reader<F::Output>> CallFuture<F, R> {
    #[inline]
    pub(crate) fn new(future: F, call: Option<Call>, reader: R) -> Self {
        Self { future, recorded: call.map(|call| (call, reader)) }
    }
}

impl<F: Future, R: Reader<F::Output>> Future for CallFuture<F, R> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some((call, _)) = this.recorded else { return this.future.poll(task) };
        let output = ready!(call.poll(this.future, task));
        if let Some((mut call, reader)) = this.recorded.take() {
            call.read(&output, |output, call| reader.read(output, call));
        }
        Poll::Ready(output)
    }
}

/// `futures::select!` requires this trait.
impl<F: FusedFuture, R: Reader<F::Output>> FusedFuture for CallFuture<F, R> {
    fn is_terminated(&self) -> bool {
        self.future.is_terminated()
    }
}

impl<F, R> fmt::Debug for CallFuture<F, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.recorded.as_ref().map(|(call, _)| call);
        formatter.debug_struct("CallFuture").field("call", &call).finish_non_exhaustive()
    }
}
