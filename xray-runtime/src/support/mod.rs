//! Helpers for the whole crate: a background thread and its tasks, HTTP requests and look-ups of names, forks,
//! counters, text limits, JSON, percent-encoding, the removal of secrets, patterns, environment variables, a digest.

pub(crate) mod background;
pub(crate) mod fetch;
pub(crate) mod guard;
pub(crate) mod json;
pub(crate) mod lock;
pub(crate) mod log_line;
pub(crate) mod percent;
pub(crate) mod process;
pub(crate) mod resolve;
pub(crate) mod secrets;
pub(crate) mod sha256;
pub(crate) mod stats;
pub(crate) mod text;
pub(crate) mod variables;
pub(crate) mod wildcard;
pub(crate) mod worker;
