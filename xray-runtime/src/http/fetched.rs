//! The free functions of a client that make a request, such as `reqwest::get(url)`.
//!
//! Such a function is recognised by its result type. Its request is not accessible, so a traced call builds the same
//! request with the client's public types and adds the headers.

use super::call_parent::CallParent;
use super::deferred_call::Sent;
use super::read_response::ReadResponse;

/// The output of an asynchronous function such as `reqwest::get`, whose argument is a URL of type `T`.
pub trait FetchedLater<T>: ReadResponse + Sized {
    /// The name of the client's crate.
    const CRATE: &str;
    /// The client's own future.
    type Future: Future<Output = Self>;

    /// Makes the request that the function would make, as a call below `parent`.
    fn fetch(url: T, parent: CallParent) -> Sent<Self::Future>;
}

/// The result of a blocking function such as `reqwest::blocking::get`, whose argument is a URL of type `T`.
pub trait FetchedNow<T> {
    /// The name of the client's crate.
    const CRATE: &str;

    /// Makes the request that the function would make, as a call below `parent`.
    fn fetch(url: T, parent: CallParent) -> Self;
}
