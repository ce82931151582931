//! Spans of `tracing` as subsegments.

mod errors;
mod hostile;
mod logs;
mod spans;
mod subscriber;
