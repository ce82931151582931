//! What a call gives, read into its subsegment.

use std::error::Error;

use super::call::Call;

/// What a call gives, at once or from a future. There is an example at [`Outgoing`](super::Outgoing).
///
/// Implement it for a client's response. A [`Result`] of a response and an [`Error`] is an answer then too: what did not
/// come is recorded with its error as the cause.
pub trait ReadResponse {
    /// Tells `call` what came of it: [`Call::response`] or [`Call::error`].
    fn read(&self, call: &mut Call);
}

impl<T: ReadResponse, E: Error> ReadResponse for Result<T, E> {
    fn read(&self, call: &mut Call) {
        match self {
            Ok(response) => response.read(call),
            Err(error) => call.error(error),
        }
    }
}

/// An error of a client that may stand for a response: ureq's for every 4xx and 5xx, for instance.
///
/// Where a request is passed to a method ([`Outgoing`](super::Outgoing)) and such an error comes back, its status is
/// recorded as that of a response, so that a 404 is an `error` and no `fault`.
///
/// ```
/// use std::fmt;
/// use xray::http::StatusError;
///
/// #[derive(Debug)]
/// struct Refused(u16);
///
/// impl fmt::Display for Refused {
///     fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(formatter, "refused with status {}", self.0)
///     }
/// }
///
/// impl std::error::Error for Refused {}
///
/// impl StatusError for Refused {
///     fn status(&self) -> Option<u16> {
///         Some(self.0)
///     }
/// }
///
/// #[xray::traced_http]
/// fn ask(refuse: impl Fn(http::Request<()>) -> Result<http::Response<()>, Refused>) -> Result<u16, Refused> {
///     let request = http::Request::get("https://example.com/").body(()).unwrap();
///     #[xray(trace)]
///     let response = refuse(request)?;
///     Ok(response.status().as_u16())
/// }
///
/// let (_, documents) = xray::testing::capture_blocking(|| {
///     xray::Segment::builder("todo-app").begin().in_scope(|| ask(|_| Err(Refused(404))))
/// });
/// assert!(documents[0].subsegments[0].error && !documents[0].subsegments[0].fault);
/// ```
pub trait StatusError: Error {
    /// The status of the response, if there was one.
    fn status(&self) -> Option<u16>;
}

/// Reads an answer whose error may stand for a response.
pub(crate) fn read_or_status<A: ReadResponse, E: StatusError>(answer: &Result<A, E>, call: &mut Call) {
    match answer {
        Ok(response) => response.read(call),
        Err(error) => read_error(error, call),
    }
}

pub(crate) fn read_error<E: StatusError>(error: &E, call: &mut Call) {
    match error.status() {
        Some(status) => call.response(status, None),
        None => call.error(error),
    }
}
