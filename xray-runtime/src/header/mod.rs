//! The HTTP headers that carry a trace from one service to the next.

pub(crate) mod propagation;
pub(crate) mod request_headers;
pub(crate) mod trace_header;
pub(crate) mod traceparent;
pub(crate) mod tracestate;
pub(crate) mod trust;
