//! What is asked about a receiver that may be a client: `client.get(url)`. It stays where it is.

use super::{Ask, Never, Nothing, Other, Twin};
use crate::http::{CallSite, Traceable, methods};

/// A receiver that is only looked at.
#[derive(Debug)]
pub struct Asked<'a, T: ?Sized>(pub &'a T);

/// For a client: found first.
impl<'a, T> Asked<'a, T>
where
    &'a T: Traceable<methods::get>,
{
    #[must_use]
    pub fn __xray_client(self, site: CallSite) -> Ask<Twin<<&'a T as Traceable<methods::get>>::Traced>, Never> {
        Ask::known(self.0.traced(site))
    }
}

/// For anything.
pub trait NoClient {
    fn __xray_client(self, site: CallSite) -> Ask<Nothing, Other>;
}

impl<T: ?Sized> NoClient for Asked<'_, T> {
    fn __xray_client(self, site: CallSite) -> Ask<Nothing, Other> {
        Ask::unknown(site)
    }
}
