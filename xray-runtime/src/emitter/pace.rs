//! A limit on how fast datagrams are sent.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A token bucket over bytes. A full bucket allows a burst of 96 KiB. It fills at 32 MiB a second.
//
// UDP has no flow control. A datagram that does not fit into the receiver's socket buffer is dropped by the kernel, and
// neither side gets an error. That buffer is 212,992 bytes by default on Linux. Sent at full speed over the loopback
// interface, a burst of 10,000 documents of 509 bytes lost 5,095 before the X-Ray daemon 3.6.6 read them, and 500
// documents of 60 KB lost 361. With these numbers both lost none (tests: `ten_thousand_small_documents` and
// `a_thousand_large_documents` in `tests/burst.rs`).
//
// A token bucket rather than a fixed pause between datagrams: the usual few documents leave without any wait, and only
// a burst is slowed down.
pub(super) struct Pace {
    budget: f64,
    refilled: Instant,
}

impl Pace {
    /// The bytes that may be sent at once: less than half of the receiver's buffer, because the daemon may not be
    /// reading at the moment.
    const BUDGET_BYTES: f64 = 96.0 * 1024.0;
    const BYTES_PER_SECOND: f64 = 32.0 * 1024.0 * 1024.0;
    /// What the kernel counts for each datagram besides its bytes: its own structures share the buffer.
    const OVERHEAD_BYTES: f64 = 1024.0;

    pub(super) fn new() -> Self {
        Self { budget: Self::BUDGET_BYTES, refilled: Instant::now() }
    }

    /// Creates a bucket that allows nothing for hours.
    #[cfg(test)]
    pub(super) fn spent() -> Self {
        Self { budget: -Self::BYTES_PER_SECOND * 10_000.0, refilled: Instant::now() }
    }

    /// Waits until a datagram of this length may be sent, and takes its cost from the budget.
    //
    // The largest datagram costs 64 KiB and 1 KiB of overhead, so every cost fits into the budget and the loop ends.
    pub(super) async fn wait_for(&mut self, bytes: usize) {
        while !self.allows(bytes) {
            sleep(Duration::from_secs_f64((Self::cost(bytes) - self.budget) / Self::BYTES_PER_SECOND)).await;
        }
    }

    /// Returns whether a datagram of this length may be sent at once. If so, takes its cost from the budget.
    pub(super) fn allows(&mut self, bytes: usize) -> bool {
        self.refill();
        let is_allowed = self.budget >= Self::cost(bytes);
        if is_allowed {
            self.budget -= Self::cost(bytes);
        }
        is_allowed
    }

    fn cost(bytes: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a datagram has at most 64 KiB")]
        let bytes = bytes as f64;
        bytes + Self::OVERHEAD_BYTES
    }

    fn refill(&mut self) {
        let now = Instant::now();
        let earned = now.duration_since(self.refilled).as_secs_f64() * Self::BYTES_PER_SECOND;
        self.budget = (self.budget + earned).min(Self::BUDGET_BYTES);
        self.refilled = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bucket that does not fill, because it was last filled in the future.
    fn allows(pace: &mut Pace, bytes: usize) -> bool {
        pace.refilled = Instant::now() + Duration::from_secs(3600);
        pace.allows(bytes)
    }

    #[test]
    fn a_full_bucket_allows_a_burst_of_a_limited_size() {
        let mut pace = Pace::new();
        assert!(allows(&mut pace, 64 * 1024));
        assert!(!allows(&mut pace, 64 * 1024));
        assert!(allows(&mut pace, 30 * 1024));
        assert!(!allows(&mut pace, 0));
        // Each datagram has a cost besides its bytes.
        let mut pace = Pace::new();
        assert_eq!((0..1000).filter(|_| allows(&mut pace, 1)).count(), 95);
    }

    #[tokio::test]
    async fn a_datagram_waits_until_the_bucket_has_its_cost() {
        let mut pace = Pace { budget: -Pace::BYTES_PER_SECOND * 0.02, refilled: Instant::now() };
        let start = pace.refilled;
        pace.wait_for(1).await;
        assert!(start.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn a_bucket_fills_with_time_but_not_beyond_its_size() {
        let mut pace = Pace { budget: 0.0, refilled: Instant::now() };
        pace.refilled -= Duration::from_millis(1);
        assert!(pace.allows(30 * 1024));
        let mut pace = Pace { budget: -1024.0, refilled: Instant::now() };
        pace.refilled -= Duration::from_secs(10);
        assert!(pace.allows(90 * 1024));
        assert!(!allows(&mut pace, 10 * 1024));
    }
}
