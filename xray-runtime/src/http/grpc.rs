//! Recognizes gRPC calls by their headers and records their status. (gRPC over HTTP/2.)

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};

use crate::live::context::Context;
use crate::live::grpc::UNKNOWN;

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// Records the status in the head of a response or in its trailers. Returns `false` if they have no status.
pub(crate) fn note_status(headers: &HeaderMap, context: &Context) -> bool {
    let Some(status) = headers.get(STATUS) else { return false };
    // A value other than a number counts as `UNKNOWN`, as in tonic and grpc-go.
    let code = status.to_str().ok().and_then(|status| status.parse().ok()).unwrap_or(UNKNOWN);
    let message = headers.get(MESSAGE).map(|message| percent_decoded(message.as_bytes()));
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

/// Decodes a status message. Keeps an invalid escape unchanged. (gRPC over HTTP/2, "Responses".)
fn percent_decoded(message: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(message.len());
    let mut rest = message;
    while let [first, after @ ..] = rest {
        let escaped = (*first == b'%').then(|| after.split_at_checked(2)).flatten();
        let byte = escaped.and_then(|(digits, _)| decoded_byte(digits));
        decoded.push(byte.unwrap_or(*first));
        rest = byte.map_or(after, |_| &after[2..]);
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Returns the byte that two hexadecimal digits encode.
fn decoded_byte(digits: &[u8]) -> Option<u8> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let [high, low] = digits else { return None };
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
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

    #[test]
    fn a_message_is_percent_encoded() {
        for (encoded, decoded) in [
            ("plain", "plain"),
            ("no todo%3A %C3%A9", "no todo: \u{e9}"),
            ("100%", "100%"),
            ("100%2", "100%2"),
            ("%+1", "%+1"),
            ("%zz%41", "%zzA"),
            ("%\u{20ac}%41", "%\u{20ac}A"),
            ("%FF", "\u{fffd}"),
        ] {
            assert_eq!(percent_decoded(encoded.as_bytes()), decoded, "{encoded}");
        }
    }
}
