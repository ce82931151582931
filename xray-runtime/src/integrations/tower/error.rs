//! Errors of services and bodies.

use std::error::Error;

use crate::http::Call;
use crate::live::context::Context;

/// An error of a service or of a body that can be recorded. The layers pass the error on unchanged.
///
/// Errors of tower's services have two forms: types that implement [`Error`], and boxes such as tower's `BoxError`,
/// which hold an error and do not implement [`Error`]. No bound of the standard library covers both, and two blanket
/// implementations of one trait would overlap. So the form is a parameter of the trait, and the compiler infers it from
/// the error's type.
///
/// Implement the trait for an error of your own that has neither form:
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
    /// Records the error on an outgoing call: by [`Call::error`], or by [`Call::response`] if the error stands for a
    /// response.
    fn record(&self, call: &mut Call);

    /// Records the error on the segment of a served request that got no response, or an incomplete one.
    ///
    /// By default this marks the segment as a fault. [`Context::record_error`] would add the cause.
    fn record_incoming(&self, segment: &Context) {
        segment.set_fault();
    }
}

/// The form of a type that implements [`Error`].
#[derive(Debug, Clone, Copy)]
pub enum Plain {}

/// The form of a type that holds an [`Error`]: tower's `BoxError`, `anyhow::Error` and similar types.
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
