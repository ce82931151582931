//! Helpers that know nothing of X-Ray: a background thread, HTTP requests from it, counters, text limits, patterns.

pub(crate) mod background;
pub(crate) mod fetch;
pub(crate) mod guard;
pub(crate) mod log_line;
pub(crate) mod stats;
pub(crate) mod text;
pub(crate) mod wildcard;
