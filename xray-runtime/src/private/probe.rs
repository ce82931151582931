//! What is asked about a value that may be a request, or be one soon: is its type known for a method?

use std::marker::PhantomData;

use super::answer::{Entered, Slot, Untouched};
use crate::http::{CallSite, Outgoing, Traceable};

/// The type of a value, and the method of which it is the receiver.
#[derive(Debug)]
pub struct Receiver<M, T>(PhantomData<(M, *const T)>);

impl<M, T> Receiver<M, T> {
    #[inline]
    pub(super) fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// For a type that is traceable: found first.
impl<M, T: Traceable<M>> Receiver<M, T> {
    pub fn __xray_open(self, value: T, site: CallSite) -> T::Traced {
        value.traced(site)
    }
}

/// For any type.
pub trait UnknownReceiver<T> {
    fn __xray_open(self, value: T, site: CallSite) -> T;
}

impl<M, T> UnknownReceiver<T> for Receiver<M, T> {
    fn __xray_open(self, value: T, site: CallSite) -> T {
        site.note_unknown();
        value
    }
}

/// The type of a value, and the method of which it is the argument.
#[derive(Debug)]
pub struct Argument<M, T: ?Sized>(PhantomData<(M, *const T)>);

impl<M, T: ?Sized> Argument<M, T> {
    #[inline]
    pub(super) fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// For a request: found first.
impl<M, T: Outgoing<M>> Argument<M, T> {
    #[expect(clippy::needless_pass_by_value, reason = "an argument of any type is looked at by a call like this")]
    pub fn __xray_enter(self, request: &mut T, slot: &mut Slot<Entered>, site: CallSite) {
        slot.put(site.parent().and_then(|parent| request.begin(parent)?.into_call()));
    }
}

/// For any type.
pub trait UnknownArgument<T> {
    fn __xray_enter(self, argument: &mut T, slot: &mut Slot<Untouched>, site: CallSite);
}

impl<M, T> UnknownArgument<T> for Argument<M, T> {
    fn __xray_enter(self, _: &mut T, _: &mut Slot<Untouched>, site: CallSite) {
        site.note_unknown();
    }
}
