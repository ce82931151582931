//! How much of an incoming trace header is used.

use super::trace_header::TraceHeader;

/// How much of the trace header of an incoming request is used; set by `xray::tower::SegmentLayer::trust` and by
/// [`SegmentBuilder::trust`](crate::SegmentBuilder::trust).
///
/// A trace header has no signature: any client that can send a request can write any header. The header decides which
/// trace the request joins, and whether the request is recorded. It overrides the sampler. A load balancer or an API of
/// API Gateway passes on the header of its client. For a service that anybody can reach:
///
/// * [`TraceId`](Self::TraceId) keeps the sampler in charge of the cost, and joins the trace that the load balancer has
///   begun. A client can still add segments to a trace whose id it knows or guesses.
/// * [`Nothing`](Self::Nothing) also separates each request from every other trace.
///
/// Services that only this one calls should keep the default, so that the decision and the trace reach all of them.
///
/// ```
/// use xray::emitter::MemoryEmitter;
/// use xray::sampling::Never;
/// use xray::{Recorder, Segment, TraceHeader, Trust};
///
/// let recorder = Recorder::builder().sampler(Never).emitter(MemoryEmitter::new()).build();
/// let header = TraceHeader::parse("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
/// let begin = |trust| Segment::builder("todo-app").recorder(&recorder).trace_header(&header).trust(trust).begin();
/// assert!(begin(Trust::All).is_sampled(), "the caller decides");
/// assert!(!begin(Trust::TraceId).is_sampled(), "the sampler decides");
/// assert_eq!(begin(Trust::TraceId).trace_id(), header.root);
/// assert_ne!(begin(Trust::Nothing).trace_id(), header.root);
/// ```
///
/// In Lambda it has no effect on requests, whose trace Lambda determines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// Everything is used: trace, parent, sampling decision and extra data. The default, as in every X-Ray SDK.
    #[default]
    All,
    /// Trace, parent and extra data are used. This service makes the sampling decision.
    TraceId,
    /// The header is ignored: the request begins a trace of its own.
    Nothing,
}

impl Trust {
    /// Returns the part of a header that is used.
    pub(crate) fn limit(self, header: TraceHeader) -> TraceHeader {
        match self {
            Self::All => header,
            Self::TraceId => header.without_decision(),
            Self::Nothing => TraceHeader::default(),
        }
    }
}
