//! Records an error that a function returns. How much is recorded depends on the traits of the error's type.
//!
//! The expansion of `#[traced(err)]` contains `(&&&&&&ReturnedError(error)).__xray_record(context)`. This is a ladder
//! (see [`private`](super)): `ReturnedError` is behind six references, and each trait below is implemented for one
//! reference fewer than the previous trait. So method lookup selects the first trait whose bound the error meets. Test:
//! `tests/it/traced/errors.rs::errors_are_recorded`.

use std::any::type_name;
use std::error::Error;
use std::fmt::{Arguments, Debug, Display};

use crate::document::Exception;
use crate::document::cause::standard_type;
use crate::live::context::Context;
use crate::support::guard::guard;
use crate::support::text::BoundedText;

/// An error that a function returned: the receiver of the type test.
#[derive(Debug)]
pub struct ReturnedError<'a, E>(pub &'a E);

/// Rung 1: the error implements `Error`.
pub trait IsError {
    fn __xray_record(&self, context: &Context);
}

/// Rung 2: the error implements `AsRef<dyn Error + Send + Sync>`, as `anyhow::Error` and `Box<dyn Error + Send + Sync>`
/// do. `anyhow::Error` also meets the bound of rung 3, so this rung comes first.
pub trait HoldsSharedError {
    fn __xray_record(&self, context: &Context);
}

/// Rung 3: the error implements `AsRef<dyn Error>`, as `Box<dyn Error>` does.
pub trait HoldsError {
    fn __xray_record(&self, context: &Context);
}

/// Rung 4: the error implements `Display`, as `String` does.
pub trait IsShown {
    fn __xray_record(&self, context: &Context);
}

/// Rung 5: the error implements `Debug`.
pub trait IsDebug {
    fn __xray_record(&self, context: &Context);
}

/// Rung 6: any other type. Only the type's name is recorded.
pub trait IsAnything {
    fn __xray_record(&self, context: &Context);
}

impl<E: Error> IsError for &&&&&ReturnedError<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_error(self.0);
    }
}

impl<E: AsRef<dyn Error + Send + Sync>> HoldsSharedError for &&&&ReturnedError<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| held::<E>(context, self.0.as_ref()));
    }
}

impl<E: AsRef<dyn Error>> HoldsError for &&&ReturnedError<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| held::<E>(context, self.0.as_ref()));
    }
}

impl<E: Display> IsShown for &&ReturnedError<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| shown::<E>(format_args!("{}", self.0)));
    }
}

impl<E: Debug> IsDebug for &ReturnedError<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| shown::<E>(format_args!("{:?}", self.0)));
    }
}

impl<E> IsAnything for ReturnedError<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| shown::<E>(format_args!("")));
    }
}

/// Returns an exception for the error inside a wrapper such as `anyhow::Error`, and one for each of its sources. The
/// type of the error inside is known if it is one of the standard library. Otherwise the first exception has the type
/// of the wrapper.
fn held<W>(context: &Context, error: &(dyn Error + 'static)) -> Vec<Exception> {
    let mut exceptions = context.recorder().read_error(error, false);
    if let Some(first) = exceptions.first_mut() {
        first.kind = standard_type(error).or_else(wrapper_type::<W>);
    }
    exceptions
}

/// Returns the name of a wrapper's type; `None` for a box of an error, which says nothing about the error.
//
// With a name of the box, the error would not be recognized as the one that an inner function has recorded with its own
// type.
fn wrapper_type<W>() -> Option<String> {
    let name = type_name::<W>();
    (!name.starts_with("alloc::boxed::Box<dyn ")).then(|| name.to_owned())
}

/// Returns the exception for an error that is only known as text. If the error's `Display` or `Debug` panics, the text
/// is empty, because the panic must not reach the user's code.
fn shown<E>(text: Arguments<'_>) -> Vec<Exception> {
    /// The maximum length of the text. A document keeps fewer bytes of a message. This limit stops a `Display` that
    /// never ends.
    const MAX_BYTES: usize = 1 << 14;

    let text = guard(|| BoundedText::of(&text, MAX_BYTES)).flatten();
    vec![Exception::text(&text.unwrap_or_default().0, type_name::<E>())]
}
