//! Responses in JSON.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A response whose body is a value in JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        // serde_json fails on maps whose keys are not strings and on failing `Serialize` impls. The API's types have
        // neither; a number that JSON does not have, such as NaN, becomes null.
        let body = serde_json::to_vec(&self.0).expect("the API's types serialize");
        ([(CONTENT_TYPE, "application/json")], body).into_response()
    }
}
