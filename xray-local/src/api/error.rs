//! Error responses in the form of X-Ray's.

use std::time::Duration;

use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::json::Json;
use crate::rules::RuleError;

/// An error response: a status, the error's type in `x-amzn-ErrorType`, and a `Message`.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl ApiError {
    /// X-Ray's error type for nearly all invalid requests.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: "InvalidRequestException", message: message.into() }
    }

    pub(crate) fn refused(message: String) -> Self {
        Self { status: StatusCode::FORBIDDEN, kind: "AccessDeniedException", message }
    }

    pub(crate) fn unknown(method: &Method, uri: &Uri) -> Self {
        let message = format!("there is no page and no operation at {method} {}", uri.path());
        Self { status: StatusCode::NOT_FOUND, kind: "UnknownOperationException", message }
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than {limit} bytes");
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, kind: "RequestEntityTooLargeException", message }
    }

    pub(crate) fn throttled(message: &str) -> Self {
        Self { status: StatusCode::TOO_MANY_REQUESTS, kind: "ThrottledException", message: message.to_owned() }
    }

    pub(crate) fn too_slow(limit: Duration) -> Self {
        let message = format!("the body did not arrive within {} seconds", limit.as_secs());
        Self { status: StatusCode::REQUEST_TIMEOUT, kind: "RequestTimeoutException", message }
    }

    fn failed(message: String) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, kind: "InternalFailureException", message }
    }
}

impl From<RuleError> for ApiError {
    fn from(error: RuleError) -> Self {
        let message = error.to_string();
        match error {
            RuleError::Invalid(_) => Self::invalid(message),
            RuleError::LimitExceeded => Self { kind: "RuleLimitExceededException", ..Self::invalid(message) },
            RuleError::File(_) => Self::failed(message),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, [("x-amzn-errortype", self.kind)], Json(json!({ "Message": self.message }))).into_response()
    }
}
