//! A call whose argument may be the request: the types that the expansion leaves open, the inspection of the argument,
//! and the recording of the result.
//!
//! The expansion of `client.execute(request)` tests no type at the call. Code after the call may still determine the
//! type of the argument or of the result, and a type test on a type that is open would make the compiler infer a
//! request. So each answer is an inferred type parameter of [`CallTypes`], and code at the end of the function, which
//! the compiler checks last and which never runs, determines it: see [`settle`](super::settle).
//!
//! ```text
//! inspect(request, &mut call, site, types)        begins the call if the argument is a request; returns the argument
//! ResultOf::of(&result).__xray_kind()             AsFuture for a future, AsValue for any other result
//!     .finish(result, &mut call, types)           the traced future, or the result itself
//! ```
//!
//! The variable `call` holds the call from the argument to the result.

use std::any::type_name;
use std::convert::Infallible;
use std::error::Error;
use std::marker::PhantomData;

use crate::http::{Call, CallFuture, CallSite, Outgoing, ReadResponse, Reader, Reason, StatusError, read_or_status};

/// The types of one call.
///
/// * `A`: the argument.
/// * `C`: the call. [`TracedCall`] or [`UntracedCall`].
/// * `T`: the result. `Returned<AsFuture, O>` for a future with the output `O`, `Returned<AsValue, T>` for a result
///   `T`.
/// * `R`: the type that reads the result.
///
/// A variable of this type is declared at the start of the function. The expansion of a call names it in
/// `CallTypes { of: PhantomData, ..__xray_types_0 }`. All fields are given, so the expression reads nothing from the
/// variable, but the compiler gives both the same type. A closure therefore does not capture the variable, and no
/// lifetime in `A` or `T` has to outlive the call. Tests: `tests/it/shapes/typed.rs::in_a_loop`, `kept_for_ever`.
#[derive(Debug)]
pub struct CallTypes<A, C, T, R> {
    pub of: PhantomData<fn(A, C, T, R)>,
}

impl<A, C, T, R> CallTypes<A, C, T, R> {
    #[must_use]
    pub const fn new() -> Self {
        Self { of: PhantomData }
    }
}

impl<A, C, T, R> Default for CallTypes<A, C, T, R> {
    fn default() -> Self {
        Self::new()
    }
}

/// The variable that carries a call from its argument to its result, declared at the start of the user's body.
///
/// The variable of a recorded call holds a [`TracedCall`] from the evaluation of the argument until the result is
/// recorded. At any other time, the variable is empty.
#[derive(Debug)]
pub struct CallInProgress<C>(Option<C>);

impl<C> CallInProgress<C> {
    /// Creates the variable without a call.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    fn begin<A>(&mut self, argument: &mut A, site: CallSite)
    where
        C: BeginCall<A>,
    {
        self.0 = C::begin(argument, site);
    }

    fn take<A>(&mut self) -> Option<Call>
    where
        C: BeginCall<A>,
    {
        self.0.take().and_then(C::into_call)
    }
}

/// Begins a traced call, or no call. `A` is the type of the argument.
pub trait BeginCall<A>: Sized {
    /// Begins the call. Returns `None` if the call is not recorded.
    fn begin(argument: &mut A, site: CallSite) -> Option<Self>;

    /// Returns the call, if it is recorded.
    fn into_call(self) -> Option<Call>;
}

/// A traced call to the method `M`, whose argument is a request.
#[derive(Debug)]
pub struct TracedCall<M>(Call, PhantomData<fn(M)>);

impl<M, A: Outgoing<M>> BeginCall<A> for TracedCall<M> {
    /// Begins the call and stores the time. The subsegment starts at that time if the call returns its response and not
    /// a future: see [`AsValue::finish`].
    fn begin(request: &mut A, site: CallSite) -> Option<Self> {
        let mut call = site.parent().and_then(|parent| request.begin(parent)?.into_call())?;
        call.stamp();
        Some(Self(call, PhantomData))
    }

    fn into_call(self) -> Option<Call> {
        Some(self.0)
    }
}

/// An untraced call, with the reason `W`. The type is uninhabited, because such a call never begins.
#[derive(Debug)]
pub struct UntracedCall<W>(Infallible, PhantomData<fn(W)>);

impl<A, W: UntracedReason> BeginCall<A> for UntracedCall<W> {
    fn begin(_: &mut A, site: CallSite) -> Option<Self> {
        let type_name = type_name::<A>();
        if !is_request_builder(type_name) {
            site.note_untraced(W::REASON, type_name);
        }
        None
    }

    fn into_call(self) -> Option<Call> {
        match self.0 {}
    }
}

