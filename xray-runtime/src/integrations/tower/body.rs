//! The body of a response, which ends the segment of its request.

use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::integrations::incoming::Serving;
use crate::live::context::Context;

pin_project! {
    /// The body of a response, with the segment of its request. [`SegmentService`](super::SegmentService) returns it.
    ///
    /// Passes on the frames, errors, trailers and size of the service's body. The segment is current while the body is
    /// polled and dropped. The segment ends with the body.
    pub struct SegmentBody<R>
    where
        R: Body,
    {
        // `None` after the end of the body. The body is dropped while its segment is current, so that calls in its
        // destructors are recorded in the segment.
        #[pin]
        body: Option<R>,
        // `None` if no segment is open: tracing is disabled, or the segment has ended.
        open: Option<Open<R::Error>>,
    }

    impl<R> PinnedDrop for SegmentBody<R>
    where
        R: Body,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(open) = this.open {
                let _entered = open.serving.context().enter();
                this.body.set(None);
            }
        }
    }
}

struct Open<E> {
    serving: Serving,
    record: fn(&E, &Context),
    /// The number of bytes that the body has not yielded yet, if the head of the response states the length.
    rest: Option<u64>,
}

impl<R: Body> SegmentBody<R> {
    pub(super) fn new(
        body: R,
        serving: Option<Serving>,
        content_length: Option<u64>,
        record: fn(&R::Error, &Context),
    ) -> Self {
        Self { body: Some(body), open: serving.map(|serving| Open { serving, record, rest: content_length }) }
    }
}

impl<E> Open<E> {
    /// Records a frame, an error or the end of the body. Returns whether the body has ended.
    fn note<D: Buf>(&mut self, frame: Option<&Result<Frame<D>, E>>) -> bool {
        match frame {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    // Trailers are the last frame: hyper drops the body after them.
                    self.serving.note_end(Some(trailers));
                    return true;
                }
                let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                self.rest = self.rest.map(|rest| rest.saturating_sub(bytes));
                if self.rest == Some(0) {
                    // hyper stops polling after the stated length and drops the body: that drop is not a cancellation.
                    self.serving.complete();
                }
                return false;
            }
            Some(Err(error)) => (self.record)(error, self.serving.context()),
            None => self.serving.note_end(None),
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
        let Some(mut body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let Some(open) = this.open else { return body.poll_frame(task) };
        let frame = ready!(open.serving.run(|| body.as_mut().poll_frame(task)));
        if open.note(frame.as_ref()) || (body.is_end_stream() && open.note::<R::Data>(None)) {
            open.serving.run(|| this.body.set(None));
            open.serving.complete();
            *this.open = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<R: Body + fmt::Debug> fmt::Debug for SegmentBody<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SegmentBody").field("body", &self.body).finish_non_exhaustive()
    }
}
