//! The open segment of a request.

#[cfg(feature = "tower")]
use http::HeaderMap;
use http::StatusCode;

#[cfg(feature = "tower")]
use crate::integrations::grpc::GrpcCall;
use crate::live::context::{self, Context};
use crate::live::segment::Segment;

/// The open segment of a request. A segment that is dropped before it is [complete](Self::complete) is marked as
/// cancelled.
pub(crate) struct Serving {
    segment: Segment,
    /// `true` if the caller asked for this service's sampling decision (`Sampled=?`).
    wants_decision: bool,
    /// The responses that have a body.
    bodies: Bodies,
    /// `None` if the request is not a gRPC call or not recorded, or if its status is recorded.
    #[cfg(feature = "tower")]
    grpc: Option<GrpcCall>,
    is_complete: bool,
}

/// The responses to a request that have a body.
#[derive(Clone, Copy, PartialEq)]
enum Bodies {
    All,
    /// Responses without a status of 2xx: the request is a `CONNECT`.
    OfFailures,
    /// No response: the request is a `HEAD`.
    None,
}

impl Bodies {
    fn of(method: &str) -> Self {
        match method {
            "HEAD" => Self::None,
            "CONNECT" => Self::OfFailures,
            _ => Self::All,
        }
    }
}

impl Serving {
    pub(super) fn new(segment: Segment, wants_decision: bool, method: &str) -> Self {
        Self {
            segment,
            wants_decision,
            bodies: Bodies::of(method),
            #[cfg(feature = "tower")]
            grpc: None,
            is_complete: false,
        }
    }

    /// Returns a handle to the segment.
    pub(crate) fn context(&self) -> &Context {
        &self.segment
    }

    /// Marks the request as served, so that the end of the segment does not count as a cancellation.
    pub(crate) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Runs a closure in the segment. A panic in it is recorded and continues to unwind.
    pub(crate) fn run<T>(&mut self, run: impl FnOnce() -> T) -> T {
        let _entered = self.segment.enter();
        context::observe_panic(run, |message| {
            self.segment.record_panic(message);
            self.is_complete = true;
        })
    }

    /// Records the head of the response. If the caller asked for the sampling decision, returns the value of the
    /// response's trace header.
    pub(crate) fn respond(&self, status: u16, content_length: Option<u64>) -> Option<String> {
        self.segment.set_http_response(status, content_length);
        let root = self.segment.trace_id().filter(|_| self.wants_decision)?;
        Some(format!("Root={root};Sampled={}", u8::from(self.segment.is_sampled())))
    }

    /// Returns whether a server sends no body with this status, even if the handler returned a body. (RFC 9110, section
    /// 6.4.1.)
    pub(crate) fn is_without_body(&self, status: u16) -> bool {
        self.bodies == Bodies::None
            || self.bodies == Bodies::OfFailures && (200..300).contains(&status)
            || (100..200).contains(&status)
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED
    }
}

/// Methods for gRPC calls, whose outcome is the gRPC status instead of the HTTP status.
#[cfg(feature = "tower")]
impl Serving {
    /// Reads the headers of a request that may be a gRPC call.
    pub(crate) fn expect_grpc(&mut self, request: &HeaderMap) {
        if self.segment.takes_errors() {
            self.grpc = GrpcCall::of_request(request);
        }
    }

    /// Records the status of a gRPC call if the head of the response contains it.
    pub(crate) fn note_grpc_head(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.grpc = self.grpc.take().and_then(|grpc| grpc.respond(status, headers, &self.segment));
    }

    /// Returns whether the trailers of the response will have the status of a gRPC call.
    pub(crate) fn expects_trailers(&self) -> bool {
        self.grpc.is_some()
    }

    /// Records the status of a gRPC call at the end of the response.
    pub(crate) fn note_end(&mut self, trailers: Option<&HeaderMap>) {
        if self.grpc.take().is_some() {
            GrpcCall::ended(trailers, &self.segment);
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if self.is_complete {
            return;
        }
        #[cfg(feature = "tower")]
        if self.grpc.as_ref().is_some_and(|grpc| grpc.note_deadline(&self.segment)) {
            return;
        }
        self.segment.mark_cancelled();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::capture_blocking;

    #[test]
    fn the_method_and_the_status_tell_whether_a_response_has_a_body() {
        for (method, without_body) in [
            ("GET", &[101, 204, 304][..]),
            ("HEAD", &[101, 200, 204, 299, 300, 304, 404]),
            ("CONNECT", &[101, 200, 204, 299, 304]),
        ] {
            let (segment, _) = capture_blocking(|| Segment::builder("shop").begin());
            let serving = Serving::new(segment, false, method);
            let statuses = [101, 200, 204, 299, 300, 304, 404].into_iter();
            let found: Vec<_> = statuses.filter(|status| serving.is_without_body(*status)).collect();
            assert_eq!(found, without_body, "{method}");
        }
    }
}