/// Returns whether a type is a request builder of a client, which no client takes as a request. In
/// `self.execute(self.client.get(url))`, the program's own method sends the request, and its call is traced or noted
/// there.
fn is_request_builder(type_name: &str) -> bool {
    type_name.ends_with("::RequestBuilder")
}

/// Why a call is not traced.
pub trait UntracedReason {
    const REASON: Reason;
}

/// Defines the types that implement [`UntracedReason`].
macro_rules! reasons {
    ($($(#[$documentation:meta])* $reason:ident,)*) => {$(
        $(#[$documentation])*
        #[derive(Debug)]
        pub enum $reason {}

        impl UntracedReason for $reason {
            const REASON: Reason = Reason::$reason;
        }
    )*};
}

reasons! {
    /// The argument is not a request.
    UnknownType,
    /// The result is a future, and its type may be named outside the function.
    NamedFuture,
    /// The result is neither a future nor a response, so it does not show whether the request was sent.
    UnknownResult,
}

/// Passes an argument on, and begins its call.
pub fn inspect<A, C: BeginCall<A>, T, R>(
    mut argument: A,
    call: &mut CallInProgress<C>,
    site: impl Into<CallSite>,
    _: CallTypes<A, C, T, R>,
) -> A {
    call.begin(&mut argument, site.into());
    argument
}

/// The type test of a result: whether it is a future.
#[derive(Debug)]
pub struct ResultOf<T>(PhantomData<fn() -> T>);

impl<T> ResultOf<T> {
    #[must_use]
    pub fn of(_: &T) -> Self {
        Self(PhantomData)
    }
}

/// Selected for a future. An inherent method takes precedence over the trait method below.
impl<F: Future> ResultOf<F> {
    #[must_use]
    pub fn __xray_kind(self) -> AsFuture {
        AsFuture
    }
}

/// The fallback, selected for any other result.
pub trait IsValue {
    fn __xray_kind(self) -> AsValue;
}

impl<T> IsValue for ResultOf<T> {
    fn __xray_kind(self) -> AsValue {
        AsValue
    }
}

/// The result of a call. If `K` is [`AsFuture`], the result is a future with the output `T`. If `K` is [`AsValue`], the
/// result is a `T`.
#[derive(Debug)]
pub struct Returned<K, T>(PhantomData<fn(K) -> T>);

/// The call returns a future that may be exchanged for a traced future.
#[derive(Debug)]
pub struct AsFuture;

impl AsFuture {
    /// Returns the future of the traced call.
    pub fn finish<A, C, F, R>(
        self,
        future: F,
        call: &mut CallInProgress<C>,
        _: CallTypes<A, C, Returned<Self, F::Output>, R>,
    ) -> CallFuture<F, R>
    where
        C: BeginCall<A>,
        F: Future,
        R: Reader<F::Output> + Default,
    {
        CallFuture::new(future, call.take(), R::default())
    }

    /// Exchanges the future of a call that is not traced. It may have to be of one type with the future of a traced
    /// call.
    pub fn pass<F, C, R>(self, future: F, _: CallTypes<(), C, Returned<Self, F::Output>, R>) -> CallFuture<F, R>
    where
        F: Future,
        R: Reader<F::Output> + Default,
    {
        CallFuture::new(future, None, R::default())
    }
}

/// The call returns a response or any other value. The expansion also uses it for a future whose type may be named
/// outside the function, because it keeps the type.
#[derive(Debug)]
pub struct AsValue;

impl AsValue {
    /// Records the result and returns it.
    pub fn finish<A, C, T, R>(
        self,
        result: T,
        call: &mut CallInProgress<C>,
        _: CallTypes<A, C, Returned<Self, T>, R>,
    ) -> T
    where
        C: BeginCall<A>,
        R: Reader<T> + Default,
    {
        if let Some(mut call) = call.take() {
            call.start_as_stamped();
            call.read(&result, |response, call| R::default().read(response, call));
        }
        result
    }

    /// Returns the result of a call that is not traced.
    pub fn pass<T, C, R>(self, result: T, _: CallTypes<(), C, Returned<Self, T>, R>) -> T {
        result
    }
}

/// Reads a response and an error that may represent an error status.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByStatus;

impl<R: ReadResponse, E: StatusError> Reader<Result<R, E>> for ByStatus {
    fn read(self, result: &Result<R, E>, call: &mut Call) {
        read_or_status(result, call);
    }
}

/// Reads a response and a type-erased error, such as `anyhow::Error`.
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

/// Reads a response and an error of any type. Only the name of the error's type is recorded.
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

/// Reads nothing: only the duration of the call is recorded.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByDuration;

impl<T> Reader<T> for ByDuration {
    fn read(self, _: &T, _: &mut Call) {}
}
