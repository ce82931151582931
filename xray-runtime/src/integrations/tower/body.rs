//! The body of a response, with which its segment ends.

use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::incoming::Serving;
use crate::live::context::Context;

pin_project! {
    /// The body of a response, around the service's own; made by [`SegmentService`](super::SegmentService).
    ///
    /// Frames, errors, trailers and size are the body's own. The segment of the request is current while it is polled,
    /// and ends with it.
    pub struct SegmentBody<R>
    where
        R: Body,
    {
        #[pin]
        body: R,
        // Below the body, so that it ends after what it measures. `None` where nothing is recorded, and at the end.
        open: Option<Open<R::Error>>,
    }
}

struct Open<E> {
    serving: Serving,
    record: fn(&E, &Context),
    /// What is still to come of the length that the head of the response tells.
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
    /// Notes what came of the body; true if it was the last.
    fn note<D: Buf>(&mut self, frame: Option<&Result<Frame<D>, E>>) -> bool {
        match frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                self.rest = self.rest.map(|rest| rest.saturating_sub(bytes));
                if self.rest == Some(0) {
                    // Nothing more is sent. hyper asks no further, and drops the body.
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
