//! Layers and middlewares for other crates, which a program attaches by hand.

#[cfg(feature = "actix-web")]
pub mod actix_web;
#[cfg(feature = "aws-sdk")]
pub mod aws_sdk;
#[cfg(any(feature = "diesel", feature = "tracing"))]
mod database;
#[cfg(feature = "diesel")]
pub mod diesel;
#[cfg(feature = "tower")]
mod grpc;
#[cfg(any(feature = "actix-web", feature = "tower"))]
mod incoming;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest_middleware;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;
