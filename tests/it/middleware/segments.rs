//! The segments around the requests, and the errors of a call.

use xray::document::Exception;
use xray::{Document, Segment, SegmentBuilder, TraceHeader};

pub(super) const INCOMING: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

/// Returns a segment that the caller has decided to sample.
pub(super) fn sampled() -> SegmentBuilder {
    Segment::builder("t").trace_header(&TraceHeader::parse(INCOMING))
}

/// Returns a segment that the caller has decided not to sample.
pub(super) fn unsampled() -> SegmentBuilder {
    Segment::builder("t").trace_header(&TraceHeader::parse(&INCOMING.replace("Sampled=1", "Sampled=0")))
}

/// Returns the exceptions of a call that is a fault.
#[track_caller]
pub(super) fn exceptions(call: &Document) -> &[Exception] {
    assert!(call.fault, "{call:#?}");
    support::subsegments::exceptions(call)
}
