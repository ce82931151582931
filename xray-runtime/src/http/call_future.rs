//! The future of a call that is made already.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::call::Call;
use super::read_response::ReadResponse;

/// Reads an answer into its call. It is a type rather than a function, so that a future which has a reader need not
/// hold anything of the answer's type.
pub trait Reader<T> {
    fn read(answer: &T, call: &mut Call);
}

/// Reads what is an [`ReadResponse`].
#[derive(Debug)]
pub enum ByReadResponse {}

impl<T: ReadResponse> Reader<T> for ByReadResponse {
    fn read(answer: &T, call: &mut Call) {
        answer.read(call);
    }
}

pin_project! {
    /// A client's own future, with the subsegment of the call around it.
    ///
    /// It is `Unpin`, `Send`, `Sync` and outlives what it does as the client's future alone, whatever the answer is.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct CallFuture<F, R> {
        #[pin]
        future: F,
        // Below the future, so that it ends after what it measures. `None` where nothing is recorded, and at the end.
        call: Option<Call>,
        reader: PhantomData<fn() -> R>,
    }
}

impl<F: Future, R: Reader<F::Output>> CallFuture<F, R> {
    pub(crate) fn new(future: F, call: Option<Call>) -> Self {
        Self { future, call, reader: PhantomData }
    }
}

impl<F: Future, R: Reader<F::Output>> Future for CallFuture<F, R> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(call) = this.call else { return this.future.poll(task) };
        let output = ready!(call.poll(this.future, task));
        call.read(&output, R::read);
        *this.call = None;
        Poll::Ready(output)
    }
}

impl<F, R> fmt::Debug for CallFuture<F, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CallFuture").field("call", &self.call).finish_non_exhaustive()
    }
}
