//! The question about a receiver that may be a client: `client.get(url)`.

use super::{Ask, Never, Nothing, Other, Twin};
use crate::http::{CallSite, Traceable, methods};

/// The question about a client, which stays where it is: `get(&self)` does not move it.
#[derive(Debug)]
pub struct Asked<'a, T: ?Sized>(pub &'a T);

/// The answer for a client. An inherent method is found first.
impl<'a, T> Asked<'a, T>
where
    &'a T: Traceable<methods::get>,
{
    #[must_use]
    pub fn __xray_client(self, site: CallSite) -> Ask<Twin<<&'a T as Traceable<methods::get>>::Traced>, Never> {
        Ask::known(self.0.traced(site))
    }
}

/// The answer for any other type: a map, for instance.
pub trait NoClient {
    fn __xray_client(self, site: CallSite) -> Ask<Nothing, Other>;
}

impl<T: ?Sized> NoClient for Asked<'_, T> {
    fn __xray_client(self, site: CallSite) -> Ask<Nothing, Other> {
        Ask::unknown::<T>(site)
    }
}
