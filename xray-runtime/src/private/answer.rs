//! What becomes of the result of a call whose argument may have been a request.
//!
//! Two questions are asked about the result's type: *when* is there a response, at once or in a future, and *how* is it
//! read. A result about which nothing is known is given back unchanged.
//!
//! ```text
//! Outcome::of(&out, &slot)      Outcome<T, Entered>, or Outcome<T, Untouched> if the argument was no request
//!     .__xray_when()            When<InFuture<F>, F::Output>, or When<InHand, T>, or Unchanged
//! (&&&&&..).__xray_how()        How<.., R>: R says how the response is read
//!     .exit(out, &mut slot)     the traced future, or the result itself
//! ```

use std::any::type_name;
use std::error::Error;
use std::marker::PhantomData;

use crate::http::{ByReadResponse, Call, CallFuture, ReadResponse, Reader, StatusError, read_or_status};

/// A local variable at the head of a body that carries an open call from its argument to its result.
///
/// Its type parameter records at compile time whether the argument was a request: [`Entered`], or [`Untouched`].
#[derive(Debug)]
pub struct Slot<S>(Option<S>);

/// The content of a slot if the argument was a request: the call, if it is recorded.
#[derive(Debug)]
pub struct Entered(Option<Call>);

/// The content of a slot if the argument was no request: a type without values.
#[derive(Debug)]
pub enum Untouched {}

impl<S> Slot<S> {
    #[must_use]
    pub fn new() -> Self {
        Self(None)
    }

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
    pub(super) fn put(&mut self, mut call: Option<Call>) {
        if let Some(call) = &mut call {
            call.stamp();
        }
        self.0 = Some(Entered(call));
    }
}

/// The question *when*: the type of a result, and the content of the call's slot.
#[derive(Debug)]
pub struct Outcome<T, S>(PhantomData<(*const T, S)>);

impl<T, S> Outcome<T, S> {
    #[must_use]
    pub fn of(_: &T, _: &Slot<S>) -> Self {
        Self(PhantomData)
    }
}

impl<T> Outcome<T, Untouched> {
    /// If the argument was no request, nothing is asked about the result. Its type may still be open, as in
    /// `let word: String = service.request(reference)`, where a question would force it to be a future.
    /// `tests/shapes/arguments.rs::inferred`
    #[must_use]
    pub fn __xray_when(self) -> Unchanged {
        Unchanged
    }
}

/// The answer for a result that is a future. A trait's method by value is found first.
pub trait IsLater<F: Future> {
    fn __xray_when(self) -> Later<F>;
}

impl<F: Future> IsLater<F> for Outcome<F, Entered> {
    fn __xray_when(self) -> Later<F> {
        When(PhantomData)
    }
}

/// The answer for any other result. A trait's method by reference is found second.
pub trait IsNow<T> {
    fn __xray_when(&self) -> Now<T>;
}

impl<T> IsNow<T> for Outcome<T, Entered> {
    fn __xray_when(&self) -> Now<T> {
        When(PhantomData)
    }
}

/// The question *how*: `T` is the type of the response, and `C` says where it is.
///
/// The question is a ladder, see [`private`](super). The macro's output asks `(&&&&&when).__xray_how()`, and each trait
/// below is implemented for one reference fewer than the trait before.
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

/// The answer: the response is read by `R`.
#[derive(Debug)]
pub struct How<C, T, R>(PhantomData<fn(C, T) -> R>);

impl<F: Future, R: Reader<F::Output> + Default> How<InFuture<F>, F::Output, R> {
    pub fn exit(self, future: F, slot: &mut Slot<Entered>) -> CallFuture<F, R> {
        CallFuture::new(future, slot.take().and_then(|Entered(call)| call), R::default())
    }
}

impl<T, R: Reader<T> + Default> How<InHand, T, R> {
    pub fn exit(self, answer: T, slot: &mut Slot<Entered>) -> T {
        if let Some(Entered(Some(mut call))) = slot.take() {
            call.start_as_stamped();
            call.read(&answer, |response, call| R::default().read(response, call));
        }
        answer
    }
}

