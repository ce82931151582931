//! What is asked about a function that may make a request by itself: `reqwest::get(url)`.
//!
//! What it gives says whether it is a client's; a function of the user's own that has the same path passes.

use std::any::type_name;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::http::{CallParent, CallSite, DeferredCall, FetchedLater, FetchedNow, ReadResponse, Sent, Start};

/// A function of one argument, by what it takes and gives.
pub struct Callee<T, R>(PhantomData<fn(T) -> R>);

impl<T, R> Callee<T, R> {
    #[must_use]
    pub fn of(_: &impl FnOnce(T) -> R) -> Self {
        Self(PhantomData)
    }
}

/// For an asynchronous function of a client: found first.
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

/// For a function of a client that blocks.
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

/// For any function: one reference further.
pub trait Unknown {
    fn __xray_open<F>(&self, function: F, site: CallSite) -> F;
}

impl<T, R> Unknown for Callee<T, R> {
    fn __xray_open<F>(&self, function: F, site: CallSite) -> F {
        site.note_unknown();
        function
    }
}

/// The call of a function, yet to be made.
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

/// Whether a function is one of a crate: a wrapper of the user's own may give the same.
fn is_of<F>(krate: &str) -> bool {
    type_name::<F>().strip_prefix(krate).is_some_and(|rest| rest.starts_with("::"))
}

pin_project! {
    /// The future of a client's function, or what stands in for it.
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
