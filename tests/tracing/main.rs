//! Spans of `tracing` as subsegments.

#[path = "tracing"]
mod cases {
    mod errors;
    mod hostile;
    mod parts;
    mod spans;
}
