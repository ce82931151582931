//! What becomes of the result of a call whose argument was a request, or was none.
//!
//! Which of the traits below is found for `&&&&&&Answered` says what the result is. They are tried from the one for
//! the most references to the one for none; a result of which nothing is known comes back as it is.

use std::any::type_name;
use std::convert::Infallible;
use std::error::Error;

use crate::http::{Answer, Call, StatusError, Traced, read_or_status};

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

    pub fn take(&mut self) -> Option<S> {
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

/// A result, and the slot of its call.
#[derive(Debug)]
pub struct Answered<'a, T, S>(pub &'a T, pub &'a Slot<S>);

/// For a result that is a future of the answer: how that is read.
pub struct Later<F: Future>(fn(&F::Output, &mut Call));

impl<F: Future> Later<F> {
    pub fn exit(self, future: F, entered: Option<Entered>) -> Traced<F, Infallible> {
        Traced::running(future, entered.and_then(|Entered(call)| call), self.0)
    }
}

/// For a result that is the answer: how it is read.
pub struct Now<T>(fn(&T, &mut Call));

impl<T> Now<T> {
    pub fn exit(self, answer: T, entered: Option<Entered>) -> T {
        if let Some(Entered(Some(mut call))) = entered {
            call.start_as_stamped();
            call.read(&answer, self.0);
        }
        answer
    }
}

/// For a result that is nobody's business.
pub struct Unchanged;

impl Unchanged {
    pub fn exit<T, S>(self, result: T, _: Option<S>) -> T {
        result
    }
}

/// Where the argument was no request. Nothing is asked of the result, whose type may be open.
pub trait NoRequest {
    fn __xray_kind(&self) -> Unchanged;
}

impl<T> NoRequest for &&&&&Answered<'_, T, Untouched> {
    fn __xray_kind(&self) -> Unchanged {
        Unchanged
    }
}

/// An answer whose error may stand for a response.
pub trait StatusLater<F: Future> {
    fn __xray_kind(&self) -> Later<F>;
}

impl<F, A, E> StatusLater<F> for &&&&&Answered<'_, F, Entered>
where
    F: Future<Output = Result<A, E>>,
    A: Answer,
    E: StatusError,
{
    fn __xray_kind(&self) -> Later<F> {
        Later(read_or_status)
    }
}

pub trait StatusNow<T> {
    fn __xray_kind(&self) -> Now<T>;
}

impl<A: Answer, E: StatusError> StatusNow<Result<A, E>> for &&&&&Answered<'_, Result<A, E>, Entered> {
    fn __xray_kind(&self) -> Now<Result<A, E>> {
        Now(read_or_status)
    }
}

/// An answer that can be read: later, or now.
pub trait AnswerLater<F: Future> {
    fn __xray_kind(&self) -> Later<F>;
}

impl<F: Future<Output: Answer>> AnswerLater<F> for &&&&Answered<'_, F, Entered> {
    fn __xray_kind(&self) -> Later<F> {
        Later(Answer::read)
    }
}

pub trait AnswerNow<T> {
    fn __xray_kind(&self) -> Now<T>;
}

impl<T: Answer> AnswerNow<T> for &&&&Answered<'_, T, Entered> {
    fn __xray_kind(&self) -> Now<T> {
        Now(Answer::read)
    }
}

/// A response, or an error that holds one of any type.
pub trait BoxedLater<F: Future> {
    fn __xray_kind(&self) -> Later<F>;
}

impl<F, A, E> BoxedLater<F> for &&&Answered<'_, F, Entered>
where
    F: Future<Output = Result<A, E>>,
    A: Answer,
    E: AsRef<dyn Error + Send + Sync>,
{
    fn __xray_kind(&self) -> Later<F> {
        Later(read_boxed)
    }
}

pub trait BoxedNow<T> {
    fn __xray_kind(&self) -> Now<T>;
}

impl<A, E> BoxedNow<Result<A, E>> for &&&Answered<'_, Result<A, E>, Entered>
where
    A: Answer,
    E: AsRef<dyn Error + Send + Sync>,
{
    fn __xray_kind(&self) -> Now<Result<A, E>> {
        Now(read_boxed)
    }
}

/// A response, or an error of which only the type is known.
pub trait OpaqueLater<F: Future> {
    fn __xray_kind(&self) -> Later<F>;
}

impl<F, A, E> OpaqueLater<F> for &&Answered<'_, F, Entered>
where
    F: Future<Output = Result<A, E>>,
    A: Answer,
{
    fn __xray_kind(&self) -> Later<F> {
        Later(read_opaque)
    }
}

pub trait OpaqueNow<T> {
    fn __xray_kind(&self) -> Now<T>;
}

impl<A: Answer, E> OpaqueNow<Result<A, E>> for &&Answered<'_, Result<A, E>, Entered> {
    fn __xray_kind(&self) -> Now<Result<A, E>> {
        Now(read_opaque)
    }
}

/// A future of something else, as that of a service whose response is a type parameter: only its time is known.
pub trait UnreadLater<F: Future> {
    fn __xray_kind(&self) -> Later<F>;
}

impl<F: Future> UnreadLater<F> for &Answered<'_, F, Entered> {
    fn __xray_kind(&self) -> Later<F> {
        Later(read_nothing)
    }
}

/// Anything else: the call is forgotten.
pub trait Unread {
    fn __xray_kind(&self) -> Unchanged;
}

impl<T> Unread for Answered<'_, T, Entered> {
    fn __xray_kind(&self) -> Unchanged {
        Unchanged
    }
}

fn read_boxed<A: Answer, E: AsRef<dyn Error + Send + Sync>>(answer: &Result<A, E>, call: &mut Call) {
    match answer {
        Ok(response) => response.read(call),
        Err(error) => call.error(error.as_ref()),
    }
}

fn read_opaque<A: Answer, E>(answer: &Result<A, E>, call: &mut Call) {
    match answer {
        Ok(response) => response.read(call),
        Err(_) => call.opaque_error(type_name::<E>()),
    }
}

fn read_nothing<T>(_: &T, _: &mut Call) {}
