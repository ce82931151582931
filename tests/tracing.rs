//! Spans of `tracing` as subsegments.

mod support;

#[path = "tracing"]
mod cases {
    mod errors;
    mod hostile;
    mod parts;
    mod spans;
}
