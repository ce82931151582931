//! Processes the result of a call whose argument may have been a request.
//!
//! The *slot* is a variable that carries the call from the argument to the result. Two type tests (see [`private`](super))
//! determine *when* the response is available (immediately or as a future's output), and *how* it is read. A result of an
//! unknown type, other than a future, is returned unchanged.
//!
//! ```text
//! Outcome::of(&out, &slot)      Outcome<T, Entered>, or Outcome<T, Untouched> if the argument was not a request
//!     .__xray_when()            When<InFuture<F>, F::Output>, or When<InHand, T>, or PassThrough
//! (&&&&&..).__xray_how()        How<.., R>, where R reads the response
//!     .exit(out, &mut slot)     the traced future, or the result itself
//! ```

use std::any::type_name;
use std::error::Error;
use std::marker::PhantomData;

use crate::http::{ByReadResponse, Call, CallFuture, ReadResponse, Reader, StatusError, read_or_status};

/// The variable that carries a call from its argument to its result, declared at the start of the user's body.
///
/// The type parameter is [`Entered`] if the argument is a request, and [`Untouched`] if not. The value is `None` until the
/// argument is evaluated, and again after the result is processed.
#[derive(Debug)]
pub struct Slot<S>(Option<S>);

/// The content of a slot if the argument was a request. Contains the call, or `None` if the call is not recorded.
#[derive(Debug)]
pub struct Entered(Option<Call>);

/// The content of a slot if the argument was not a request. Uninhabited, so such a slot is always empty.
#[derive(Debug)]
pub enum Untouched {}

impl<S> Slot<S> {
    #[must_use]
    pub fn new() -> Self {
        Self(None)
    }

    /// Empties the slot and returns its content.
    fn take(&mut self) -> Option<S> {
        self.0.take()
    }
}

impl<S> Default for Slot<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl Slot<Entered> {
    /// Stores the call and its start time. The subsegment starts at that time if the call returns its response and not a
    /// future: see [`How::exit`].
    pub(super) fn put(&mut self, mut call: Option<Call>) {
        if let Some(call) = &mut call {
            call.stamp();
        }
        self.0 = Some(Entered(call));
    }
}

/// The type test *when*, generic over the result type `T` and the slot content `S`.
#[derive(Debug)]
pub struct Outcome<T, S>(PhantomData<(*const T, S)>);

impl<T, S> Outcome<T, S> {
    #[must_use]
    pub fn of(_: &T, _: &Slot<S>) -> Self {
        Self(PhantomData)
    }
}

impl<T> Outcome<T, Untouched> {
    /// If the argument was not a request, the type of the result is not tested. It may not be inferred yet, as in
    /// `let word: String = service.request(reference)`, and a test would force it to be a future. `tests/it/shapes/arguments.rs::inferred`
    #[must_use]
    pub fn __xray_when(self) -> PassThrough {
        PassThrough
    }
}

/// Selected for a result that is a future. It takes `self`, so it takes precedence over [`IsNow`].
pub trait IsLater<F: Future> {
    fn __xray_when(self) -> Later<F>;
}

impl<F: Future> IsLater<F> for Outcome<F, Entered> {
    fn __xray_when(self) -> Later<F> {
        When(PhantomData)
    }
}

/// Selected for any other result, because it takes `&self`.
pub trait IsNow<T> {
    fn __xray_when(&self) -> Now<T>;
}

impl<T> IsNow<T> for Outcome<T, Entered> {
    fn __xray_when(&self) -> Now<T> {
        When(PhantomData)
    }
}

/// The type test *how*. `T` is the response type; `C` is [`InFuture`] or [`InHand`].
///
/// The test is a ladder, see [`private`](super). The expansion contains `(&&&&&when).__xray_how()`, and each trait below is
/// implemented for one reference fewer than the previous one.
#[derive(Debug)]
pub struct When<C, T>(PhantomData<fn(C) -> T>);
/// The response is the output of the future that the call returned.
pub type Later<F> = When<InFuture<F>, <F as Future>::Output>;
/// The response is what the call returned.
pub type Now<T> = When<InHand, T>;

#[derive(Debug)]
pub struct InFuture<F>(PhantomData<F>);
#[derive(Debug)]
pub struct InHand;

impl<C, T> Clone for When<C, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C, T> Copy for When<C, T> {}

/// The result of the type tests: the response is read by `R`.
#[derive(Debug)]
pub struct How<C, T, R>(PhantomData<fn(C, T) -> R>);

