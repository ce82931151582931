//! `xray::tracing`: spans as subsegments, and the trace id in logs.

mod errors;
mod hostile;
mod logs;
mod queries;
mod secrets;
mod spans;
mod subscriber;
