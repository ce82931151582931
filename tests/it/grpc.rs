//! gRPC with tonic's client and server: the outcome of a call is its `grpc-status`.

mod calls;
mod console;
mod ends;
#[path = "../../examples/grpc/src/greeter.rs"]
#[rustfmt::skip]
#[allow(clippy::all, clippy::pedantic, missing_docs, unreachable_pub, reason = "the generated code of tonic")]
mod greeter;
mod service;
mod versions;
