//! How an error that a function returns is recorded: by what its type can do.

use std::any::type_name;
use std::error::Error;
use std::fmt::{Arguments, Debug, Display};

use crate::document::Exception;
use crate::live::context::Context;
use crate::support::guard::guard;
use crate::support::text::BoundedText;

/// An error that is returned. With five references before it, the first of the traits below that holds is found.
#[derive(Debug)]
pub struct Returned<'a, E>(pub &'a E);

pub trait IsError {
    fn __xray_record(&self, context: &Context);
}

/// A wrapper such as `anyhow::Error`, or a box.
pub trait HoldsSharedError {
    fn __xray_record(&self, context: &Context);
}

pub trait HoldsError {
    fn __xray_record(&self, context: &Context);
}

pub trait IsShown {
    fn __xray_record(&self, context: &Context);
}

pub trait IsDebug {
    fn __xray_record(&self, context: &Context);
}

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

/// The error in a wrapper and its sources. The wrapper is the type that is known.
fn held<W, E: Error + ?Sized>(context: &Context, error: &E) -> Vec<Exception> {
    let mut exceptions = context.recorder().read_error(error, false);
    if let Some(first) = exceptions.first_mut() {
        first.kind = Some(type_name::<W>().to_owned());
    }
    exceptions
}

/// What a value says of itself; its type alone where it panics as it is asked.
fn shown<E>(text: Arguments<'_>) -> Vec<Exception> {
    /// More than is recorded of a message.
    const MAX_BYTES: usize = 1 << 14;

    let text = guard(|| BoundedText::of(&text, MAX_BYTES)).flatten();
    vec![Exception::text(&text.unwrap_or_default().0, type_name::<E>())]
}
