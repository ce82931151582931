//! Parameters of an operation, read from the request's body.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use super::error::ApiError;

/// The parameters of an operation. The body is read as JSON whatever its `Content-Type` says; an empty body counts as
/// an empty object.
pub(super) struct Input<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| ApiError::invalid(error.to_string()))?;
        let bytes = if bytes.trim_ascii().is_empty() { &b"{}"[..] } else { &bytes };
        let mut json = serde_json::Deserializer::from_slice(bytes);
        // The path names the field in the message, such as `TraceIds[0]`.
        let parameters = serde_path_to_error::deserialize(&mut json);
        let parameters = parameters.map_err(|error| ApiError::invalid(error.to_string()))?;
        json.end().map_err(|error| ApiError::invalid(error.to_string()))?;
        Ok(Self(parameters))
    }
}
