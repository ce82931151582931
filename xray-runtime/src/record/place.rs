//! The place of a document in its trace.

use std::sync::Arc;

use crate::document::Kind;
use crate::id::{SegmentId, TraceId};

/// The trace and the parent of a segment, or of a subsegment that is sent by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) parent_id: Option<SegmentId>,
    /// `Some` for a subsegment.
    pub(crate) kind: Option<Kind>,
}

impl Place {
    /// Returns the place of a segment. `parent_id` is the subsegment of the caller, in another process.
    pub(crate) fn of_segment(trace_id: TraceId, parent_id: Option<SegmentId>) -> Arc<Self> {
        Arc::new(Self { trace_id: Some(trace_id), parent_id, kind: None })
    }

    /// Returns the place of the subsegments of `parent_id` that are sent by themselves.
    // An independent subsegment needs all three fields. (Developer guide, "Subsegments".)
    pub(crate) fn below(trace_id: TraceId, parent_id: SegmentId) -> Arc<Self> {
        Arc::new(Self { trace_id: Some(trace_id), parent_id: Some(parent_id), kind: Some(Kind::Subsegment) })
    }
}
