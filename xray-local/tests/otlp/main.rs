//! Tests OpenTelemetry spans: their arrival, their conversion to documents, and the rejection of invalid spans.

#[path = "../support/program.rs"]
mod program;
#[path = "../support/mod.rs"]
mod support;

mod arriving;
mod becoming;
mod hostile;
mod sender;
