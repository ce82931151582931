//! The type test of a function that may make a request: `reqwest::get(url)`. See [`private`](super).
//!
//! The test looks at the type of the function's result. A user's function with the same path, but another result type,
//! is called as written.

use std::any::type_name;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::http::{AsyncFetch, BlockingFetch, CallParent, CallSite, DeferredCall, ReadResponse, Sent, Start};

/// The receiver of the type test: a zero-sized value, generic over the types of the function's argument and result.
#[derive(Debug)]
pub struct Callee<T, R>(PhantomData<fn(T) -> R>);

impl<T, R> Callee<T, R> {
    #[must_use]
    pub fn of(_: &impl FnOnce(T) -> R) -> Self {
        Self(PhantomData)
    }
}

/// Selected for an asynchronous function of a client. Lookup finds an inherent method before the trait methods below.
impl<T, R, O> Callee<T, R>
where
    R: Future<Output = O>,
    O: AsyncFetch<T>,
{
    pub fn __xray_traced<F>(
        self,
        function: F,
        site: impl Into<CallSite>,
    ) -> impl FnOnce(T) -> DeferredCall<Fetching<R, O::Future>, Fetch<F, T>>
    where
        F: FnOnce(T) -> R,
    {
        let site = site.into();
        move |url| DeferredCall::with_start(site, Fetch { function, url }, ReadResponse::read)
    }
}

/// Selected for a blocking function of a client. Its method takes `self`, so lookup finds it before the fallback.
pub trait BlockingFunction<T, R> {
    fn __xray_traced<F: FnOnce(T) -> R>(self, function: F, site: impl Into<CallSite>) -> impl FnOnce(T) -> R;
}

impl<T, R: BlockingFetch<T>> BlockingFunction<T, R> for Callee<T, R> {
    fn __xray_traced<F: FnOnce(T) -> R>(self, function: F, site: impl Into<CallSite>) -> impl FnOnce(T) -> R {
        let site = site.into();
        move |url| match site.parent() {
            Some(parent) if is_of::<F>(R::CRATE) => R::fetch(url, parent),
            _ => function(url),
        }
    }
}

/// The fallback, selected for any other function. Its method takes `&self`, so lookup finds it last.
pub trait UnknownFunction {
    fn __xray_traced<F>(&self, function: F, site: impl Into<CallSite>) -> F;
}

impl<T, R> UnknownFunction for Callee<T, R> {
    fn __xray_traced<F>(&self, function: F, site: impl Into<CallSite>) -> F {
        site.into().note_unknown(type_name::<F>());
        function
    }
}

/// A function and its argument. [`DeferredCall`] calls the function when the call starts.
#[derive(Debug)]
pub struct Fetch<F, T> {
    function: F,
    url: T,
}

impl<F, T, R, O> Start<Fetching<R, O::Future>> for Fetch<F, T>
where
    F: FnOnce(T) -> R,
    R: Future<Output = O>,
    O: AsyncFetch<T>,
{
    fn start(self, parent: Option<CallParent>) -> Sent<Fetching<R, O::Future>> {
        let Self { function, url } = self;
        match parent {
            Some(parent) if is_of::<F>(O::CRATE) => O::fetch(url, parent).map(|future| Fetching::Own { future }),
            _ => Sent::new(Fetching::Called { future: function(url) }, None),
        }
    }
}

/// Returns whether a function belongs to a crate.
///
/// A user may have a wrapper with the path and the result type of the client's function, such as
/// `fn get(url: &str) -> Result<Response, reqwest::Error>` in a module named `reqwest`. `fetch` would bypass the
/// wrapper, so only functions of the client's crate may be replaced by it.
///
/// The standard library documents `type_name` for diagnostics only, and its format may change. That would do no harm:
/// no name would have the prefix, so the user's function would be called as written and not traced.
/// `tests/it/functions.rs::reqwest_get` and
/// `tests/it/functions.rs::modules_of_the_same_name_are_left_alone` would then fail. A comparison of `TypeId`s would be
/// exact, but requires `F: 'static`, and `F` may be `reqwest::get::<&'a str>`.
fn is_of<F>(krate: &str) -> bool {
    type_name::<F>().strip_prefix(krate).is_some_and(|rest| rest.starts_with("::"))
}

pin_project! {
    /// The future of a function such as `reqwest::get`: `Called` if the function itself was called, and `Own` if the
    /// call is traced and this crate built the request.
    #[project = FetchingProjection]
    pub enum Fetching<R, F> {
        Called { #[pin] future: R },
        Own { #[pin] future: F },
    }
}

impl<R: Future, F: Future<Output = R::Output>> Future for Fetching<R, F> {
    type Output = R::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<R::Output> {
        match self.project() {
            FetchingProjection::Called { future } => future.poll(task),
            FetchingProjection::Own { future } => future.poll(task),
        }
    }
}
