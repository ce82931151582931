//! How fast datagrams may leave.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A token bucket over bytes.
///
/// A reader has a receive buffer of the system's default size, about 200 KiB, in which the kernel counts its own
/// overhead too; what does not fit is lost without a word to anybody. At this pace the X-Ray daemon loses nothing.
pub(super) struct Pace {
    budget: f64,
    counted: Instant,
}

impl Pace {
    const BUDGET_BYTES: f64 = 96.0 * 1024.0;
    const BYTES_PER_SECOND: f64 = 32.0 * 1024.0 * 1024.0;
    /// What the kernel adds to each datagram.
    const OVERHEAD_BYTES: f64 = 1024.0;

    pub(super) fn new() -> Self {
        Self { budget: Self::BUDGET_BYTES, counted: Instant::now() }
    }

    /// Waits until a datagram of this length may leave.
    pub(super) async fn wait_for(&mut self, bytes: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a datagram has at most 64 KiB")]
        let cost = bytes as f64 + Self::OVERHEAD_BYTES;
        self.refill();
        while self.budget < cost {
            sleep(Duration::from_secs_f64((cost - self.budget) / Self::BYTES_PER_SECOND)).await;
            self.refill();
        }
        self.budget -= cost;
    }

    fn refill(&mut self) {
        let now = Instant::now();
        let earned = now.duration_since(self.counted).as_secs_f64() * Self::BYTES_PER_SECOND;
        self.budget = (self.budget + earned).min(Self::BUDGET_BYTES);
        self.counted = now;
    }
}
