//! The part of a recorder that begins segments: it gives them their names and decides whether they are recorded.

use super::Recorder;
use crate::document::name::legal_name;
use crate::id::TraceId;
use crate::sampling::{Decision, Sampler, SamplingRequest};
use crate::support::log_line::{is_debug_read, log_line};

/// The settings for segments that begin.
pub(super) struct NewSegments {
    pub(super) service_name: String,
    pub(super) sampler: Box<dyn Sampler>,
}

impl Recorder {
    /// Returns a legal name for a segment: `name` without illegal characters, or the service's name if nothing is left.
    pub(crate) fn segment_name(&self, name: &str) -> String {
        let legal = legal_name(name).unwrap_or_else(|| self.shared.new_segments.service_name.clone());
        self.report_name(name, &legal);
        legal
    }

    /// Asks the sampler about a segment. The type of the service is added to the request if the origin is known.
    pub(crate) fn decide(&self, request: &SamplingRequest<'_>) -> Decision {
        let sampler = &self.shared.new_segments.sampler;
        // Until a detector has found the origin the type is unknown, and an unknown value matches every rule. A segment
        // does not wait for the detectors: they ask metadata services over HTTP.
        match self.shared.origin.get() {
            Some(origin) => sampler.sample(&request.with_service_type(origin.name())),
            None => sampler.sample(request),
        }
    }

    /// Logs at the level `Debug` why a segment is not recorded. `by` returns the reason.
    #[inline]
    pub(crate) fn log_unsampled(&self, name: &str, trace: TraceId, by: impl FnOnce() -> String) {
        if is_debug_read() && !self.is_capture() {
            log_line!(Debug, "xray::segment", "segment `{name}` of trace {trace}: not sampled {}", by());
        }
    }
}
