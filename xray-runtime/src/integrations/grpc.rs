//! The status and the deadline of a gRPC call. (gRPC over HTTP/2.)

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, StatusCode};

use crate::http::grpc::{is_grpc, note_status};
use crate::live::context::Context;
use crate::live::grpc::{DEADLINE_EXCEEDED, UNKNOWN};

const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// A gRPC call whose status is not known yet.
#[derive(Debug)]
pub(super) struct GrpcCall {
    /// A call that is dropped from this time on counts as one whose deadline has passed. `None` if the call has no
    /// deadline.
    deadline: Option<Instant>,
}

impl GrpcCall {
    /// Reads the headers of a request. Returns `None` if the request is not a gRPC call.
    pub(super) fn of_request(headers: &HeaderMap) -> Option<Self> {
        // The caller's clock starts when it sends the request, so the caller gives up slightly before the deadline of
        // this side's clock. Therefore the deadline is at 90 % of the time.
        let deadline = || Instant::now().checked_add(timeout(headers)?.mul_f64(0.9));
        is_grpc(headers).then(|| Self { deadline: deadline() })
    }

    /// Records the head of a response. Returns the call if the trailers will have its status.
    pub(super) fn respond(self, status: StatusCode, headers: &HeaderMap, context: &Context) -> Option<Self> {
        // A call that fails before its first message has its status in the head. (gRPC over HTTP/2, "Trailers-Only".)
        // An HTTP status other than 200, or another content type, comes from a proxy without support for gRPC.
        let is_over = note_status(headers, context) || status != StatusCode::OK || !is_grpc(headers);
        (!is_over).then_some(self)
    }

    /// Records the end of the response. The status is in the trailers, or `UNKNOWN` without trailers.
    pub(super) fn ended(trailers: Option<&HeaderMap>, context: &Context) {
        if !trailers.is_some_and(|trailers| note_status(trailers, context)) {
            context.set_grpc_status(UNKNOWN, "the response ended without a `grpc-status`");
        }
    }

    /// Records the status `DEADLINE_EXCEEDED` for a call that was dropped before its status was known. Records nothing
    /// and returns `false` if the deadline has not passed, because the call was then cancelled for another reason.
    //
    // Clients and servers of gRPC drop a call at its deadline, and when the other side has gone. Only the clock tells
    // the two cases apart.
    pub(super) fn note_deadline(&self, context: &Context) -> bool {
        let has_passed = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if has_passed {
            context.set_grpc_status(DEADLINE_EXCEEDED, "the deadline of the call has passed");
        }
        has_passed
    }
}

/// Returns the time limit of a call: up to eight digits and a unit. (gRPC over HTTP/2, "Requests".)
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        [(name, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_timeout_has_up_to_eight_digits_and_a_unit() {
        for (value, expected) in [
            ("1H", Some(Duration::from_secs(3600))),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("3S", Some(Duration::from_secs(3))),
            ("50m", Some(Duration::from_millis(50))),
            ("7u", Some(Duration::from_micros(7))),
            ("9n", Some(Duration::from_nanos(9))),
            ("123456789S", None),
            ("S", None),
            ("", None),
            ("5", None),
            ("5x", None),
            ("-5S", None),
        ] {
            assert_eq!(timeout(&headers(TIMEOUT, value)), expected, "{value}");
        }
        let mut not_text = HeaderMap::new();
        not_text.insert(TIMEOUT, http::HeaderValue::from_bytes(b"5\xc3\xa9").unwrap());
        assert_eq!(timeout(&not_text), None);
    }
}
