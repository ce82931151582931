//! Operations of the AWS SDK for Rust against a server on this machine.

mod attribute;
mod failures;
mod interceptor;
mod messages;
mod moto;
mod parameters;
mod spans;
mod ways;
