//! The clock of a trace.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::record::Time;

/// A wall clock that does not jump: the system's time at the start plus the monotonic time since then.
//
// A clock step (NTP, a resumed virtual machine) would otherwise put a child before its parent or give it a negative
// duration, and X-Ray draws such a trace wrongly.
pub(super) struct Clock {
    start_micros: u64,
    started: Instant,
}

impl Clock {
    /// Starts the clock at the system's time.
    pub(super) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start_micros: u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX), started: Instant::now() }
    }

    /// Returns the current time.
    pub(super) fn now(&self) -> Time {
        let passed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        Time::from_micros(self.start_micros.saturating_add(passed))
    }
}
