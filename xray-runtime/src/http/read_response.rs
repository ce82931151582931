//! Traits that record the result of a call.

use std::error::Error;

use super::call::Call;

/// A response that records itself in its call. There is an example at [`Outgoing`](super::Outgoing).
///
/// Implement the trait for a client's response. `Result<Response, E>` then implements it too, if `E` is an [`Error`].
/// An error, such as a refused connection, is recorded as the cause of a fault.
pub trait ReadResponse {
    /// Records the response, by [`Call::response`] or [`Call::error`].
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

/// A client's error that may represent a response: ureq, for example, returns an error for every 4xx and 5xx.
///
/// If a call whose argument is the request ([`Outgoing`](super::Outgoing)) returns such an error, the error's status is
/// recorded like that of a response. So a 404 sets `error` and not `fault`.
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
    /// Returns the status of the response, if there was one.
    fn status(&self) -> Option<u16>;
}

/// Records a result whose error may represent a response.
pub(crate) fn read_or_status<T: ReadResponse, E: StatusError>(result: &Result<T, E>, call: &mut Call) {
    match result {
        Ok(response) => response.read(call),
        Err(error) => read_error(error, call),
    }
}

/// Records an error that may represent a response.
pub(crate) fn read_error<E: StatusError>(error: &E, call: &mut Call) {
    match error.status() {
        Some(status) => call.response(status, None),
        None => call.error(error),
    }
}
