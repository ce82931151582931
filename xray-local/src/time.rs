//! Moments and ranges of time.

use std::time::SystemTime;

/// From `start` to before `end`, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeRange {
    /// The first moment.
    pub start: f64,
    /// The first moment after it.
    pub end: f64,
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self = Self { start: f64::NEG_INFINITY, end: f64::INFINITY };

    /// Whether the moment is in it.
    #[must_use]
    pub fn contains(self, moment: f64) -> bool {
        self.start <= moment && moment < self.end
    }
}

/// The moment it is, in seconds since 1970, to the millisecond.
#[must_use]
pub fn now() -> f64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    (since.as_secs_f64() * 1000.0).round() / 1000.0
}
