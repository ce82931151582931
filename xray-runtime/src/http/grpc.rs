//! Recognizes gRPC calls by their headers and records their status. (gRPC over HTTP/2.)

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};

use crate::live::context::Context;
use crate::live::grpc::UNKNOWN;
use crate::support::percent;

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Records the status in the head of a response or in its trailers. Returns `false` if they have no status.
pub(crate) fn note_status(headers: &HeaderMap, context: &Context) -> bool {
    let Some(status) = headers.get(STATUS) else { return false };
    // A value other than a number counts as `UNKNOWN`, as in tonic and grpc-go.
    let code = status.to_str().ok().and_then(|status| status.parse().ok()).unwrap_or(UNKNOWN);
    // An invalid escape stays. (gRPC over HTTP/2, "Responses".)
    let message = headers.get(MESSAGE).map(|message| percent::decoded(message.as_bytes()));
    context.set_grpc_status(code, message.as_deref().unwrap_or_default());
    true
}

/// Returns whether the headers belong to a gRPC request or response.
// Accepts `application/grpc`, `application/grpc+proto` and the like, with or without parameters. Refuses
// `application/grpc-web`, because its trailers are in the body.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let rest = content_type.strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_tells_grpc_from_grpc_web() {
        for (value, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc; charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/json", false),
        ] {
            assert_eq!(is_grpc(&[(CONTENT_TYPE, value.parse().unwrap())].into_iter().collect()), expected, "{value}");
        }
        assert!(!is_grpc(&HeaderMap::new()));
    }
}
