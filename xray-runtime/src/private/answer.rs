//! What becomes of the result of a call whose argument was a request, or was none.
//!
//! Two questions are asked of its type, by the order in which a method is looked up: when there is an answer, and how
//! that is read. A result of which nothing is known comes back as it is.

use std::any::type_name;
use std::error::Error;
use std::marker::PhantomData;

use crate::http::{ByReadResponse, Call, CallFuture, ReadResponse, Reader, StatusError, read_or_status};

/// Between the request and the answer of a call, at the head of the body in which the call stands. The type of
/// its content says whether the argument was a request.
#[derive(Debug)]
pub struct Slot<S>(Option<S>);

/// The content of a slot where the argument was a request: the call, if it is recorded.
#[derive(Debug)]
pub struct Entered(Option<Call>);

/// The content of a slot where the argument was none.
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

/// The type of a result, and what the slot of its call holds.
#[derive(Debug)]
pub struct Outcome<T, S>(PhantomData<(*const T, S)>);

impl<T, S> Outcome<T, S> {
    #[must_use]
    pub fn of(_: &T, _: &Slot<S>) -> Self {
        Self(PhantomData)
    }
}

impl<T> Outcome<T, Untouched> {
    /// Where the argument was no request nothing is asked of the result, whose type may be open.
    #[must_use]
    pub fn __xray_when(self) -> Unchanged {
        Unchanged
    }
}

/// For a result that is a future of the answer: found first.
pub trait IsLater<F: Future> {
    fn __xray_when(self) -> Later<F>;
}

impl<F: Future> IsLater<F> for Outcome<F, Entered> {
    fn __xray_when(self) -> Later<F> {
        When(PhantomData)
    }
}

/// For any other result: one reference further.
pub trait IsNow<T> {
    fn __xray_when(&self) -> Now<T>;
}

impl<T> IsNow<T> for Outcome<T, Entered> {
    fn __xray_when(&self) -> Now<T> {
        When(PhantomData)
    }
}

/// When there is an answer of type `T`: `C` is the call's result.
pub struct When<C, T>(PhantomData<fn(C) -> T>);
/// In the future that the call gave.
pub type Later<F> = When<InFuture<F>, <F as Future>::Output>;
/// Now: it is what the call gave.
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

/// How the answer is read. It is asked of a reference, and what is below is in the order in which that is looked up.
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

/// For a result that is nobody's business.
#[derive(Debug)]
pub struct Unchanged;

impl Unchanged {
    #[must_use]
    pub fn __xray_how(&self) -> Self {
        Self
    }

    pub fn exit<T, S>(self, result: T, slot: &mut Slot<S>) -> T {
        drop(slot.take());
        result
    }
}

/// An answer whose error may stand for a response.
impl<C, A: ReadResponse, E: StatusError> When<C, Result<A, E>> {
    #[must_use]
    pub fn __xray_how(&self) -> How<C, Result<A, E>, ByStatus> {
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

/// An answer that can be read.
pub trait IsAnswer<C, T> {
    fn __xray_how(&self) -> How<C, T, ByReadResponse>;
}

impl<C, T: ReadResponse> IsAnswer<C, T> for When<C, T> {
    fn __xray_how(&self) -> How<C, T, ByReadResponse> {
        How(PhantomData)
    }
}

/// A response, or an error that holds one of any type.
pub trait IsBoxedError<C, T> {
    fn __xray_how(&self) -> How<C, T, ByBoxedError>;
}

impl<C, A, E> IsBoxedError<C, Result<A, E>> for &When<C, Result<A, E>>
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

/// A response, or an error of which only the type is known.
pub trait IsOpaqueError<C, T> {
    fn __xray_how(&mut self) -> How<C, T, ByOpaqueError>;
}

impl<C, A: ReadResponse, E> IsOpaqueError<C, Result<A, E>> for &When<C, Result<A, E>> {
    fn __xray_how(&mut self) -> How<C, Result<A, E>, ByOpaqueError> {
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

/// Something else.
pub trait Unread {
    type How;

    fn __xray_how(self) -> Self::How;
}

/// As from a service whose response is a type parameter: only its time is known.
impl<F: Future> Unread for Later<F> {
    type How = How<InFuture<F>, F::Output, ByNothing>;

    fn __xray_how(self) -> Self::How {
        How(PhantomData)
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct ByNothing;

impl<T> Reader<T> for ByNothing {
    fn read(self, _: &T, _: &mut Call) {}
}

/// The call is forgotten.
impl<T> Unread for Now<T> {
    type How = Unchanged;

    fn __xray_how(self) -> Unchanged {
        Unchanged
    }
}
