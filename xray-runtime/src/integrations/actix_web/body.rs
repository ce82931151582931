//! The body of a response, which ends the segment of its request.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;

use crate::integrations::incoming::Serving;

pin_project! {
    /// The body of a response, with the segment of its request. [`SegmentService`](super::SegmentService) returns it.
    ///
    /// Passes on the chunks, errors and size of the service's body, and boxes the errors. The segment is current while
    /// the body is polled and dropped. The segment ends with the body.
    pub struct SegmentBody<B> {
        // `None` after the end of the body. The body is dropped while its segment is current, so that calls in its
        // destructors are recorded in the segment.
        #[pin]
        body: Option<B>,
        // `None` if no segment is open: tracing is disabled, or the segment has ended.
        serving: Option<Serving>,
        // The number of bytes that the body has not yielded yet, if the body states its length.
        rest: Option<u64>,
    }

    impl<B> PinnedDrop for SegmentBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(serving) = this.serving {
                let _entered = serving.context().enter();
                this.body.set(None);
            }
        }
    }
}

impl<B: MessageBody> SegmentBody<B> {
    pub(super) fn new(body: B, serving: Option<Serving>) -> Self {
        let rest = length(body.size());
        Self { body: Some(body), serving, rest }
    }
}

/// Returns the length of a body, if the body states it.
pub(super) fn length(size: BodySize) -> Option<u64> {
    match size {
        BodySize::None => Some(0),
        BodySize::Sized(length) => Some(length),
        BodySize::Stream => None,
    }
}

impl<B: MessageBody> MessageBody for SegmentBody<B> {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.body.as_ref().map_or(BodySize::Sized(0), MessageBody::size)
    }

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Bytes, Box<dyn Error>>>> {
        let mut this = self.project();
        let Some(mut body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let Some(serving) = this.serving else {
            return body.poll_next(task).map(|chunk| chunk.map(|chunk| chunk.map_err(Into::into)));
        };
        let chunk = ready!(serving.run(|| body.as_mut().poll_next(task)));
        let chunk = chunk.map(|chunk| chunk.map_err(Into::into));
        match &chunk {
            Some(Ok(bytes)) => *this.rest = this.rest.map(|rest| rest.saturating_sub(bytes.len() as u64)),
            Some(Err(error)) => serving.context().record_error(&**error),
            None => {}
        }
        if !matches!(chunk, Some(Ok(_))) || *this.rest == Some(0) {
            serving.run(|| this.body.set(None));
            serving.complete();
            *this.serving = None;
        }
        Poll::Ready(chunk)
    }
}

impl<B: fmt::Debug> fmt::Debug for SegmentBody<B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SegmentBody").field("body", &self.body).finish_non_exhaustive()
    }
}
