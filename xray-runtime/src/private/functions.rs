//! The type test of a function that may make a request: `reqwest::get(url)`. See [`private`](super).
//!
//! The test depends on the type of the function's result. A user's function with the same path and another result type is
//! called as written.

use std::any::type_name;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::http::{CallParent, CallSite, DeferredCall, FetchedLater, FetchedNow, ReadResponse, Sent, Start};

/// The receiver of the type test: a zero-sized value, generic over the types of the function's argument and result.
#[derive(Debug)]
pub struct Callee<T, R>(PhantomData<fn(T) -> R>);

impl<T, R> Callee<T, R> {
    #[must_use]
    pub fn of(_: &impl FnOnce(T) -> R) -> Self {
        Self(PhantomData)
    }
}

/// Selected for an asynchronous function of a client. An inherent method takes precedence over trait methods.
impl<T, R, O> Callee<T, R>
where
    R: Future<Output = O>,
    O: FetchedLater<T>,
{
    pub fn __xray_open<F>(
        self,
        function: F,
        site: CallSite,
    ) -> impl FnOnce(T) -> DeferredCall<Fetching<R, O::Future>, Fetch<F, T>>
    where
        F: FnOnce(T) -> R,
    {
        move |url| DeferredCall::with_start(site, Fetch { function, url }, ReadResponse::read)
    }
}

/// Selected for a blocking function of a client. A trait method that takes `self` takes precedence over the fallback.
pub trait BlockingFunction<T, R> {
    fn __xray_open<F: FnOnce(T) -> R>(self, function: F, site: CallSite) -> impl FnOnce(T) -> R;
}

impl<T, R: FetchedNow<T>> BlockingFunction<T, R> for Callee<T, R> {
    fn __xray_open<F: FnOnce(T) -> R>(self, function: F, site: CallSite) -> impl FnOnce(T) -> R {
        move |url| match site.parent() {
            Some(parent) if is_of::<F>(R::CRATE) => R::fetch(url, parent),
            _ => function(url),
        }
    }
}

/// The fallback, selected for any other function, because it takes `&self`.
pub trait UnknownFunction {
    fn __xray_open<F>(&self, function: F, site: CallSite) -> F;
}

impl<T, R> UnknownFunction for Callee<T, R> {
    fn __xray_open<F>(&self, function: F, site: CallSite) -> F {
        site.note_unknown(type_name::<F>());
        function
    }
}

/// A function and its argument, before the call.
#[derive(Debug)]
pub struct Fetch<F, T> {
    function: F,
    url: T,
}

impl<F, T, R, O> Start<Fetching<R, O::Future>> for Fetch<F, T>
where
    F: FnOnce(T) -> R,
    R: Future<Output = O>,
    O: FetchedLater<T>,
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
/// A user's wrapper, such as `fn get(url: &str) -> Result<Response, reqwest::Error>` in a module named `reqwest`, has the
/// result type of the client's function. `fetch` would call the client's function instead of the wrapper, so the wrapper
/// must be recognized.
///
/// The standard library documents the result of `type_name` for diagnostics only; its format may change. This use is safe,
/// because a wrong result causes no harm: if the format changes, no name has the prefix, the user's function is called as
/// written, and the call is not traced. `tests/it/functions.rs::reqwest_get` and
/// `tests/it/functions.rs::modules_of_the_same_name_are_left_alone` would then fail. A comparison of `TypeId`s would be
/// exact, but requires `F: 'static`, and `F` may be `reqwest::get::<&'a str>`.
fn is_of<F>(krate: &str) -> bool {
    type_name::<F>().strip_prefix(krate).is_some_and(|rest| rest.starts_with("::"))
}

pin_project! {
    /// The future that the user's function returned, or the client's future of a traced call.
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
