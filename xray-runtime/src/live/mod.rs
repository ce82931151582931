//! Segments and subsegments that are open: their records, the context that names them, and the handles of their owners.

pub(crate) mod blocks;
pub(crate) mod context;
pub(crate) mod entity;
pub(crate) mod facade;
pub mod instrument;
pub(crate) mod missing;
pub(crate) mod open_calls;
pub(crate) mod segment;
