//! Error responses in the form of X-Ray's.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::json;

use super::json;
use crate::account::AccountError;
use crate::bounded::TooMany;
use crate::jobs::Busy;
use crate::rules::RuleError;

/// The longest message, in characters.
const MAX_CHARS: usize = 1_000;

/// The message of an error response. It is stored in the extensions of the response.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(pub(crate) String);

/// An error response: a status, the error's type in `x-amzn-ErrorType`, and a `Message`.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
    /// The resource that the error is about.
    resource: Option<String>,
}

/// Returns the response to an operation. Writing a large value takes long, so it belongs to the work of a
/// [job](crate::jobs).
pub(super) fn answer<T: Serialize>(result: Result<T, ApiError>) -> Response<Vec<u8>> {
    match result {
        Ok(value) => json::response(&value),
        Err(error) => error.response(),
    }
}

impl ApiError {
    /// X-Ray's error type for nearly all invalid requests.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "InvalidRequestException",
            message: message.into(),
            resource: None,
        }
    }

    pub(super) fn unknown_token(token: &str) -> Self {
        Self::invalid(format!("NextToken: {token:?} is not a token from an earlier response"))
    }

    pub(crate) fn refused(message: String) -> Self {
        Self { status: StatusCode::FORBIDDEN, kind: "AccessDeniedException", ..Self::invalid(message) }
    }

    pub(crate) fn unknown(method: &Method, uri: &Uri) -> Self {
        let message = format!("there is no page and no operation at {method} {}", uri.path());
        Self { status: StatusCode::NOT_FOUND, kind: "UnknownOperationException", ..Self::invalid(message) }
    }

    pub(crate) fn not_found(message: String, resource: Option<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, kind: "ResourceNotFoundException", resource, ..Self::invalid(message) }
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than {limit} bytes");
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, kind: "RequestEntityTooLargeException", ..Self::invalid(message) }
    }

    pub(crate) fn throttled(message: &str) -> Self {
        Self { status: StatusCode::TOO_MANY_REQUESTS, kind: "ThrottledException", ..Self::invalid(message) }
    }

    pub(crate) fn too_slow(limit: Duration) -> Self {
        let message = format!("the body did not arrive within {} seconds", limit.as_secs());
        Self { status: StatusCode::REQUEST_TIMEOUT, kind: "RequestTimeoutException", ..Self::invalid(message) }
    }

    /// Returns the response. A message may quote the request, so it is cut.
    pub(super) fn response(mut self) -> Response<Vec<u8>> {
        if let Some((end, _)) = self.message.char_indices().nth(MAX_CHARS) {
            self.message.truncate(end);
            self.message.push_str("..");
        }
        let mut body = json!({ "Message": self.message });
        if let Some(resource) = self.resource {
            body["ResourceName"] = resource.into();
        }
        let mut response = json::response(&body);
        *response.status_mut() = self.status;
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(self.kind));
        response.extensions_mut().insert(Refusal(self.message));
        response
    }

    fn failed(message: String) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, kind: "InternalFailureException", ..Self::invalid(message) }
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

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let message = error.to_string();
        let kind = match error {
            AccountError::Invalid(_) => "InvalidRequestException",
            AccountError::NotFound(_) => return Self::not_found(message, None),
            AccountError::TooManyTags => "TooManyTagsException",
            AccountError::MalformedPolicy(_) => "MalformedPolicyDocumentException",
            AccountError::PolicyTooLarge => "PolicySizeLimitExceededException",
            AccountError::TooManyPolicies => "PolicyCountLimitExceededException",
            AccountError::WrongRevision(_) => "InvalidPolicyRevisionIdException",
        };
        Self { kind, ..Self::invalid(message) }
    }
}

impl From<TooMany> for ApiError {
    fn from(error: TooMany) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<Busy> for ApiError {
    fn from(busy: Busy) -> Self {
        Self::throttled(busy.message())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> axum::response::Response {
        self.response().map(Body::from)
    }
}
