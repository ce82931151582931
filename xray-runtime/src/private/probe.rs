//! What is asked about a value that may be a request, or be one soon: is its type known for a method?

use std::marker::PhantomData;

use super::Other;
use super::answer::{Entered, Slot};
use crate::http::{Outgoing, Site, Traceable};

/// A value that is only looked at, for a method.
#[derive(Debug)]
pub struct Probe<'a, M, T: ?Sized>(pub &'a T, pub PhantomData<M>);

/// For a receiver of a traceable type: found first.
pub trait Known<M> {
    fn __xray_kind(&self) -> IsKnown<M>;
}

impl<M, T: Traceable<M>> Known<M> for Probe<'_, M, T> {
    fn __xray_kind(&self) -> IsKnown<M> {
        IsKnown(PhantomData)
    }
}

/// For a receiver of any type: one reference further.
pub trait Unknown {
    fn __xray_kind(&self) -> Other;
}

impl<M, T: ?Sized> Unknown for &Probe<'_, M, T> {
    fn __xray_kind(&self) -> Other {
        Other
    }
}

/// The answer for a traceable receiver.
#[derive(Debug)]
pub struct IsKnown<M>(PhantomData<M>);

impl<M> IsKnown<M> {
    pub fn open<T: Traceable<M>>(self, value: T, site: Site) -> T::Traced {
        value.traced(site)
    }
}

/// For an argument that is a request: found first.
pub trait Request<M> {
    fn __xray_request(&self) -> IsRequest<M>;
}

impl<M, T: Outgoing<M>> Request<M> for Probe<'_, M, T> {
    fn __xray_request(&self) -> IsRequest<M> {
        IsRequest::new()
    }
}

/// For an argument of any type: one reference further.
pub trait NoRequest {
    fn __xray_request(&self) -> Other;
}

impl<M, T: ?Sized> NoRequest for &Probe<'_, M, T> {
    fn __xray_request(&self) -> Other {
        Other
    }
}

/// The answer for a request.
#[derive(Debug)]
pub struct IsRequest<M>(PhantomData<M>);

impl<M> IsRequest<M> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }

    pub fn enter<T: Outgoing<M>>(self, request: &mut T, site: Site, slot: &mut Slot<Entered>) {
        slot.put(site.open().and_then(|opening| request.begin(opening)));
    }
}
