//! How an error that a function returns is recorded: by what its type can do.

use std::any::type_name;
use std::error::Error;
use std::fmt::{Debug, Display};

use crate::context::Context;
use crate::document::Exception;
use crate::document::cause::chain;

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
        context.record_exceptions(|| held::<E, _>(self.0.as_ref()));
    }
}

impl<E: AsRef<dyn Error>> HoldsError for &&&Returned<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| held::<E, _>(self.0.as_ref()));
    }
}

impl<E: Display> IsShown for &&Returned<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| vec![Exception::text(&self.0.to_string(), type_name::<E>())]);
    }
}

impl<E: Debug> IsDebug for &Returned<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| vec![Exception::text(&format!("{:?}", self.0), type_name::<E>())]);
    }
}

impl<E> IsAnything for Returned<'_, E> {
    fn __xray_record(&self, context: &Context) {
        context.record_exceptions(|| vec![Exception::text("", type_name::<E>())]);
    }
}

/// The error in a wrapper and its sources. The wrapper is the type that is known.
fn held<W, E: Error + ?Sized>(error: &E) -> Vec<Exception> {
    let mut exceptions = chain(error, false);
    if let Some(first) = exceptions.first_mut() {
        first.kind = Some(type_name::<W>().to_owned());
    }
    exceptions
}
