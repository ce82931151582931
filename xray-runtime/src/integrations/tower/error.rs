//! What a service gives in place of a response.

use std::error::Error;

use crate::http::Call;
use crate::live::context::Context;

/// An error of a service or of a body, to be recorded with its sources. It keeps its type.
///
/// tower's services have errors of two forms, and no bound of the standard library fits both: those that are an
/// [`Error`], and boxes such as tower's `BoxError`, which are none but hold one. So the trait has the form as a
/// parameter, which the compiler finds by the error's type; nobody has to write it.
///
/// An error of your own that is of neither form:
///
/// ```
/// use xray::http::Call;
/// use xray::tower::{Plain, ServiceError};
///
/// enum Refused {
///     ByStatus(u16),
///     ByNetwork(std::io::Error),
/// }
///
/// impl ServiceError<Plain> for Refused {
///     fn record(&self, call: &mut Call) {
///         match self {
///             Self::ByStatus(status) => call.response(*status, None),
///             Self::ByNetwork(error) => call.error(error),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as the error of an HTTP call",
    label = "this service or body has an error that is neither a `std::error::Error` nor a box of one",
    note = "for a type of your own, implement `xray::tower::ServiceError<xray::tower::Plain>`; else see `map_err` of tower"
)]
pub trait ServiceError<Form> {
    /// Tells `call` what happened: [`Call::error`], or [`Call::response`] if the error stands for a response.
    fn record(&self, call: &mut Call);

    /// Tells a segment why the request that it serves got no response, or only a part of one. The segment is at fault
    /// in any case; [`Context::record_error`] adds the cause.
    fn record_incoming(&self, segment: &Context) {
        segment.set_fault();
    }
}

/// The form of an error that is an [`Error`].
#[derive(Debug, Clone, Copy)]
pub enum Plain {}

/// The form of an error that holds an [`Error`] of any type: tower's `BoxError`, `anyhow::Error` and the like.
#[derive(Debug, Clone, Copy)]
pub enum Boxed {}

impl<E: Error> ServiceError<Plain> for E {
    fn record(&self, call: &mut Call) {
        call.error(self);
    }

    fn record_incoming(&self, segment: &Context) {
        segment.record_error(self);
    }
}

impl<E: AsRef<dyn Error + Send + Sync>> ServiceError<Boxed> for E {
    fn record(&self, call: &mut Call) {
        call.error(self.as_ref());
    }

    fn record_incoming(&self, segment: &Context) {
        segment.record_error(self.as_ref());
    }
}
