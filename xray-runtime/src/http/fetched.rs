//! Functions of a client that make a request themselves, such as `reqwest::get(url)`.
//!
//! Such a function is recognized by the type of its result. It gives no access to its request, so a traced call does
//! not call the function. It builds an equal request with the client's public types, adds the headers, and sends it.

use super::call_parent::CallParent;
use super::deferred_call::Sent;
use super::read_response::ReadResponse;

/// The output of an asynchronous function such as `reqwest::get`, whose argument is a URL of type `T`.
pub trait AsyncFetch<T>: ReadResponse + Sized {
    /// The name of the client's crate.
    const CRATE: &str;
    /// The client's own future.
    type Future: Future<Output = Self>;

    /// Makes the request that the function would make, as a call below `parent`.
    fn fetch(url: T, parent: CallParent) -> Sent<Self::Future>;
}

/// The result of a blocking function such as `reqwest::blocking::get`, whose argument is a URL of type `T`.
pub trait BlockingFetch<T> {
    /// The name of the client's crate.
    const CRATE: &str;

    /// Makes the request that the function would make, as a call below `parent`.
    fn fetch(url: T, parent: CallParent) -> Self;
}
