//! The questions about a receiver and an argument: is its type known for a method?
//!
//! The question is a value without data, which has the type as a parameter. The user's value itself is not the receiver
//! of the question, so that no `Deref` and no method of the user's comes between.

use std::any::type_name;
use std::marker::PhantomData;

use super::answer::{Entered, Slot, Untouched};
use crate::http::{CallSite, Outgoing, Traceable};

/// The question about a receiver: the method and the receiver's type.
// `*const T` and not `T`: the question is no owner of a `T`, and may outlive the value.
#[derive(Debug)]
pub struct Receiver<M, T>(PhantomData<(M, *const T)>);

impl<M, T> Receiver<M, T> {
    #[inline]
    pub(super) fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// The answer for a traceable type. An inherent method is found first.
impl<M, T: Traceable<M>> Receiver<M, T> {
    pub fn __xray_open(self, value: T, site: CallSite) -> T::Traced {
        value.traced(site)
    }
}

/// The answer for any other type.
pub trait UnknownReceiver<T> {
    fn __xray_open(self, value: T, site: CallSite) -> T;
}

impl<M, T> UnknownReceiver<T> for Receiver<M, T> {
    fn __xray_open(self, value: T, site: CallSite) -> T {
        site.note_unknown(type_name::<T>());
        value
    }
}

/// The question about an argument: the method and the argument's type.
#[derive(Debug)]
pub struct Argument<M, T: ?Sized>(PhantomData<(M, *const T)>);

impl<M, T: ?Sized> Argument<M, T> {
    #[inline]
    pub(super) fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// The answer for a request. An inherent method is found first. Its parameter settles the type of the slot,
/// `Slot<Entered>`.
impl<M, T: Outgoing<M>> Argument<M, T> {
    #[expect(clippy::needless_pass_by_value, reason = "an argument of any type is looked at by a call like this")]
    pub fn __xray_enter(self, request: &mut T, slot: &mut Slot<Entered>, site: CallSite) {
        slot.put(site.parent().and_then(|parent| request.begin(parent)?.into_call()));
    }
}

/// The answer for any other type: the slot is a `Slot<Untouched>`.
pub trait UnknownArgument<T> {
    fn __xray_enter(self, argument: &mut T, slot: &mut Slot<Untouched>, site: CallSite);
}

impl<M, T> UnknownArgument<T> for Argument<M, T> {
    fn __xray_enter(self, _: &mut T, _: &mut Slot<Untouched>, site: CallSite) {
        site.note_unknown(type_name::<T>());
    }
}
