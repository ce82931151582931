#![doc = include_str!("../README.md")]

pub use xray_macros::{traced, traced_http};
#[cfg(feature = "lambda")]
pub use xray_runtime::lambda;
#[doc(hidden)]
pub use xray_runtime::private as __private;
#[cfg(feature = "reqwest-middleware")]
pub use xray_runtime::reqwest_middleware;
#[cfg(feature = "tower")]
pub use xray_runtime::tower;
#[cfg(feature = "tracing")]
pub use xray_runtime::tracing;
pub use xray_runtime::{
    AnnotationValue, Aws, Cause, Context, ContextMissing, Document, Emitter, Exception, Exceptions, Http, HttpRequest,
    HttpResponse, InstallError, Instrument, Instrumented, Kind, LinesEmitter, MemoryEmitter, Namespace, ParseIdError,
    Preparation, Propagation, Recorder, RecorderBuilder, Sampled, Sdk, Segment, SegmentBuilder, SegmentId,
    SegmentScope, Sql, StackFrame, Stats, Subsegment, SubsegmentScope, TRACE_HEADER_NAME, TraceHeader, TraceId,
    UdpEmitter, current, http, in_current_trace, origin, sampling, stats, testing, trace_id,
};
