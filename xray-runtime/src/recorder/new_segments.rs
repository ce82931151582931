//! The part of a recorder that begins segments: it gives them their names and decides whether they are recorded.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use super::Recorder;
use crate::document::name::legal_name;
use crate::header::trace_header::TraceHeader;
use crate::id::TraceId;
use crate::sampling::{CallerRules, Decision, Never, Sampler, SamplerHost, SamplingRequest, Watch};
use crate::support::guard::guard;
use crate::support::log_line::{LoggedOnce, is_debug_read, log_line};

/// The settings for segments that begin.
pub(super) struct NewSegments {
    sampler: Box<dyn Sampler>,
    /// The rules by which callers decide.
    pub(super) caller_rules: CallerRules,
    /// Limits the log line about a panic of the sampler to one.
    logged_panic: LoggedOnce,
}

impl NewSegments {
    pub(super) fn new(sampler: Box<dyn Sampler>) -> Self {
        Self { sampler, caller_rules: CallerRules::default(), logged_panic: LoggedOnce::new() }
    }

    /// Calls the sampler's `attach` with the parts of the recorder that samplers use. `name` is the name of the
    /// sampler's type.
    pub(super) fn attach(&self, host: &SamplerHost, name: &str) {
        if guard(|| self.sampler.attach(host)).is_none() {
            log_line!(Error, "xray::sampling", "the method `attach` of the sampler `{name}` panicked");
        }
    }
}

/// Drops the sampler of the program so that a panic in its destructor does not reach the code that drops the recorder.
impl Drop for NewSegments {
    fn drop(&mut self) {
        let sampler = mem::replace(&mut self.sampler, Box::new(Never));
        guard(|| drop(sampler));
    }
}

impl Recorder {
    /// Returns a legal name for a segment: `name` without illegal characters, or the service's name if nothing is left.
    pub(crate) fn segment_name(&self, name: &str) -> String {
        let legal = legal_name(name).map_or_else(|| self.shared.settings.service_name.value.clone(), Cow::into_owned);
        self.report_name(name, &legal);
        legal
    }

    /// Asks the sampler about a segment. The type of the service is added to the request if the origin is known. If the
    /// sampler panics, the segment is not recorded.
    pub(crate) fn decide(&self, request: &SamplingRequest<'_>) -> Decision {
        let sampler = &self.shared.new_segments.sampler;
        // Until a detector has found the origin the type is unknown, and an unknown value matches every rule. A segment
        // does not wait for the detectors: they ask metadata services over HTTP.
        let decision = guard(|| match self.shared.origin.get() {
            Some(origin) => sampler.sample(&request.with_service_type(origin.name())),
            None => sampler.sample(request),
        });
        decision.unwrap_or_else(|| self.sampler_panicked())
    }

    /// Counts a segment that begins.
    pub(crate) fn count_segment(&self, sampled: bool) {
        let counters = &self.shared.counters;
        if sampled { &counters.segments_sampled } else { &counters.segments_unsampled }.increment();
    }

    /// Returns the watch for a trace that the rule of a caller decided about.
    pub(crate) fn watch_of_caller(&self, header: &TraceHeader, service_name: &str) -> Option<Arc<Watch>> {
        self.shared.new_segments.caller_rules.watch(header.rule()?, header.root?, service_name)
    }

    /// Counts a panic of the sampler, and logs the first.
    #[cold]
    fn sampler_panicked(&self) -> Decision {
        self.shared.counters.sampling_failures.increment();
        if self.shared.new_segments.logged_panic.is_first() {
            log_line!(
                Error,
                "xray::sampling",
                "the sampler `{}` panicked, and the segment is not recorded. Further panics are counted in \
                 `Stats::sampling_failures` (logged once)",
                self.sampler_name(),
            );
        }
        Decision::not_sampled()
    }

    /// Logs at the level `Debug` why a segment is not recorded. If that level is off, logs the first such segment of
    /// the process at the level `Info`. `by` returns the reason.
    #[inline]
    pub(crate) fn log_unsampled(&self, name: &str, trace: TraceId, by: impl FnOnce() -> String) {
        static LOGGED: LoggedOnce = LoggedOnce::new();
        if self.is_capture() {
            return;
        }
        if is_debug_read() {
            log_line!(Debug, "xray::segment", "segment `{name}` of trace {trace}: not sampled {}", by());
        } else if log::Level::Info <= log::max_level() && LOGGED.is_first() {
            log_line!(
                Info,
                "xray::segment",
                "segment `{name}` of trace {trace}: not sampled {}, so it is not recorded (logged once; at the level `debug` \
                 a line for each segment names the rule)",
                by(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emitter::MemoryEmitter;
    use crate::live::segment::Segment;
    use crate::sampling::Always;

    #[test]
    fn segments_are_counted_by_their_sampling_decision() {
        let recorder = Recorder::builder().sampler(Always).emitter(MemoryEmitter::new()).build();
        for header in ["Sampled=1", "", "Sampled=0"] {
            let segment = Segment::builder("s").recorder(&recorder).trace_header(&TraceHeader::parse(header));
            segment.begin().end();
        }
        let stats = recorder.stats();
        assert_eq!((stats.segments_sampled, stats.segments_unsampled), (2, 1));
    }
}
