//! The integration tests that can share a process: one binary, because each binary links every HTTP client.
//!
//! A test that needs a process of its own (its own environment, logger or installed recorder) runs itself again as a
//! child process: see `support::child`.

// `lints.rs` denies every other lint for itself. rustc accepts this group on a whole crate only.
#![deny(future_incompatible)]

mod backtrace;
mod blocks;
mod central;
mod clients;
mod concurrency;
mod context;
mod environment;
mod finished;
mod functions;
mod grpc;
mod http;
mod hyper_client;
mod incoming;
mod lambda;
mod layers;
mod lints;
mod manual;
mod messages;
mod middleware;
mod modules;
mod options;
mod origin;
mod otlp;
mod progress;
mod propagation;
mod requests;
mod sampling;
mod secrets;
mod servers;
mod shapes;
mod testing;
mod traced;
mod trees;
mod unknown;
mod values;
mod wire;
