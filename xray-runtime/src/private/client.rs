//! The type test of a receiver that may be a client: `client.get(url)`. See [`private`](super).

use super::{Dispatch, Twin, UnreachableTwinWith, UnreachableUntraced, Untraced};
use crate::http::{CallSite, Traceable, methods};

/// The receiver of the type test. It borrows the client, as the client's method `get(&self)` does.
#[derive(Debug)]
pub struct Client<'a, T: ?Sized>(pub &'a T);

/// Selected for a client. An inherent method takes precedence over the trait method below.
impl<'a, T> Client<'a, T>
where
    &'a T: Traceable<methods::get>,
{
    #[must_use]
    pub fn __xray_dispatch(
        self,
        site: impl Into<CallSite>,
    ) -> Dispatch<Twin<<&'a T as Traceable<methods::get>>::Traced>, UnreachableUntraced> {
        Dispatch::traced(self.0.traced(site.into()))
    }
}

/// The fallback, selected for any other type, such as a map.
pub trait UnknownClient {
    fn __xray_dispatch(self, site: impl Into<CallSite>) -> Dispatch<UnreachableTwinWith, Untraced>;
}

impl<T: ?Sized> UnknownClient for Client<'_, T> {
    fn __xray_dispatch(self, site: impl Into<CallSite>) -> Dispatch<UnreachableTwinWith, Untraced> {
        Dispatch::untraced::<T>(site.into())
    }
}
