//! Access to the documents of queries, and a real PostgreSQL server.

/// The examples of `docs/databases.md`, which are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/databases.md")]
pub struct Page;

pub mod documents;
pub mod postgres;
