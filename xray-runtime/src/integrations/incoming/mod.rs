//! Shared code of the integrations for servers: the segment of an incoming request.

mod request;
mod serving;
mod settings;

#[cfg(feature = "actix-web")]
pub(super) use self::request::IncomingRequest;
pub(super) use self::serving::Serving;
pub(super) use self::settings::{Name, Settings};
