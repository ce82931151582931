//! What a request may carry, and for how long: a body is read before anything looks at it.

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

/// What one request may carry: fifty documents of 64 kB, each escaped.
const BODY: usize = 8 * 1024 * 1024;

/// What all requests together may carry.
const ALL_BODIES: usize = 64 * 1024 * 1024;

/// For so long a body may be on its way.
const READING: Duration = Duration::from_secs(10);

/// The room for bodies, in bytes; a clone is the same room.
#[derive(Debug, Clone)]
pub(super) struct Bodies(Arc<Semaphore>);

/// A body, and the room that it takes.
type Collected<'a> = (Vec<u8>, Option<SemaphorePermit<'a>>);

impl Bodies {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ALL_BODIES)))
    }

    /// The request with a body that is here, to the next.
    pub(super) async fn read(self, request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        match timeout(READING, self.collect(body)).await {
            // The room is free again when the request is answered.
            Ok(Ok((bytes, _room))) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
            Ok(Err(error)) => error.into_response(),
            Err(_) => ApiError::too_slow(READING).into_response(),
        }
    }

    /// What is too much is read as well, and forgotten: a client that still writes when the connection is closed does
    /// not see the answer.
    async fn collect(&self, mut body: Body) -> Result<Collected<'_>, ApiError> {
        let mut collected = Ok((Vec::new(), None));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ApiError::invalid("the body ended before its end"))?;
            let data = frame.into_data().unwrap_or_default();
            collected = collected.and_then(|collected| self.add(collected, &data));
        }
        collected
    }

    fn add<'a>(&'a self, (mut bytes, room): Collected<'a>, data: &[u8]) -> Result<Collected<'a>, ApiError> {
        if bytes.len() + data.len() > BODY {
            return Err(ApiError::too_large(BODY));
        }
        let length = u32::try_from(data.len()).expect("at most BODY");
        let full = |_| ApiError::throttled("other requests fill the room for bodies");
        let mut more = self.0.try_acquire_many(length).map_err(full)?;
        if let Some(room) = room {
            more.merge(room);
        }
        bytes.extend_from_slice(data);
        Ok((bytes, Some(more)))
    }
}
