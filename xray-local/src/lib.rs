//! The library of the program `xray-local`, a local AWS X-Ray.
//!
//! A [`Server`] receives trace documents like the X-Ray daemon and stores them in a [`Store`]. It assembles each
//! [`Trace`], infers the segments of services that send none, computes the service graph, and writes a [`Report`] about
//! each document that X-Ray would reject. It answers the X-Ray API and serves a console for the browser.
//!
//! This library exists for the program and for tests that start a server inside their own process. It makes **no semver
//! promise**: any release may change any item. Pin the exact version if you depend on the library.
//!
//! ```
//! let server = xray_local::Server::builder().address("127.0.0.1:0").start()?;
//! println!("AWS_XRAY_DAEMON_ADDRESS={}", server.udp_address());
//! assert!(server.store().traces().is_empty());
//! # Ok::<(), xray_local::StartError>(())
//! ```

#![warn(missing_debug_implementations)]

mod account;
mod api;
mod bounded;
pub mod check;
mod collect;
mod console;
pub mod document;
#[doc(hidden)] // Public for tests/filtering.rs and tests/any_input.rs.
pub mod filter;
mod forward;
pub mod graph;
mod import;
mod intake;
mod jobs;
mod optional;
mod otlp;
#[doc(hidden)] // Public for the program.
pub mod printable;
mod receive;
mod recording;
mod rules;
mod server;
mod service;
pub mod store;
#[doc(hidden)] // Public for tests/graph.rs and tests/any_input.rs.
pub mod summary;
pub mod time;
pub mod trace;
mod url;

/// Runs the example of the README with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use document::Document;
pub use recording::{BadLine, Replay};
pub use rules::Sampling;
pub use server::{Losses, Server, ServerBuilder, StartError};
pub use store::{Report, Store};
pub use trace::Trace;
