//! Functions of a client that make the request themselves, by what they give: `reqwest::get(url)`.

use super::call::CallParent;
use super::deferred_call::Sent;
use super::read_response::ReadResponse;

/// What such a function gives later, and how the same is asked for with a header.
pub trait FetchedLater<T>: ReadResponse + Sized {
    /// The client's crate.
    const CRATE: &str;
    /// The client's own future.
    type Future: Future<Output = Self>;

    /// Does what the function does, as a call that is recorded.
    fn fetch(url: T, parent: CallParent) -> Sent<Self::Future>;
}

/// What such a function gives at once, and how the same is asked for with a header.
pub trait FetchedNow<T> {
    /// The client's crate.
    const CRATE: &str;

    /// Does what the function does, as a call that is recorded.
    fn fetch(url: T, parent: CallParent) -> Self;
}
