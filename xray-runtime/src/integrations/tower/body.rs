//! The body of a response. The segment of the request ends with it.

use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::incoming::Serving;
use crate::live::context::Context;

pin_project! {
    /// The body of a response, with the segment of its request. [`SegmentService`](super::SegmentService) returns it.
    ///
    /// Frames, errors, trailers and size are those of the service's body. The segment is current while the body is polled,
    /// and ends with the body.
    pub struct SegmentBody<R>
    where
        R: Body,
    {
        #[pin]
        body: R,
        // Declared after the body: fields are dropped in order, and the segment ends after the body is gone. `None` if
        // nothing is recorded, and after the end.
        open: Option<Open<R::Error>>,
    }
}

struct Open<E> {
    serving: Serving,
    record: fn(&E, &Context),
    /// The bytes that are still to come, if the head of the response states the length.
    rest: Option<u64>,
}

impl<R: Body> SegmentBody<R> {
    pub(super) fn new(
        body: R,
        serving: Option<Serving>,
        content_length: Option<u64>,
        record: fn(&R::Error, &Context),
    ) -> Self {
        Self { body, open: serving.map(|serving| Open { serving, record, rest: content_length }) }
    }
}

impl<E> Open<E> {
    /// Records a frame, an error or the end of the body. Returns whether the body has ended.
    fn note<D: Buf>(&mut self, frame: Option<&Result<Frame<D>, E>>) -> bool {
        match frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                self.rest = self.rest.map(|rest| rest.saturating_sub(bytes));
                if self.rest == Some(0) {
                    // hyper stops polling after the stated length and drops the body: that drop is no cancellation.
                    self.serving.complete();
                }
                return false;
            }
            Some(Err(error)) => (self.record)(error, self.serving.context()),
            None => {}
        }
        true
    }
}

impl<R: Body> Body for SegmentBody<R> {
    type Data = R::Data;
    type Error = R::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<R::Data>, R::Error>>> {
        let mut this = self.project();
        let Some(open) = this.open else { return this.body.poll_frame(task) };
        let frame = ready!(open.serving.run(|| this.body.as_mut().poll_frame(task)));
        if open.note(frame.as_ref()) || this.body.is_end_stream() {
            open.serving.complete();
            *this.open = None;
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

impl<R: Body + fmt::Debug> fmt::Debug for SegmentBody<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SegmentBody").field("body", &self.body).finish_non_exhaustive()
    }
}
