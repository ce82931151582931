//! Determines the types that the expansion of a call left open: see [`argument`](super::argument).
//!
//! The expansion of an annotated function ends with code that never runs: one statement for each call.
//!
//! ```text
//! return { the user's body };
//! (&&&&&&execute::settle(&__xray_types_0).__xray_test_argument()).__xray_test_result();
//! ```
//!
//! The compiler checks it after everything else in the function, when it knows the types of the argument and of the
//! result. Method lookup then selects one implementation below. Its `Self` type determines whether the call is traced
//! (`C`) and how its result is read (`R`).

use std::convert::Infallible;
use std::error::Error;
use std::marker::PhantomData;

use super::argument::{
    AsFuture, AsValue, ByBoxedError, ByDuration, ByOpaqueError, ByStatus, CallTypes, NamedFuture, Returned, TracedCall,
    UnknownResult, UnknownType, UntracedCall,
};
use crate::http::{ByReadResponse, Outgoing, ReadResponse, StatusError};

/// The type test of the argument of a call to the method `M`. The other parameters are the parameters of
/// [`CallTypes`](super::argument::CallTypes).
#[derive(Debug)]
pub struct Argument<M, A, C, T, R>(PhantomData<M>, PhantomData<CallTypes<A, C, T, R>>);

impl<M, A, C, T, R> Argument<M, A, C, T, R> {
    pub(super) fn of(_: &CallTypes<A, C, T, R>) -> Self {
        Self(PhantomData, PhantomData)
    }
}

/// Selected for a request. An inherent method takes precedence over the trait methods below.
impl<M, A: Outgoing<M>, C, T, R> Argument<M, A, C, T, R> {
    #[must_use]
    pub fn __xray_test_argument(self) -> CallResult<M, C, T, R> {
        CallResult(PhantomData)
    }
}

/// Selected for any other argument.
pub trait UnknownArgument {
    fn __xray_test_argument(self) -> Settled;
}

impl<M, A, T> UnknownArgument for Argument<M, A, UntracedCall<UnknownType>, T, ByDuration> {
    fn __xray_test_argument(self) -> Settled {
        Settled
    }
}

/// Selected for any other argument if another call has determined the reader, because it takes `&self`. The futures of
/// both calls have one type: `if flag { client.call(request) } else { client.call("text") }.await`.
/// Test: `tests/it/shapes/typed.rs::one_reader_for_two`.
pub trait UnknownArgumentBesideRequest {
    fn __xray_test_argument(&self) -> Settled;
}

impl<M, A, T, R> UnknownArgumentBesideRequest for Argument<M, A, UntracedCall<UnknownType>, T, R> {
    fn __xray_test_argument(&self) -> Settled {
        Settled
    }
}

/// Returns the type test of a call that is not traced.
#[must_use]
pub fn unknown<C, T, R>(types: &CallTypes<(), C, T, R>) -> Argument<Infallible, (), C, T, R> {
    Argument::of(types)
}

/// The types are determined.
#[derive(Debug)]
pub struct Settled;

impl Settled {
    /// Lookup dereferences `&&&&&&Settled` until it reaches this method, because no rung is implemented for `Settled`.
    pub fn __xray_test_result(&self) {}
}

/// The type test of the result of a call whose argument is a request.
///
/// The test is a ladder, see [`private`](super). The expansion contains `(&&&&&&result).__xray_test_result()`, and each
/// trait below is implemented for one reference fewer than the previous one.
#[derive(Debug)]
pub struct CallResult<M, C, T, R>(PhantomData<fn(M, C, T, R)>);

/// Rung 1: a future whose type may be named outside the function. Its call is not traced.
pub trait IsNamedFuture {
    fn __xray_test_result(&self);
}

impl<M, F: Future> IsNamedFuture for &&&&&CallResult<M, UntracedCall<NamedFuture>, Returned<AsValue, F>, ByDuration> {
    fn __xray_test_result(&self) {}
}

/// Rung 1: `Result<(), E>`, which does not depend on a response.
///
/// In editions before 2024 a type that nothing determines becomes `()`: `self.execute(request).await?;` compiles for an
/// `execute` that returns `Result<T, E>`. A test of the open `T` would require `T` to be a response, and `()` is not a
/// response. Test: `tests/crates/shapes-2021/only_2021.rs::discarded`.
pub trait IsUnit {
    fn __xray_test_result(&self);
}

impl<M, E> IsUnit for &&&&&CallResult<M, TracedCall<M>, Returned<AsFuture, Result<(), E>>, ByDuration> {
    fn __xray_test_result(&self) {}
}

impl<M, E> IsUnit for &&&&&CallResult<M, UntracedCall<UnknownResult>, Returned<AsValue, Result<(), E>>, ByDuration> {
    fn __xray_test_result(&self) {}
}

/// Rung 2: a `Result` of a response and an error that may represent an error status.
pub trait IsStatusError {
    fn __xray_test_result(&self);
}

impl<M, K, R: ReadResponse, E: StatusError> IsStatusError
    for &&&&CallResult<M, TracedCall<M>, Returned<K, Result<R, E>>, ByStatus>
{
    fn __xray_test_result(&self) {}
}

/// Rung 3: a type that implements [`ReadResponse`].
pub trait IsResponse {
    fn __xray_test_result(&self);
}

impl<M, K, T: ReadResponse> IsResponse for &&&CallResult<M, TracedCall<M>, Returned<K, T>, ByReadResponse> {
    fn __xray_test_result(&self) {}
}

/// Rung 4: a `Result` of a response and a type-erased error, such as `anyhow::Error`.
pub trait IsBoxedError {
    fn __xray_test_result(&self);
}

impl<M, K, R, E> IsBoxedError for &&CallResult<M, TracedCall<M>, Returned<K, Result<R, E>>, ByBoxedError>
where
    R: ReadResponse,
    E: AsRef<dyn Error + Send + Sync>,
{
    fn __xray_test_result(&self) {}
}

/// Rung 5: a `Result` of a response and any other type.
pub trait IsOpaqueError {
    fn __xray_test_result(&self);
}

impl<M, K, R: ReadResponse, E> IsOpaqueError
    for &CallResult<M, TracedCall<M>, Returned<K, Result<R, E>>, ByOpaqueError>
{
    fn __xray_test_result(&self) {}
}

/// Rung 6: any other type.
pub trait IsAnything {
    fn __xray_test_result(&self);
}

/// A future with any other output, such as the response of a generic service. Only the duration is recorded.
impl<M, T> IsAnything for CallResult<M, TracedCall<M>, Returned<AsFuture, T>, ByDuration> {
    fn __xray_test_result(&self) {}
}

/// Any other result.
impl<M, T> IsAnything for CallResult<M, UntracedCall<UnknownResult>, Returned<AsValue, T>, ByDuration> {
    fn __xray_test_result(&self) {}
}

/// A traced call. The expansion requires this trait for `strict` and `#[xray(trace)]`.
#[diagnostic::on_unimplemented(
    message = "this call is not traced",
    label = "its result leaves the function, or is neither a response nor a future",
    note = "a traced future has its own type: `.await` the future in the function, or mark the call with `#[xray(trace)]`",
    note = "`#[xray(skip)]` marks a call that is not to be traced"
)]
pub trait IsTraced {}

impl<M> IsTraced for TracedCall<M> {}

/// The argument is not a request. The function `required` has reported that.
impl IsTraced for UntracedCall<UnknownType> {}

/// Compiles only if the call is traced.
pub fn require<A, C: IsTraced, T, R>(_: &CallTypes<A, C, T, R>) {}
