//! What goes in and out: JSON in the API's names.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// The parameters of an operation, whatever their `Content-Type`; none is an empty object.
pub(super) struct Input<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| ApiError::invalid(error.to_string()))?;
        let bytes = if bytes.trim_ascii().is_empty() { &b"{}"[..] } else { &bytes };
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let parameters = serde_path_to_error::deserialize(&mut json);
        let parameters = parameters.map_err(|error| ApiError::invalid(error.to_string()))?;
        json.end().map_err(|error| ApiError::invalid(error.to_string()))?;
        Ok(Self(parameters))
    }
}

/// An answer.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).expect("maps with text as keys, and numbers that are none become null");
        ([(CONTENT_TYPE, "application/json")], body).into_response()
    }
}
