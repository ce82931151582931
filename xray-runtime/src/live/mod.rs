//! Segments and subsegments that are open: their records, the context that names them, and the handles that own them.

pub(crate) mod blocks;
mod clock;
pub(crate) mod context;
pub(crate) mod entity;
pub(crate) mod facade;
pub(crate) mod grpc;
pub mod instrument;
pub(crate) mod invocation;
pub(crate) mod missing;
pub(crate) mod open_calls;
#[cfg(any(feature = "diesel", feature = "tracing"))]
pub(crate) mod open_spans;
mod progress_report;
pub(crate) mod segment;
pub(crate) mod trace;