impl<F: Future, R: Reader<F::Output> + Default> How<InFuture<F>, F::Output, R> {
    pub fn exit(self, future: F, slot: &mut Slot<Entered>) -> CallFuture<F, R> {
        CallFuture::new(future, slot.take().and_then(|Entered(call)| call), R::default())
    }
}

impl<T, R: Reader<T> + Default> How<InHand, T, R> {
    pub fn exit(self, result: T, slot: &mut Slot<Entered>) -> T {
        if let Some(Entered(Some(mut call))) = slot.take() {
            call.start_as_stamped();
            call.read(&result, |response, call| R::default().read(response, call));
        }
        result
    }
}

/// The result of the type tests for a result that is not recorded.
#[derive(Debug)]
pub struct PassThrough;

impl PassThrough {
    /// Lookup dereferences `&&&&&PassThrough` until it reaches this method, because no rung is implemented for
    /// `PassThrough`.
    #[must_use]
    pub fn __xray_how(&self) -> Self {
        Self
    }

    pub fn exit<T, S>(self, result: T, slot: &mut Slot<S>) -> T {
        drop(slot.take());
        result
    }
}

/// Rung 1: a `Result` of a response and an error that may represent an error status.
pub trait IsStatusError<C, T> {
    fn __xray_how(&self) -> How<C, T, ByStatus>;
}

impl<C, R: ReadResponse, E: StatusError> IsStatusError<C, Result<R, E>> for &&&&When<C, Result<R, E>> {
    fn __xray_how(&self) -> How<C, Result<R, E>, ByStatus> {
        How(PhantomData)
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ByStatus;

impl<R: ReadResponse, E: StatusError> Reader<Result<R, E>> for ByStatus {
    fn read(self, result: &Result<R, E>, call: &mut Call) {
        read_or_status(result, call);
    }
}

/// Rung 2: a type that implements [`ReadResponse`].
pub trait IsResponse<C, T> {
    fn __xray_how(&self) -> How<C, T, ByReadResponse>;
}

impl<C, T: ReadResponse> IsResponse<C, T> for &&&When<C, T> {
    fn __xray_how(&self) -> How<C, T, ByReadResponse> {
        How(PhantomData)
    }
}

/// Rung 3: a `Result` of a response and a type-erased error, such as `anyhow::Error`.
pub trait IsBoxedError<C, T> {
    fn __xray_how(&self) -> How<C, T, ByBoxedError>;
}

impl<C, R, E> IsBoxedError<C, Result<R, E>> for &&When<C, Result<R, E>>
where
    R: ReadResponse,
    E: AsRef<dyn Error + Send + Sync>,
{
    fn __xray_how(&self) -> How<C, Result<R, E>, ByBoxedError> {
        How(PhantomData)
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ByBoxedError;

impl<R: ReadResponse, E: AsRef<dyn Error + Send + Sync>> Reader<Result<R, E>> for ByBoxedError {
    fn read(self, result: &Result<R, E>, call: &mut Call) {
        match result {
            Ok(response) => response.read(call),
            Err(error) => call.error(error.as_ref()),
        }
    }
}

/// Rung 4: a `Result` of a response and any other type. Only the name of the error's type is recorded.
pub trait IsOpaqueError<C, T> {
    fn __xray_how(&self) -> How<C, T, ByOpaqueError>;
}

impl<C, R: ReadResponse, E> IsOpaqueError<C, Result<R, E>> for &When<C, Result<R, E>> {
    fn __xray_how(&self) -> How<C, Result<R, E>, ByOpaqueError> {
        How(PhantomData)
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ByOpaqueError;

impl<R: ReadResponse, E> Reader<Result<R, E>> for ByOpaqueError {
    fn read(self, result: &Result<R, E>, call: &mut Call) {
        match result {
            Ok(response) => response.read(call),
            Err(_) => call.opaque_error(type_name::<E>()),
        }
    }
}

/// Rung 5: any other type.
pub trait IsAnything {
    type How;

    fn __xray_how(&self) -> Self::How;
}

/// A future with any other output, such as the response of a generic service. Only the duration is recorded.
impl<F: Future> IsAnything for Later<F> {
    type How = How<InFuture<F>, F::Output, ByDuration>;

    fn __xray_how(&self) -> Self::How {
        How(PhantomData)
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ByDuration;

impl<T> Reader<T> for ByDuration {
    fn read(self, _: &T, _: &mut Call) {}
}

/// Any other result. The call is not recorded, because the result does not show whether the request was sent.
impl<T> IsAnything for Now<T> {
    type How = PassThrough;

    fn __xray_how(&self) -> PassThrough {
        PassThrough
    }
}
