//! How an error that a function returns is recorded: by what its type can do.
//!
//! The question is a ladder, see [`private`](super). `#[traced(err)]` asks
//! `(&&&&&&Returned(error)).__xray_record(context)`. `Returned` is under six references, and each trait below is
//! implemented for one reference fewer than the trait before, so that the first one whose bound the error meets is
//! found. `tests/traced/errors.rs::errors_are_recorded`

use std::any::type_name;
use std::error::Error;
use std::fmt::{Arguments, Debug, Display};

use crate::document::Exception;
use crate::live::context::Context;
use crate::support::guard::guard;
use crate::support::text::BoundedText;

/// The question about an error that a function returned.
#[derive(Debug)]
pub struct Returned<'a, E>(pub &'a E);

/// Rung 1: the error implements `Error`.
pub trait IsError {
    fn __xray_record(&self, context: &Context);
}

/// Rung 2: the error is a wrapper that gives an error which threads can share, as `anyhow::Error` and
/// `Box<dyn Error + Send + Sync>` do. `anyhow::Error` gives both kinds; this one comes first.
pub trait HoldsSharedError {
    fn __xray_record(&self, context: &Context);
}

/// Rung 3: the error is a wrapper that gives any error, as `Box<dyn Error>` does.
pub trait HoldsError {
    fn __xray_record(&self, context: &Context);
}

/// Rung 4: the error has a text, such as `String`.
pub trait IsShown {
    fn __xray_record(&self, context: &Context);
}

/// Rung 5: the error has a text for programmers.
pub trait IsDebug {
    fn __xray_record(&self, context: &Context);
}

/// Rung 6: only the name of the error's type is known.
pub trait IsAnything {
    fn __xray_record(&self, context: &Context);
}

impl<E: Error> IsError for &&&&&Returned<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_error(self.0);
    }
}

impl<E: AsRef<dyn Error + Send + Sync>> HoldsSharedError for &&&&Returned<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| held::<E, _>(context, self.0.as_ref()));
    }
}

impl<E: AsRef<dyn Error>> HoldsError for &&&Returned<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| held::<E, _>(context, self.0.as_ref()));
    }
}

impl<E: Display> IsShown for &&Returned<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| shown::<E>(format_args!("{}", self.0)));
    }
}

impl<E: Debug> IsDebug for &Returned<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| shown::<E>(format_args!("{:?}", self.0)));
    }
}

impl<E> IsAnything for Returned<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| shown::<E>(format_args!("")));
    }
}

/// Returns the exceptions for the error in a wrapper and its sources. Their first type is that of the wrapper: the type
/// inside is `dyn Error`, which has no name of its own.
fn held<W, E: Error + ?Sized>(context: &Context, error: &E) -> Vec<Exception> {
    let mut exceptions = context.recorder().read_error(error, false);
    if let Some(first) = exceptions.first_mut() {
        first.kind = Some(type_name::<W>().to_owned());
    }
    exceptions
}

/// Returns the exception for a value with a text. A `Display` that panics gives no text: the panic must not reach the
/// user, whose function has returned already.
fn shown<E>(text: Arguments<'_>) -> Vec<Exception> {
    /// The longest text that is read. A document keeps less of a message; the limit is for a `Display` that never ends.
    const MAX_BYTES: usize = 1 << 14;

    let text = guard(|| BoundedText::of(&text, MAX_BYTES)).flatten();
    vec![Exception::text(&text.unwrap_or_default().0, type_name::<E>())]
}
