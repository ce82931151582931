//! Slow work for requests: on threads for blocking work, a few pieces at a time, with a limit for their responses.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;
use tokio::time::timeout;

/// The most pieces of work at a time. Each holds one trace and the response that it makes.
const MAX_RUNNING: usize = 4;

/// How long a request waits for a slot.
const MAX_WAIT: Duration = Duration::from_secs(15);

/// The most bytes of all responses that wait for their clients to read them. A larger one has all of it.
const MAX_UNREAD: usize = 64 * 1024 * 1024;

/// The longest response that is not counted. There are never more of these than connections.
const UNCOUNTED: usize = 64 * 1024;

/// Runs slow work. A clone shares the limits.
#[derive(Debug, Clone)]
pub(crate) struct Jobs {
    /// One permit for each piece of work that may run at a time.
    slots: Arc<Semaphore>,
    /// One permit for each byte of a response.
    unread: Arc<Semaphore>,
}

/// Why work was not done, or its response not sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Busy {
    /// No slot became free within [`MAX_WAIT`].
    Slots,
    /// Clients have not yet read their responses.
    Responses,
}

impl Busy {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Slots => "the server is busy with other requests; try again",
            Self::Responses => {
                "other clients have not read their responses, which use all memory for responses; try again"
            }
        }
    }
}

impl Jobs {
    pub(crate) fn new() -> Self {
        Self { slots: Arc::new(Semaphore::new(MAX_RUNNING)), unread: Arc::new(Semaphore::new(MAX_UNREAD)) }
    }

    /// Runs work that makes a response, on a thread for blocking work. So slow work delays no other connection.
    ///
    /// # Errors
    ///
    /// If no slot became free in time, or there is no room for the response.
    pub(crate) async fn run(
        &self,
        work: impl FnOnce() -> Response<Vec<u8>> + Send + 'static,
    ) -> Result<Response<Body>, Busy> {
        let slot = timeout(MAX_WAIT, Arc::clone(&self.slots).acquire_owned()).await.map_err(|_| Busy::Slots)?;
        let unread = Arc::clone(&self.unread);
        let job = tokio::task::spawn_blocking(move || {
            let response = work();
            // Before the slot is free again: responses without room would pile up.
            let response = with_room(response, &unread);
            drop(slot);
            response
        });
        match job.await.map_err(JoinError::try_into_panic) {
            Ok(response) => response,
            Err(Ok(panic)) => resume_unwind(panic),
            // The runtime is shutting down and has cancelled the task. It drops this request next.
            Err(Err(_)) => std::future::pending().await,
        }
    }
}

/// A response's body. Its room is free again once the body has been sent, or its connection closed.
struct Unread {
    body: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Unread {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

fn with_room(response: Response<Vec<u8>>, unread: &Arc<Semaphore>) -> Result<Response<Body>, Busy> {
    if response.body().len() <= UNCOUNTED {
        return Ok(response.map(Body::from));
    }
    let bytes = u32::try_from(response.body().len().min(MAX_UNREAD)).expect("MAX_UNREAD fits a u32");
    let room = Arc::clone(unread).try_acquire_many_owned(bytes).map_err(|_| Busy::Responses)?;
    Ok(response.map(|mut body| {
        body.shrink_to_fit();
        Body::from(Bytes::from_owner(Unread { body, _room: room }))
    }))
}
