//! A local AWS X-Ray: takes documents as the daemon does, assembles traces, infers the segments of callees, computes the
//! service graph, and explains what X-Ray would refuse.

pub mod check;
pub mod document;
pub mod filter;
pub mod graph;
pub mod service;
pub mod store;
pub mod summary;
pub mod time;
pub mod trace;
