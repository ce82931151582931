//! A local AWS X-Ray: takes documents as the daemon does, assembles traces, infers the segments of callees, computes the
//! service graph, and explains what X-Ray would refuse.

mod api;
pub mod check;
mod console;
pub mod document;
pub mod filter;
pub mod graph;
mod intake;
mod receive;
mod recording;
pub mod rules;
mod server;
pub mod service;
pub mod store;
pub mod summary;
pub mod time;
pub mod trace;

pub use recording::Replay;
pub use server::{Server, ServerBuilder, StartError};
