//! The responses of handlers. A response that streams keeps its invocation open until the stream ends.

use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use futures_core::Stream;
use lambda_runtime::{FunctionResponse, StreamResponse};
use pin_project_lite::pin_project;
use serde::Serialize;

use crate::live::context::Entered;
use crate::live::invocation::Running;
use crate::live::segment::Segment;

/// The invocation whose response a handler has returned.
pub struct Invocation {
    // Declared first: fields are dropped in order, and the facade ends when no work belongs to it any more.
    _running: Option<Running>,
    facade: Segment,
}

impl fmt::Debug for Invocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Invocation").field("facade", &self.facade).finish_non_exhaustive()
    }
}

impl Invocation {
    pub(super) fn new(facade: Segment, running: Option<Running>) -> Self {
        Self { _running: running, facade }
    }

    /// Makes the invocation current on this thread until the guard is dropped.
    pub(super) fn enter(&self) -> Entered {
        self.facade.enter()
    }
}

/// The response of a handler, or of the runtime's service around it.
///
/// The parameter `Form` says which of the three implementations a response has. The compiler infers it. See
/// [`TraceLayer`](super::TraceLayer).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a response of a Lambda function",
    label = "a response is a `Serialize` type, a `Stream`, a `StreamResponse` or a `FunctionResponse`"
)]
pub trait HandlerResponse<Form> {
    /// The response as the layer returns it: a stream is wrapped, so that its invocation is current while it is polled.
    type Traced;

    /// Converts the response. `invocation` is `None` if tracing is disabled.
    fn traced(self, invocation: Option<Invocation>) -> Self::Traced;
}

/// The form of a response that is complete when the handler returns it: any type that serialises, and the `()` of a
/// runtime.
#[derive(Debug, Clone, Copy)]
pub enum Complete {}

/// The form of a response that is a [`Stream`].
#[derive(Debug, Clone, Copy)]
pub enum Streaming {}

/// The form of [`StreamResponse`] and [`FunctionResponse`], which hold a stream.
#[derive(Debug, Clone, Copy)]
pub enum WithPrelude {}

impl<T: Serialize> HandlerResponse<Complete> for T {
    type Traced = T;

    fn traced(self, _: Option<Invocation>) -> T {
        self
    }
}

impl<S: Stream> HandlerResponse<Streaming> for S {
    type Traced = InvocationStream<S>;

    fn traced(self, invocation: Option<Invocation>) -> InvocationStream<S> {
        InvocationStream { stream: Some(self), invocation }
    }
}

impl<S: Stream> HandlerResponse<WithPrelude> for StreamResponse<S> {
    type Traced = StreamResponse<InvocationStream<S>>;

    fn traced(self, invocation: Option<Invocation>) -> Self::Traced {
        StreamResponse { metadata_prelude: self.metadata_prelude, stream: self.stream.traced(invocation) }
    }
}

impl<B, S: Stream> HandlerResponse<WithPrelude> for FunctionResponse<B, S> {
    type Traced = FunctionResponse<B, InvocationStream<S>>;

    fn traced(self, invocation: Option<Invocation>) -> Self::Traced {
        match self {
            Self::BufferedResponse(response) => FunctionResponse::BufferedResponse(response),
            Self::StreamingResponse(response) => FunctionResponse::StreamingResponse(response.traced(invocation)),
        }
    }
}

pin_project! {
    /// The stream of a response, with its invocation, which is current while the stream is polled and ends with it.
    pub struct InvocationStream<S> {
        // `None` after its end. The stream is dropped while its invocation is current, so that calls in its destructors
        // are recorded there.
        #[pin]
        stream: Option<S>,
        // `None` if tracing is disabled, and after the end.
        invocation: Option<Invocation>,
    }

    impl<S> PinnedDrop for InvocationStream<S> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.invocation.as_ref().map(Invocation::enter);
            this.stream.set(None);
        }
    }
}

impl<S: Stream> Stream for InvocationStream<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let Some(stream) = this.stream.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let entered = this.invocation.as_ref().map(Invocation::enter);
        let item = ready!(stream.poll_next(task));
        if item.is_none() {
            this.stream.set(None);
            drop(entered);
            *this.invocation = None;
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

impl<S> fmt::Debug for InvocationStream<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InvocationStream").field("invocation", &self.invocation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// A stream of one item.
    struct Once(Option<u8>);

    impl Stream for Once {
        type Item = u8;

        fn poll_next(mut self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Option<u8>> {
            Poll::Ready(self.0.take())
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            let left = usize::from(self.0.is_some());
            (left, Some(left))
        }
    }

    #[tokio::test]
    async fn a_stream_has_the_size_of_the_handlers_stream_until_its_end() {
        let mut stream = Once(Some(7)).traced(None);
        let mut sizes = vec![stream.size_hint()];
        while poll_fn(|task| Pin::new(&mut stream).poll_next(task)).await.is_some() {
            sizes.push(stream.size_hint());
        }
        sizes.push(stream.size_hint());
        assert_eq!(sizes, [(1, Some(1)), (0, Some(0)), (0, Some(0))]);
    }
}
