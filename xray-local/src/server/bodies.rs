//! What a request may carry, and for how long: a body is read before anything looks at it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::api::ApiError;

/// What one request may carry: fifty documents of 64 kB, each escaped.
const BODY: usize = 8 * 1024 * 1024;

/// What all requests together may carry, in units of 1 KiB.
const ALL_BODIES: usize = 64 * 1024;

/// For so long a body may be on its way.
const READING: Duration = Duration::from_secs(10);

/// The room for bodies; a clone is the same room.
#[derive(Debug, Clone)]
pub(super) struct Bodies(Arc<Semaphore>);

impl Bodies {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ALL_BODIES)))
    }

    /// The request with a body that is here, to the next.
    pub(super) async fn read(self, request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        let length = body.size_hint().upper().map_or(BODY, |length| usize::try_from(length).unwrap_or(BODY)).min(BODY);
        let read = async {
            let units = u32::try_from(length.div_ceil(1024)).expect("at most BODY");
            let room = self.0.acquire_many(units).await.expect("never closed");
            collect(body).await.map(|bytes| (bytes, room))
        };
        match timeout(READING, read).await {
            // The room is free again when the request is answered.
            Ok(Ok((bytes, _room))) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
            Ok(Err(error)) => error.into_response(),
            Err(_) => ApiError::too_slow(READING).into_response(),
        }
    }
}

/// What is too much is read as well, and forgotten: a client that still writes when the connection is closed does not see
/// the answer.
async fn collect(mut body: Body) -> Result<Vec<u8>, ApiError> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::invalid("the body ended before its end"))?;
        let data = frame.into_data().unwrap_or_default();
        length += data.len();
        if length <= BODY {
            bytes.extend_from_slice(&data);
        }
    }
    if length > BODY { Err(ApiError::too_large(BODY)) } else { Ok(bytes) }
}
