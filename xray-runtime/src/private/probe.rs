//! The type tests of a receiver and of an argument. See [`private`](super).
//!
//! The receiver of a test is a zero-sized value, generic over the type. The user's value is not the receiver of the test,
//! so method lookup cannot find a `Deref` or a method of the user's type.

use std::any::type_name;
use std::marker::PhantomData;

use super::outcome::{Entered, Slot, Untouched};
use crate::http::{CallSite, Outgoing, Traceable};

/// The type test of a receiver of type `T` for the method `M`.
// `*const T` and not `T`, because the test does not own a `T` and may outlive the value.
#[derive(Debug)]
pub struct Receiver<M, T>(PhantomData<(M, *const T)>);

impl<M, T> Receiver<M, T> {
    #[inline]
    pub(super) fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// Selected for a traceable type. An inherent method takes precedence over the trait method below.
impl<M, T: Traceable<M>> Receiver<M, T> {
    pub fn __xray_open(self, value: T, site: CallSite) -> T::Traced {
        value.traced(site)
    }
}

/// The fallback, selected for any other type.
pub trait UnknownReceiver<T> {
    fn __xray_open(self, value: T, site: CallSite) -> T;
}

impl<M, T> UnknownReceiver<T> for Receiver<M, T> {
    fn __xray_open(self, value: T, site: CallSite) -> T {
        site.note_unknown(type_name::<T>());
        value
    }
}

/// The type test of an argument of type `T` for the method `M`.
#[derive(Debug)]
pub struct Argument<M, T: ?Sized>(PhantomData<(M, *const T)>);

impl<M, T: ?Sized> Argument<M, T> {
    #[inline]
    pub(super) fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// Selected for a request. An inherent method takes precedence over the trait method below. From its parameter the
/// compiler infers the type of the slot, `Slot<Entered>`.
impl<M, T: Outgoing<M>> Argument<M, T> {
    #[expect(clippy::needless_pass_by_value, reason = "the fallback has the same signature")]
    pub fn __xray_enter(self, request: &mut T, slot: &mut Slot<Entered>, site: CallSite) {
        slot.put(site.parent().and_then(|parent| request.begin(parent)?.into_call()));
    }
}

/// The fallback, selected for any other type. The slot is a `Slot<Untouched>`.
pub trait UnknownArgument<T> {
    fn __xray_enter(self, argument: &mut T, slot: &mut Slot<Untouched>, site: CallSite);
}

impl<M, T> UnknownArgument<T> for Argument<M, T> {
    fn __xray_enter(self, _: &mut T, _: &mut Slot<Untouched>, site: CallSite) {
        site.note_unknown(type_name::<T>());
    }
}
