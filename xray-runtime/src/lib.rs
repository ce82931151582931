//! Implementation detail of the [`xray-sdk`](https://docs.rs/xray-sdk) crate, which re-exports what is public
//! here: the recorder, the context, segment documents, sampling, emitters, and the adapters for HTTP clients.

mod background;
mod blocks;
mod clients;
mod context;
mod document;
mod emitter;
mod entity;
mod facade;
mod fetch;
mod guard;
pub mod http;
mod id;
mod instrument;
#[cfg(feature = "lambda")]
pub mod lambda;
mod open_calls;
pub mod origin;
#[doc(hidden)]
pub mod private;
mod propagation;
mod recorder;
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest_middleware;
pub mod sampling;
mod segment;
mod stats;
pub mod testing;
#[cfg(feature = "tower")]
pub mod tower;
mod trace_header;
#[cfg(feature = "tracing")]
pub mod tracing;

pub use crate::context::{Context, current, in_current_trace, trace_id};
pub use crate::document::{
    AnnotationValue, Aws, Cause, Document, Exception, Exceptions, Http, HttpRequest, HttpResponse, Kind, Namespace,
    Preparation, Sdk, Sql, StackFrame,
};
pub use crate::emitter::{Emitter, LinesEmitter, MemoryEmitter, UdpEmitter};
pub use crate::id::{ParseIdError, SegmentId, TraceId};
pub use crate::instrument::{Instrument, Instrumented, SegmentScope, SubsegmentScope};
pub use crate::propagation::Propagation;
pub use crate::recorder::{ContextMissing, InstallError, Recorder, RecorderBuilder, stats};
pub use crate::segment::{Segment, SegmentBuilder, Subsegment};
pub use crate::stats::Stats;
pub use crate::trace_header::{Sampled, TRACE_HEADER_NAME, TraceHeader};
