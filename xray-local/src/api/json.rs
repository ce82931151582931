//! Responses in JSON.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse;
use serde::Serialize;

/// A response whose body is a value in JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> axum::response::Response {
        response(&self.0).map(Body::from)
    }
}

/// Writes a value as a response.
pub(super) fn response(value: &impl Serialize) -> Response<Vec<u8>> {
    // serde_json fails on maps whose keys are not strings and on failing `Serialize` impls. The API's types have
    // neither; a number that JSON does not have, such as NaN, becomes null.
    let body = serde_json::to_vec(value).expect("the API's types serialize");
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
