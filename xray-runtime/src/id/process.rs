//! The process in which this code runs, by which a fork is noticed.

use std::sync::atomic::{AtomicU64, Ordering};

/// A process. The upper 32 bits are its id. The lower 32 bits count the forks that were noticed before it.
//
// The id alone is not enough: the system uses the id of a process again once that process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(u64);

/// The process as it was last looked up; 0 before the first time.
static LAST_SEEN: AtomicU64 = AtomicU64::new(0);

/// The number of bits below the process's id.
const FORK_BITS: u32 = 32;

impl Process {
    /// Returns the process in which this code runs. Notices a fork.
    //
    // This is a system call of 50 to 200 ns. So the runtime makes it once for each segment, document and flush, but not
    // for each HTTP call. Everything else uses `last_seen`, which is one load.
    pub(crate) fn current() -> Self {
        let id = std::process::id();
        let seen = LAST_SEEN.load(Ordering::Relaxed);
        if seen >> FORK_BITS == u64::from(id) { Self(seen) } else { Self::enter(id, seen) }
    }

    /// Returns the process as [`current`](Self::current) last found it.
    #[inline]
    pub(crate) fn last_seen() -> Self {
        match LAST_SEEN.load(Ordering::Relaxed) {
            0 => Self::current(),
            seen => Self(seen),
        }
    }

    /// A process that is not this one, for tests.
    #[cfg(test)]
    pub(crate) const OTHER: Self = Self(1);

    /// Returns a number that differs from the numbers of all processes from which this one was forked.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    #[cold]
    fn enter(id: u32, seen: u64) -> Self {
        let forks = seen & ((1 << FORK_BITS) - 1);
        let entered = u64::from(id) << FORK_BITS | (forks + 1);
        // Two threads may notice the fork at once. The first one counts it.
        match LAST_SEEN.compare_exchange(seen, entered, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => Self(entered),
            Err(entered) => Self(entered),
        }
    }
}
