//! The head of an actix-web request, which uses the types of http 0.2.

use std::net::SocketAddr;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderValue;
use actix_web::http::uri::Authority;

use crate::integrations::incoming::IncomingRequest;

impl IncomingRequest for ServiceRequest {
    fn method(&self) -> &str {
        self.method().as_str()
    }

    fn scheme(&self) -> Option<&str> {
        self.uri().scheme_str()
    }

    fn authority(&self) -> Option<&str> {
        self.uri().authority().map(Authority::as_str)
    }

    fn path(&self) -> &str {
        self.uri().path()
    }

    fn headers<'a>(&'a self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        self.headers().get_all(name).map(HeaderValue::as_bytes)
    }

    fn peer(&self) -> Option<SocketAddr> {
        self.peer_addr()
    }
}
