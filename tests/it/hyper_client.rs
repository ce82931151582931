//! The client of hyper-util, which several tests send with.

use http::Request;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

pub(crate) type Body = Full<Bytes>;
pub(crate) type Client = legacy::Client<HttpConnector, Body>;

/// Creates a client.
pub(crate) fn client() -> Client {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

/// Builds a GET request without a body.
pub(crate) fn request(url: &str) -> Request<Body> {
    Request::builder().uri(url).body(Body::default()).unwrap()
}
