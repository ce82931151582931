//! The type test of a request of the AWS SDK: `client.get_item().send()`. See [`private`](super).
//!
//! The request builders of the SDK have no public trait in common, but each of them has a method `customize`, whose
//! result has a method `interceptor`. For any other type, method lookup finds the methods of [`Fallback`], and the
//! result is a [`NotCustomizable`].
//!
//! * The test of a value is a closure that calls both methods: [`Receiver`]. The closure runs only for a request that
//!   is sent while a segment is current.
//! * The test of a place calls `customize` on the place: [`CustomizeResult`]. The call moves a request out of the place
//!   and borrows any other value, as the user's `send` does.

use std::any::type_name;
use std::marker::PhantomData;

use super::{Dispatch, Twin, UnreachableTwin, UnreachableUntraced, Untraced};
use crate::http::{CallSite, Traceable, methods};
use crate::integrations::aws_sdk::SubsegmentInterceptor;
use crate::live::context;

/// The result of the closure for a type that is not a request of the SDK.
#[derive(Debug)]
pub struct NotCustomizable;

/// The methods of any type without inherent methods of these names. An inherent method takes precedence.
pub trait Fallback {
    fn customize(&self) -> NotCustomizable {
        NotCustomizable
    }

    fn interceptor(&self, _: SubsegmentInterceptor) -> NotCustomizable {
        NotCustomizable
    }
}

impl<T: ?Sized> Fallback for T {}

/// The receiver of the type test of a value. `F` is the closure that customises a request of type `T`.
#[derive(Debug)]
pub struct Receiver<T, R, F> {
    customize: F,
    types: PhantomData<fn(T) -> R>,
}

impl<T, R, F: FnOnce(T, SubsegmentInterceptor) -> R> Receiver<T, R, F> {
    /// Tests the type of a value. The compiler checks the closure after the first argument, so it knows `T` then.
    #[inline]
    pub fn of(_: &T, customize: F) -> Self {
        Self { customize, types: PhantomData }
    }
}

/// Selected for a request of an HTTP client. An inherent method takes precedence over trait methods.
impl<T: Traceable<methods::send>, R, F> Receiver<T, R, F> {
    #[inline]
    pub fn __xray_traced(
        self,
        value: T,
        site: impl Into<CallSite>,
        _: fn(UnreachableTwin),
        _: fn(UnreachableTwin),
    ) -> T::Traced {
        value.traced(site.into())
    }
}

/// Selected for any other type that is not a request of the SDK. A trait method that takes `self` takes precedence over
/// [`Customizable`].
pub trait Uncustomizable<T>: Sized {
    fn __xray_traced(self, value: T, site: impl Into<CallSite>, _: fn(UnreachableTwin), _: fn(UnreachableTwin)) -> T;

    fn __xray_require(
        self,
        value: T,
        site: impl Into<CallSite>,
        _: fn(UnreachableTwin),
        _: fn(UnreachableTwin),
    ) -> T::Traced
    where
        T: Traceable<methods::send>;
}

impl<T, F> Uncustomizable<T> for Receiver<T, NotCustomizable, F> {
    fn __xray_traced(self, value: T, site: impl Into<CallSite>, _: fn(UnreachableTwin), _: fn(UnreachableTwin)) -> T {
        site.into().note_unknown(type_name::<T>());
        value
    }

    fn __xray_require(
        self,
        value: T,
        site: impl Into<CallSite>,
        _: fn(UnreachableTwin),
        _: fn(UnreachableTwin),
    ) -> T::Traced
    where
        T: Traceable<methods::send>,
    {
        value.traced(site.into())
    }
}

/// Selected for a request of the SDK.
///
/// `send` sends the request itself, and `send_customized` the result of the closure. The expansion passes both, because
/// only there the methods of the types are known.
//
// The closures have their own type parameters, so that the compiler inlines them. A function pointer to `send` would
// return the operation's future, which has 5,000 bytes and would be copied.
pub trait Customizable<T, R, F> {
    fn __xray_traced<S, C, FS: FnOnce(T) -> S, FC: FnOnce(R) -> C>(
        &self,
        value: T,
        site: impl Into<CallSite>,
        send: FS,
        send_customized: FC,
    ) -> Request<T, F, FS, FC>;

