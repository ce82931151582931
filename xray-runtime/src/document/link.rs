//! Links to segments of other traces.

use serde::{Deserialize, Serialize};

use crate::id::{SegmentId, TraceId};

/// A link from a segment or subsegment to one of another trace, such as the sender of a message.
///
/// [`Context::link`](crate::Context::link) adds one. X-Ray shows linked traces together. (Developer guide, "Tracing
/// event-driven applications".)
///
/// ```
/// use xray::TraceHeader;
///
/// let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
/// let ((), documents) = xray::testing::capture_blocking(|| xray::Segment::builder("worker").begin().link(&header));
/// let link = &documents[0].links[0];
/// assert_eq!((Some(link.trace_id), Some(link.id)), (header.root, header.parent));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Link {
    /// The id of the other trace.
    pub trace_id: TraceId,
    /// The id of the segment or subsegment in that trace.
    pub id: SegmentId,
}