/// The answer for a result that is not looked at.
#[derive(Debug)]
pub struct Unchanged;

impl Unchanged {
    /// Found at the end of the references, where the inherent method is the only one.
    #[must_use]
    pub fn __xray_how(&self) -> Self {
        Self
    }

    pub fn exit<T, S>(self, result: T, slot: &mut Slot<S>) -> T {
        drop(slot.take());
        result
    }
}

/// Rung 1: a response, or an error that may stand for a response with a bad status.
pub trait IsStatusError<C, T> {
    fn __xray_how(&self) -> How<C, T, ByStatus>;
}

impl<C, A: ReadResponse, E: StatusError> IsStatusError<C, Result<A, E>> for &&&&When<C, Result<A, E>> {
    fn __xray_how(&self) -> How<C, Result<A, E>, ByStatus> {
        How(PhantomData)
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ByStatus;

impl<A: ReadResponse, E: StatusError> Reader<Result<A, E>> for ByStatus {
    fn read(self, answer: &Result<A, E>, call: &mut Call) {
        read_or_status(answer, call);
    }
}

/// Rung 2: a type that says itself how it is read.
pub trait IsAnswer<C, T> {
    fn __xray_how(&self) -> How<C, T, ByReadResponse>;
}

impl<C, T: ReadResponse> IsAnswer<C, T> for &&&When<C, T> {
    fn __xray_how(&self) -> How<C, T, ByReadResponse> {
        How(PhantomData)
    }
}

/// Rung 3: a response, or a wrapper that gives an error of any type.
pub trait IsBoxedError<C, T> {
    fn __xray_how(&self) -> How<C, T, ByBoxedError>;
}

impl<C, A, E> IsBoxedError<C, Result<A, E>> for &&When<C, Result<A, E>>
where
    A: ReadResponse,
    E: AsRef<dyn Error + Send + Sync>,
{
    fn __xray_how(&self) -> How<C, Result<A, E>, ByBoxedError> {
        How(PhantomData)
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ByBoxedError;

impl<A: ReadResponse, E: AsRef<dyn Error + Send + Sync>> Reader<Result<A, E>> for ByBoxedError {
    fn read(self, answer: &Result<A, E>, call: &mut Call) {
        match answer {
            Ok(response) => response.read(call),
            Err(error) => call.error(error.as_ref()),
        }
    }
}

/// Rung 4: a response, or an error whose type's name is all that is known.
pub trait IsOpaqueError<C, T> {
    fn __xray_how(&self) -> How<C, T, ByOpaqueError>;
}

impl<C, A: ReadResponse, E> IsOpaqueError<C, Result<A, E>> for &When<C, Result<A, E>> {
    fn __xray_how(&self) -> How<C, Result<A, E>, ByOpaqueError> {
        How(PhantomData)
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ByOpaqueError;

impl<A: ReadResponse, E> Reader<Result<A, E>> for ByOpaqueError {
    fn read(self, answer: &Result<A, E>, call: &mut Call) {
        match answer {
            Ok(response) => response.read(call),
            Err(_) => call.opaque_error(type_name::<E>()),
        }
    }
}

/// Rung 5: a type about which nothing is known.
pub trait Unread {
    type How;

    fn __xray_how(&self) -> Self::How;
}

/// A future of anything, as of a service whose response is a type parameter: the call's time is recorded.
impl<F: Future> Unread for Later<F> {
    type How = How<InFuture<F>, F::Output, ByNothing>;

    fn __xray_how(&self) -> Self::How {
        How(PhantomData)
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ByNothing;

impl<T> Reader<T> for ByNothing {
    fn read(self, _: &T, _: &mut Call) {}
}

/// Any other result: the call is not recorded, because nothing says whether the request was sent.
impl<T> Unread for Now<T> {
    type How = Unchanged;

    fn __xray_how(&self) -> Unchanged {
        Unchanged
    }
}
