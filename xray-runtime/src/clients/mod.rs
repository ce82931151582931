//! Clients: which of their calls are traced, and how. One file a client.

pub(crate) mod http;
#[cfg(any(feature = "reqwest", feature = "reqwest-0-12"))]
mod reqwest;
