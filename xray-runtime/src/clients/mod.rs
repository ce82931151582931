//! Clients: which of their calls are traced, and how. One file a client.

#[cfg(any(feature = "reqwest", feature = "reqwest-0-12"))]
mod reqwest;
