//! The two parts of a sampling rule: a number of requests in each second, and a share of the others.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::id::random_f64;

/// The lower bits of the packed state, which hold the number taken; the bits above hold the second.
const TAKEN_BITS: u32 = 32;

/// Counts the requests that were sampled in the current second.
// The X-Ray SDKs count in this way: a second's remainder is lost. A token bucket, as in OpenTelemetry, would keep it.
#[derive(Debug, Default)]
pub(crate) struct Reservoir {
    // The latest second, and the number taken in it. Both are in one word so that one atomic operation changes both:
    // with two words, a thread could count in the old second after another thread has begun the new one.
    state: AtomicU64,
}

impl Reservoir {
    /// Takes one request of a second, if fewer than `per_second` were taken in it. Returns whether it was taken.
    ///
    /// Nothing can be taken from a second before the latest one. A thread that reads the clock and is then suspended
    /// asks for such a second.
    pub(crate) fn take(&self, second: u32, per_second: u32) -> bool {
        // The branch for a new second takes one request even if `per_second` is 0.
        if per_second == 0 {
            return false;
        }
        let mut seen = self.state.load(Ordering::Relaxed);
        loop {
            let (latest, taken) = (seen >> TAKEN_BITS, seen & u64::from(u32::MAX));
            let next = if u64::from(second) > latest {
                u64::from(second) << TAKEN_BITS | 1
            } else if u64::from(second) == latest && taken < u64::from(per_second) {
                seen + 1
            } else {
                return false;
            };
            // `Relaxed`: the word protects no other memory.
            match self.state.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(other) => seen = other,
            }
        }
    }
}

/// Returns true with the probability `rate`, from 0 to 1.
pub(crate) fn by_chance(rate: f64) -> bool {
    // The random number is at least 0 and below 1. So the result is always true for rate 1, and never for rate 0. Uses
    // the generator of ids, which each process seeds. Children that are forked with a copy of another generator would
    // all make equal decisions.
    random_f64() < rate
}

/// Numbers the seconds since its creation.
///
/// A second begins when a second of the wall clock begins, as in the X-Ray SDKs. The number never decreases, even if
/// the wall clock is set back.
#[derive(Debug)]
pub(crate) struct Seconds {
    start: Instant,
    /// The part of the wall clock's second that had passed at `start`.
    elapsed_before_start: Duration,
}

impl Seconds {
    /// Begins to count at this moment.
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let elapsed_before_start = Duration::from_nanos(since_epoch.subsec_nanos().into());
        Self { start: Instant::now(), elapsed_before_start }
    }

    /// Returns the number of the current second.
    pub(crate) fn now(&self) -> u32 {
        self.at(self.start.elapsed())
    }

    fn at(&self, elapsed: Duration) -> u32 {
        u32::try_from((self.elapsed_before_start + elapsed).as_secs()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    /// A reservoir with a constant target.
    struct Constant(Reservoir, u32);

    impl Constant {
        fn new(per_second: u32) -> Self {
            Self(Reservoir::default(), per_second)
        }

        fn take(&self, second: u32) -> bool {
            self.0.take(second, self.1)
        }
    }

    fn taken(reservoir: &Constant, second: u32, tries: usize) -> usize {
        (0..tries).filter(|_| reservoir.take(second)).count()
    }

    #[test]
    fn each_second_gives_up_to_the_target() {
        let reservoir = Constant::new(3);
        let counts: Vec<_> = [0, 0, 1, 2, 2, 9].map(|second| taken(&reservoir, second, 2)).to_vec();
        assert_eq!(counts, [2, 1, 2, 2, 1, 2], "the remainder of a second is not kept");
        assert_eq!(taken(&Constant::new(0), 1, 5), 0);
    }

    #[test]
    fn the_target_may_change_within_a_second() {
        let reservoir = Reservoir::default();
        let taken: Vec<_> = [1, 1, 3, 3, 3, 2].map(|per_second| reservoir.take(1, per_second)).to_vec();
        assert_eq!(taken, [true, false, true, true, false, false]);
    }

    #[test]
    fn a_past_second_gives_nothing() {
        let reservoir = Constant::new(2);
        assert_eq!(taken(&reservoir, 5, 1), 1);
        assert_eq!(taken(&reservoir, 4, 9), 0);
        assert_eq!(taken(&reservoir, 5, 9), 1, "going back and forth refills nothing");
        assert_eq!(taken(&reservoir, 6, 9), 2);
    }

    #[test]
    fn the_largest_target_and_the_last_second_do_not_overflow() {
        let reservoir = Constant::new(u32::MAX);
        reservoir.0.state.store(u64::MAX - 1, Ordering::Relaxed);
        assert_eq!(taken(&reservoir, u32::MAX, 3), 1);
        assert_eq!(reservoir.0.state.load(Ordering::Relaxed), u64::MAX);
    }

    #[test]
    fn a_thousand_seconds_refill_the_reservoir_a_thousand_times() {
        let reservoir = Constant::new(4);
        let seconds = Seconds { start: Instant::now(), elapsed_before_start: Duration::from_millis(999) };
        // Twenty requests a second, the first one 7 ms after the start: seconds begin with those of the wall clock.
        let asked = (0..20_000).map(|number| seconds.at(Duration::from_millis(7 + number * 50)));
        let numbers: Vec<_> = asked.collect();
        assert_eq!((numbers[0], numbers[19], numbers[20]), (1, 1, 2));
        assert_eq!(numbers.into_iter().filter(|second| reservoir.take(*second)).count(), 4 * 1000);
    }

    #[test]
    fn eight_threads_take_exactly_the_target() {
        const THREADS: usize = 8;
        // Miri is a thousand times slower.
        const TARGET: u32 = if cfg!(miri) { 10 } else { 1000 };

        let target = TARGET as usize;
        let reservoir = Constant::new(TARGET);
        let together = Barrier::new(THREADS);
        let in_turn = || {
            together.wait();
            (1..=10).map(|second| taken(&reservoir, second, target)).sum::<usize>()
        };
        let count = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(in_turn)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        // Each second begins once, so it gives at most its target. A thread that lags behind may get less.
        assert!(count <= 10 * target, "{count}");
        assert_eq!(taken(&reservoir, 10, 1), 0);

        let one = Constant::new(TARGET);
        let count = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| taken(&one, 1, target / 2))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(count, target);
    }
}
