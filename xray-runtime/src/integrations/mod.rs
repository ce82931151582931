//! Layers and middlewares for other crates, which a program attaches by hand.

#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "reqwest-middleware")]
pub mod reqwest_middleware;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;
