//! The type tests of a receiver, and of a method that is named by its path. See [`private`](super).
//!
//! The receiver of a test is a value of this crate that is generic over the user's type. If the user's value itself
//! were the receiver, method lookup could find a `Deref` or a method of the user's type.

use std::any::type_name;
use std::marker::PhantomData;

use super::UnreachableTwin;
use crate::http::{CallSite, Traceable};

/// The type test of a receiver of type `T` for the method `M`. It holds the receiver.
#[derive(Debug)]
pub struct Receiver<M, T> {
    value: T,
    site: CallSite,
    method: PhantomData<fn(M)>,
}

impl<M, T> Receiver<M, T> {
    #[inline]
    pub(super) fn new(value: T, site: CallSite) -> Self {
        Self { value, site, method: PhantomData }
    }
}

/// Selected for a traceable type. Lookup finds an inherent method before the trait method below.
impl<M, T: Traceable<M>> Receiver<M, T> {
    #[inline]
    pub fn __xray_traced(self) -> T::Traced {
        self.value.traced(self.site)
    }
}

/// The fallback, selected for any other type.
pub trait UnknownReceiver<T> {
    fn __xray_traced(self) -> T;
}

impl<M, T> UnknownReceiver<T> for Receiver<M, T> {
    fn __xray_traced(self) -> T {
        self.site.note_unknown(type_name::<T>());
        self.value
    }
}

/// The type test of a function that may be the method `M` of a traceable type, such as `RequestBuilder::send`. `T` is
/// the type of its parameter, `R` that of its result.
#[derive(Debug)]
pub struct MethodPath<M, T, R>(PhantomData<fn(M, T) -> R>);

impl<M, T, R> MethodPath<M, T, R> {
    pub(super) fn of(_: &impl FnOnce(T) -> R) -> Self {
        Self(PhantomData)
    }
}

/// Selected for a method of a traceable type. An inherent method takes precedence over the trait method below.
impl<M, T: Traceable<M>, R> MethodPath<M, T, R> {
    /// Returns a function that calls the method of the twin.
    pub fn __xray_traced<F, U>(
        self,
        _: F,
        of_twin: impl Fn(T::Traced) -> U + Clone,
        site: impl Into<CallSite>,
    ) -> impl Fn(T) -> U + Clone {
        let site = site.into();
        move |value| of_twin(value.traced(site.clone()))
    }
}

/// The fallback, selected for any other function.
pub trait UnknownMethodPath<R> {
    fn __xray_traced<F>(self, callee: F, of_twin: fn(UnreachableTwin) -> R, site: impl Into<CallSite>) -> F;
}

impl<M, T, R> UnknownMethodPath<R> for MethodPath<M, T, R> {
    fn __xray_traced<F>(self, callee: F, _: fn(UnreachableTwin) -> R, site: impl Into<CallSite>) -> F {
        site.into().note_unknown(type_name::<T>());
        callee
    }
}
