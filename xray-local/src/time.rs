//! Times in seconds since 1970.

use std::time::SystemTime;

/// A range of time in seconds since 1970, from `start` (included) to `end` (excluded).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeRange {
    /// The first time in the range.
    pub start: f64,
    /// The first time after the range.
    pub end: f64,
}

impl TimeRange {
    /// The range that contains every time.
    pub const ALL: Self = Self { start: f64::NEG_INFINITY, end: f64::INFINITY };

    /// Returns whether the range contains a time.
    #[must_use]
    pub fn contains(self, time: f64) -> bool {
        self.start <= time && time < self.end
    }
}

/// Returns the current time in seconds since 1970, rounded to milliseconds.
#[must_use]
pub fn now() -> f64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    (since.as_secs_f64() * 1000.0).round() / 1000.0
}
