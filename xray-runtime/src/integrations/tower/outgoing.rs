//! The open call of a request, and the future and the body that end the call.

use std::any;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::error::{Plain, ServiceError};
use crate::clients::http::read_head;
use crate::http::Call;
use crate::integrations::grpc::GrpcCall;

/// The open call of a recorded request. Its destructor ends the subsegment.
pub(super) struct ClientCall {
    call: Call,
    /// `None` if the request is not a gRPC call, or if its status is recorded.
    grpc: Option<GrpcCall>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// The future has not been polled. A call that is dropped at this stage is not recorded.
    Unsent,
    Sent,
    /// The head of the response is recorded.
    Responded,
}

impl ClientCall {
    pub(super) fn new(call: Call, grpc: Option<GrpcCall>) -> Self {
        Self { call, grpc, stage: Stage::Unsent }
    }

    fn poll<F: Future>(&mut self, future: Pin<&mut F>, task: &mut Context<'_>) -> Poll<F::Output> {
        self.stage = Stage::Sent;
        // Taken out during the poll: if the future panics, the call ends with the panic as its cause, and `drop` adds
        // no status.
        let grpc = self.grpc.take();
        let output = self.call.poll(future, task);
        self.grpc = grpc;
        output
    }

    /// Records the head of the response. Returns the call if it lasts until the end of the body, as a gRPC call whose
    /// status is in the trailers.
    fn respond<R>(mut self, response: &Response<R>) -> Option<Self> {
        self.call.read(response, read_head);
        self.stage = Stage::Responded;
        let (status, headers) = (response.status(), response.headers());
        self.grpc = self.grpc.take().and_then(|grpc| grpc.respond(status, headers, &self.call.subsegment()));
        self.grpc.is_some().then_some(self)
    }

    /// Records an error without a response.
    fn fail<E: ServiceError<Form>, Form>(mut self, error: &E) {
        if !self.note_deadline() {
            self.call.read(error, ServiceError::record);
        }
        self.grpc = None;
    }

    /// Records a frame, an error or the end of the body. Returns whether the call has ended.
    fn note<D, E>(&mut self, frame: Option<&Result<Frame<D>, E>>) -> bool {
        match frame {
            Some(Ok(frame)) => {
                let Some(trailers) = frame.trailers_ref() else { return false };
                GrpcCall::ended(Some(trailers), &self.call.subsegment());
            }
            // Records only the name of the type. A bound on the error's type would be needed in all generic code that
            // uses the layer.
            Some(Err(_)) => {
                if !self.note_deadline() {
                    self.call.opaque_error(any::type_name::<E>());
                }
            }
            None => GrpcCall::ended(None, &self.call.subsegment()),
        }
        self.grpc = None;
        true
    }

    /// Records the status `DEADLINE_EXCEEDED` if the deadline of a gRPC call has passed. Returns whether it has.
    fn note_deadline(&mut self) -> bool {
        let Some(grpc) = self.grpc.take() else { return false };
        let mut has_passed = false;
        self.call.read(&grpc, |grpc, call| has_passed = grpc.note_deadline(&call.subsegment()));
        has_passed
    }
}

impl Drop for ClientCall {
    fn drop(&mut self) {
        // A gRPC call without a status was dropped early.
        if self.grpc.is_some() && self.stage != Stage::Unsent && !self.note_deadline() {
            self.call.subsegment().mark_cancelled();
        }
    }
}

pin_project! {
    /// The future of a request, with the open call. [`SubsegmentService`](super::SubsegmentService) returns it.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct SubsegmentFuture<F, Form = Plain> {
        #[pin]
        future: F,
        // Declared after `future`, because fields are dropped in order and the call must end after the client's future
        // is dropped. `None` if the call is not recorded, and after the future is ready.
        call: Option<ClientCall>,
        form: PhantomData<fn() -> Form>,
    }
}

impl<F, Form> SubsegmentFuture<F, Form> {
    pub(super) fn new(future: F, call: Option<ClientCall>) -> Self {
        Self { future, call, form: PhantomData }
    }
}

impl<F, R, E, Form> Future for SubsegmentFuture<F, Form>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: ServiceError<Form>,
{
    type Output = Result<Response<SubsegmentBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = match this.call {
            Some(call) => ready!(call.poll(this.future, task)),
            None => ready!(this.future.poll(task)),
        };
        let call = this.call.take();
        Poll::Ready(match result {
            Ok(response) => {
                let call = call.and_then(|call| call.respond(&response));
                Ok(response.map(|body| SubsegmentBody { body, call }))
            }
            Err(error) => {
                if let Some(call) = call {
                    call.fail(&error);
                }
                Err(error)
            }
        })
    }
}

impl<F, Form> fmt::Debug for SubsegmentFuture<F, Form> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.call.as_ref().map(|call| &call.call);
        formatter.debug_struct("SubsegmentFuture").field("call", &call).finish_non_exhaustive()
    }
}

pin_project! {
    /// The body of a response. [`SubsegmentService`](super::SubsegmentService) returns it.
    ///
    /// Passes on the frames, errors, trailers and size of the client's body. The subsegment of a gRPC call ends with
    /// the body, because the trailers have the status of the call. Every other subsegment has ended with the head of
    /// the response.
    ///
    /// [`into_inner`](Self::into_inner) returns the client's body, for code that names its type.
    pub struct SubsegmentBody<R> {
        #[pin]
        body: R,
        // Declared after the body, because fields are dropped in order and the call must end after the body is dropped.
        // `None` if no gRPC call is recorded, and after the end of the call.
        call: Option<ClientCall>,
    }
}

impl<R> SubsegmentBody<R> {
    /// Returns the body of the client. Ends the subsegment of a gRPC call as if the body had been dropped: the call is
    /// marked as cancelled, or has the status `DEADLINE_EXCEEDED` if its deadline has passed.
    ///
    /// ```
    /// use http::{Request, Response};
    /// use tower::{ServiceBuilder, ServiceExt as _};
    /// use xray::tower::{SubsegmentBody, SubsegmentLayer};
    ///
    /// let client = tower::service_fn(async |_: Request<()>| Ok::<_, std::io::Error>(Response::new("body")));
    /// let client = ServiceBuilder::new()
    ///     .map_response(|response: Response<SubsegmentBody<&'static str>>| response.map(SubsegmentBody::into_inner))
    ///     .layer(SubsegmentLayer::new())
    ///     .service(client);
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let response: Response<&str> = client.oneshot(Request::new(())).await.unwrap();
    /// assert_eq!(response.into_body(), "body");
    /// # });
    /// ```
    pub fn into_inner(self) -> R {
        self.body
    }
}

impl<R: Body> Body for SubsegmentBody<R> {
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<R::Data>, R::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(task));
        // A reader that asks `is_end_stream` does not poll for the end.
        let has_ended = |call: &mut ClientCall| {
            call.note(frame.as_ref()) || (this.body.is_end_stream() && call.note::<R::Data, R::Error>(None))
        };
        if this.call.as_mut().is_some_and(has_ended) {
            *this.call = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<R: fmt::Debug> fmt::Debug for SubsegmentBody<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SubsegmentBody").field("body", &self.body).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_body_is_that_of_the_clients_body() {
        let body = SubsegmentBody { body: "body".to_owned(), call: None };
        assert_eq!(body.size_hint().exact(), Some(4));
    }
}
