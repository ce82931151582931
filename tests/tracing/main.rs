//! `xray::tracing`: spans as subsegments, and the trace id in logs.

mod errors;
mod hostile;
mod logs;
mod spans;
mod subscriber;
