//! Reads each request's body as a whole, within limits of size and time, before a handler runs.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::api::ApiError;

/// The largest body of one request, in bytes. It fits 50 documents of 64 kB (the limit of `PutTraceSegments`), which
/// grow when they are escaped as JSON strings.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// The most bytes that the bodies of all requests together may take.
const MAX_ALL_BODIES: usize = 64 * 1024 * 1024;

/// How long a client may take to send a body.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The memory left for bodies: one semaphore permit per byte. A clone shares the permits.
#[derive(Debug, Clone)]
pub(super) struct Bodies(Arc<Semaphore>);

/// A body and the permits for its bytes.
type Collected<'a> = (Vec<u8>, Option<SemaphorePermit<'a>>);

impl Bodies {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MAX_ALL_BODIES)))
    }

    /// Reads the request's body and passes the complete request to `next`.
    pub(super) async fn read(self, request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        match timeout(READ_TIMEOUT, self.collect(body)).await {
            // The permits are returned when the request has been answered.
            Ok(Ok((bytes, _permits))) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
            Ok(Err(error)) => error.into_response(),
            Err(_) => ApiError::too_slow(READ_TIMEOUT).into_response(),
        }
    }

    /// Reads a body. A body over the limit is read to its end and discarded: a client that is still writing when the
    /// server closes the connection never sees the error response.
    async fn collect(&self, mut body: Body) -> Result<Collected<'_>, ApiError> {
        let mut collected = Ok((Vec::new(), None));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ApiError::invalid("the connection ended before the body was complete"))?;
            let data = frame.into_data().unwrap_or_default();
            collected = collected.and_then(|collected| self.add(collected, &data));
        }
        collected
    }

    fn add<'a>(&'a self, (mut bytes, permits): Collected<'a>, data: &[u8]) -> Result<Collected<'a>, ApiError> {
        if bytes.len() + data.len() > MAX_BODY {
            return Err(ApiError::too_large(MAX_BODY));
        }
        let length = u32::try_from(data.len()).expect("at most MAX_BODY, which fits a u32");
        let full = |_| ApiError::throttled("the bodies of other requests use all memory for bodies; try again");
        let mut more = self.0.try_acquire_many(length).map_err(full)?;
        if let Some(permits) = permits {
            more.merge(permits);
        }
        bytes.extend_from_slice(data);
        Ok((bytes, Some(more)))
    }
}
