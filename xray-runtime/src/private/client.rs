//! What is asked about a receiver that may be a client: `client.get(url)`. It stays where it is.

use super::{Ask, Never, Other};
use crate::http::{Site, Traceable, methods};

/// A receiver that is only looked at.
#[derive(Debug)]
pub struct Asked<'a, T: ?Sized>(pub &'a T);

/// For a client: found first.
pub trait IsClient<'a, T> {
    fn __xray_client(&self) -> Ask<Client<'a, T>, Never>;
}

impl<'a, T> IsClient<'a, T> for Asked<'a, T>
where
    &'a T: Traceable<methods::get>,
{
    fn __xray_client(&self) -> Ask<Client<'a, T>, Never> {
        Ask::Yes(Client(self.0))
    }
}

/// For anything: one reference further.
pub trait NoClient {
    fn __xray_client(&self) -> Ask<Never, Other>;
}

impl<T: ?Sized> NoClient for &Asked<'_, T> {
    fn __xray_client(&self) -> Ask<Never, Other> {
        Ask::No(Other)
    }
}

/// A client where it is.
#[derive(Debug)]
pub struct Client<'a, T>(&'a T);

impl<'a, T> Client<'a, T>
where
    &'a T: Traceable<methods::get>,
{
    #[must_use]
    pub fn alive(self) -> Self {
        self
    }

    #[must_use]
    pub fn open(self, site: Site) -> <&'a T as Traceable<methods::get>>::Traced {
        self.0.traced(site)
    }
}
