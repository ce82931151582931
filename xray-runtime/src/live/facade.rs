//! Facades: stand-ins in the function's process for segments that Lambda sends.

use std::env;
use std::fs::{self, File};
use std::io::{self, ErrorKind::AlreadyExists};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::header::trace_header::{Sampled, TraceHeader};
use crate::header::trust::Trust;
use crate::id::{SegmentId, TraceId};
use crate::live::context::Context;
use crate::live::entity::Entity;
use crate::live::missing;
use crate::live::trace::Trace;
use crate::recorder::Recorder;
use crate::support::log_line::log_line;

/// The variable in which Lambda passes the trace header, while it runs one invocation at a time.
const TRACE_HEADER_VARIABLE: &str = "_X_AMZN_TRACE_ID";

/// Returns the facade of the segment that `value` names. If the header names no trace, the result has no segment.
pub(crate) fn of(recorder: &Recorder, value: &str) -> Context {
    of_header(recorder, value, &TraceHeader::parse(value))
}

/// Returns the facade of the segment that `header` names. `value` is its text.
fn of_header(recorder: &Recorder, value: &str, header: &TraceHeader) -> Context {
    if !recorder.is_enabled() {
        return Context::default();
    }
    recorder.log_settings_once();
    if recorder.is_in_lambda() {
        announce();
    }
    if header.root.is_none() {
        return Context::of_recorder(recorder.clone());
    }
    let id = header.parent.unwrap_or_else(SegmentId::random);
    let trace = Trace::of_facade(recorder.clone(), value, header, id);
    if !trace.is_sampled() {
        recorder.log_unsampled(&id.to_string(), trace.id(), || {
            let decision = match (header.parent, header.sampled) {
                (Some(_), Some(Sampled::No)) => "says Sampled=0",
                (Some(_), _) => "has no decision. Set the tracing mode of the function to active",
                (None, _) => "names no parent. Set the tracing mode of the function to active",
            };
            format!("by Lambda, whose trace header {decision}")
        });
    }
    Context::of_entity(Entity::segment(trace, id, None))
}

/// The incoming trace header of a new segment.
pub(crate) struct Incoming<'a> {
    pub(crate) header: &'a TraceHeader,
    /// How much of the header is used. Not applied to the header of a request behind the Lambda Web Adapter.
    pub(crate) trust: Trust,
    /// `true` if the segment serves an HTTP request.
    pub(crate) serves_request: bool,
}

/// Returns the context in which a new segment becomes a subsegment: the current segment or subsegment of an invocation,
/// or the facade of the invocation that the environment names. Behind the Lambda Web Adapter, the header of the request
/// names the invocation.
///
/// Returns `None` outside Lambda, and for a segment that remains a segment, such as that of a message whose header
/// names another trace. `name` is the name of the new segment.
pub(crate) fn invocation(
    current: &Context,
    recorder: &Recorder,
    incoming: &Incoming<'_>,
    name: &str,
) -> Option<Context> {
    if let Some(trace) = current.entity().map(|entity| entity.trace()).filter(|trace| trace.is_facade()) {
        return incoming.belongs_to(Some(trace.id()), trace.is_sampled()).then(|| current.clone());
    }
    if !recorder.is_in_lambda() {
        return None;
    }
    let value = header_of_environment();
    // Behind the Lambda Web Adapter the environment names no invocation: its header arrives with the request.
    if value.is_empty() && incoming.serves_request && incoming.header.root.is_some() {
        return Some(of_header(recorder, &incoming.header.to_string(), incoming.header));
    }
    let header = TraceHeader::parse(&value);
    if !incoming.belongs_to(header.root, header.sampled == Some(Sampled::Yes)) {
        return None;
    }
    let invocation = of_header(recorder, &value, &header);
    if invocation.entity().is_none() {
        missing::log_invocation(name);
    }
    Some(invocation)
}

impl Incoming<'_> {
    /// Returns whether the segment belongs to the invocation with this trace.
    fn belongs_to(&self, invocation: Option<TraceId>, is_sampled: bool) -> bool {
        // A request is the invocation's event, whatever its header says. API Gateway gives the request another trace
        // than Lambda gives the invocation, and a client can write any header.
        if self.serves_request {
            return true;
        }
        let header = self.trust.limit(self.header.clone());
        // The header of a queued message may contain the trace and the decision of its sender.
        let names_invocation = header.root.is_none() || header.root == invocation;
        match header.sampled {
            // If the invocation is not recorded, a message that its sender recorded gets a segment.
            Some(Sampled::Yes) => names_invocation && (is_sampled || header.root.is_none()),
            Some(Sampled::No) => names_invocation,
            // Without a decision the sender's trace may not exist, so the segment joins the invocation.
            Some(Sampled::Requested) | None => names_invocation || invocation.is_some(),
        }
    }
}

/// Returns the trace header of the invocation from the environment. The header is empty outside an invocation, and if
/// Lambda runs several invocations at a time in this process.
pub(crate) fn header_of_environment() -> String {
    env::var(TRACE_HEADER_VARIABLE).unwrap_or_default()
}

/// Creates the empty file by which every X-Ray SDK announces itself to Lambda. Does nothing after the first time.
//
// Not a `Once`: a failure is logged, and a logger that begins a segment of its own would come back to the `Once` that
// is running, and wait for itself.
pub(crate) fn announce() {
    static HAS_ANNOUNCED: AtomicBool = AtomicBool::new(false);
    if HAS_ANNOUNCED.swap(true, Ordering::Relaxed) {
        return;
    }
    let write = || -> io::Result<()> {
        let directory = env::temp_dir().join(".aws-xray");
        fs::create_dir_all(&directory)?;
        // Not `File::create`, which would empty a file that somebody has linked there.
        File::create_new(directory.join("initialized")).map(drop)
    };
    if let Err(error) = write().or_else(|error| if error.kind() == AlreadyExists { Ok(()) } else { Err(error) }) {
        log_line!(Debug, "xray::lambda", "could not create .aws-xray/initialized in the temporary directory: {error}");
    }
}

#[cfg(test)]
mod tests {
    use crate::live::context;
    use crate::live::segment::Segment;
    use crate::testing::capture_blocking;

    #[test]
    fn a_segment_in_the_unsampled_part_of_an_invocation_is_not_recorded() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let ((), documents) = capture_blocking(|| {
            Segment::facade(header).in_scope(|| {
                let unsampled = context::current().without_sampling();
                unsampled.in_scope(|| Segment::builder("cart").begin().end());
            });
        });
        assert!(documents.is_empty(), "{documents:#?}");
    }
}
