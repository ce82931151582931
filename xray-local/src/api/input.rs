//! Parameters of an operation, read from the request's body.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::task::spawn_blocking;

use super::MAX_QUERY_BYTES;
use super::error::ApiError;

/// The parameters of an operation. The body is read as JSON whatever its `Content-Type` says; an empty body counts as
/// an empty object.
pub(super) struct Input<T>(pub(super) T);

/// The longest body that is parsed on the thread of its connection.
const MAX_QUICK: usize = 64 * 1024;

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(MAX_QUERY_BYTES),
            _ => ApiError::invalid(error.to_string()),
        })?;
        if bytes.len() <= MAX_QUICK {
            return parse(&bytes).map(Self);
        }
        let parsed = spawn_blocking(move || parse(&bytes)).await;
        parsed.map_err(|_| ApiError::invalid("the body cannot be read"))?.map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    // `serde_json` would also read the members from an array.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        let error = serde_json::from_slice::<IgnoredAny>(bytes).err();
        let error = error.map_or_else(|| "the body must be a JSON object".to_owned(), |error| error.to_string());
        return Err(ApiError::invalid(error));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    // The path names the field in the message, such as `TraceIds[0]`.
    let parameters = serde_path_to_error::deserialize(&mut json);
    let parameters = parameters.map_err(|error| ApiError::invalid(error.to_string()))?;
    json.end().map_err(|error| ApiError::invalid(error.to_string()))?;
    Ok(parameters)
}