    #[inline]
    fn __xray_require<S, C, FS: FnOnce(T) -> S, FC: FnOnce(R) -> C>(
        &self,
        value: T,
        site: impl Into<CallSite>,
        send: FS,
        send_customized: FC,
    ) -> Request<T, F, FS, FC> {
        self.__xray_traced(value, site, send, send_customized)
    }
}

impl<T, R, F: Copy> Customizable<T, R, F> for Receiver<T, R, F> {
    #[inline]
    fn __xray_traced<S, C, FS: FnOnce(T) -> S, FC: FnOnce(R) -> C>(
        &self,
        value: T,
        site: impl Into<CallSite>,
        send: FS,
        send_customized: FC,
    ) -> Request<T, F, FS, FC> {
        Request { value, site: site.into(), customize: self.customize, send, send_customized }
    }
}

/// The traced twin of a request.
#[derive(Debug)]
pub struct Request<T, F, FS, FC> {
    value: T,
    site: CallSite,
    customize: F,
    send: FS,
    send_customized: FC,
}

impl<T, R, S, C, F, FS, FC> Request<T, F, FS, FC>
where
    S: Future,
    C: Future<Output = S::Output>,
    F: FnOnce(T, SubsegmentInterceptor) -> R,
    FS: FnOnce(T) -> S,
    FC: FnOnce(R) -> C,
{
    /// Sends the request with an interceptor, if a segment is current at the first poll. Otherwise, sends the request
    /// itself.
    //
    // This is an `async` block, so that the compiler creates the user's future in place. An enum of the two futures
    // would be copied. The block captures the fields one by one, because the whole struct would be copied once more.
    #[inline]
    pub fn send(self) -> impl Future<Output = S::Output> {
        let Self { value, site, customize, send, send_customized } = self;
        async move {
            if context::is_set() {
                let customized = customize(value, SubsegmentInterceptor::at(site));
                return send_customized(customized).await;
            }
            note_missing(&site);
            send(value).await
        }
    }
}

/// Logs an operation outside any segment, once for each place.
#[inline]
fn note_missing(site: &CallSite) {
    if let Some(parent) = site.parent() {
        parent.of_aws_operation();
    }
}

/// The receiver of the type test of a place: a zero-sized value, generic over the result of `customize`.
#[derive(Debug)]
pub struct CustomizeResult<R>(PhantomData<fn() -> R>);

impl<R> CustomizeResult<R> {
    #[must_use]
    pub fn of(_: &R) -> Self {
        Self(PhantomData)
    }
}

/// Selected for a place that holds no request of the SDK. A trait method that takes `self` takes precedence over
/// [`Customized`].
pub trait NotCustomized: Sized {
    fn __xray_dispatch(self, _: NotCustomizable, _: impl Into<CallSite>) -> Dispatch<UnreachableTwin, Untraced> {
        Dispatch::Untraced(Untraced)
    }
}

impl NotCustomized for CustomizeResult<NotCustomizable> {}

/// Selected for a place that holds a request of the SDK.
pub trait Customized<R> {
    fn __xray_dispatch(
        &self,
        operation: R,
        site: impl Into<CallSite>,
    ) -> Dispatch<Twin<Operation<R>>, UnreachableUntraced>;
}

impl<R> Customized<R> for CustomizeResult<R> {
    fn __xray_dispatch(
        &self,
        operation: R,
        site: impl Into<CallSite>,
    ) -> Dispatch<Twin<Operation<R>>, UnreachableUntraced> {
        Dispatch::traced(Operation { operation, site: site.into() })
    }
}

/// A request of the SDK that was moved out of a place and is customised.
#[derive(Debug)]
pub struct Operation<R> {
    operation: R,
    site: CallSite,
}

impl<R> Operation<R> {
    /// Attaches the interceptor with `attach`.
    pub fn __xray_attach(self, attach: fn(R, SubsegmentInterceptor) -> R) -> R {
        attach(self.operation, SubsegmentInterceptor::at(self.site))
    }
}

impl UnreachableTwin {
    #[expect(clippy::must_use_candidate, clippy::return_self_not_must_use, reason = "the method never returns")]
    pub fn __xray_attach(self, _: fn(NotCustomizable, SubsegmentInterceptor) -> NotCustomizable) -> Self {
        match self {}
    }
}
