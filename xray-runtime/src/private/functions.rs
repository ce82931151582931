//! The question about a function that may make a request by itself: `reqwest::get(url)`.
//!
//! The type of the function's result decides. A function of the user's own that has the same path and another result
//! passes.

use std::any::type_name;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::http::{CallParent, CallSite, DeferredCall, FetchedLater, FetchedNow, ReadResponse, Sent, Start};

/// The question about a function: the types of its argument and its result.
#[derive(Debug)]
pub struct Callee<T, R>(PhantomData<fn(T) -> R>);

impl<T, R> Callee<T, R> {
    #[must_use]
    pub fn of(_: &impl FnOnce(T) -> R) -> Self {
        Self(PhantomData)
    }
}

/// The answer for an asynchronous function of a client. An inherent method is found first.
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

/// The answer for a blocking function of a client. A trait's method by value is found second.
pub trait KnownNow<T, R> {
    fn __xray_open<F: FnOnce(T) -> R>(self, function: F, site: CallSite) -> impl FnOnce(T) -> R;
}

impl<T, R: FetchedNow<T>> KnownNow<T, R> for Callee<T, R> {
    fn __xray_open<F: FnOnce(T) -> R>(self, function: F, site: CallSite) -> impl FnOnce(T) -> R {
        move |url| match site.parent() {
            Some(parent) if is_of::<F>(R::CRATE) => R::fetch(url, parent),
            _ => function(url),
        }
    }
}

/// The answer for any other function. A trait's method by reference is found last.
pub trait Unknown {
    fn __xray_open<F>(&self, function: F, site: CallSite) -> F;
}

impl<T, R> Unknown for Callee<T, R> {
    fn __xray_open<F>(&self, function: F, site: CallSite) -> F {
        site.note_unknown(type_name::<F>());
        function
    }
}

/// A call of a function that has not been made.
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
/// A wrapper of the user's own, `fn get(url: &str) -> Result<Response, reqwest::Error>` in a module named `reqwest`,
/// has the result of the client's function. Its body must run, and `fetch` would run the client's function in its
/// place.
///
/// The name of the type is no stable format: std documents `type_name` for diagnostics only. It serves here because a
/// wrong answer does no harm. If the format changes, no name has the prefix, the function is called as the user wrote
/// it, and the call is not traced; `tests/functions.rs::reqwest_get` and
/// `tests/functions.rs::modules_of_the_same_name_are_left_alone` notice either way. A comparison of `TypeId`s would be
/// exact, but needs `F: 'static`, and `F` is `reqwest::get::<&'a str>`.
fn is_of<F>(krate: &str) -> bool {
    type_name::<F>().strip_prefix(krate).is_some_and(|rest| rest.starts_with("::"))
}

pin_project! {
    /// The future that the user's function made, or the client's own future of a traced call.
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
