//! What of a rule is sampled: so many in each second, and of the others a share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Bits of the packed state that count what was taken; those above are the second.
const TAKEN_BITS: u32 = 32;

/// What is taken in each second. What is left of a second is not kept for the next.
#[derive(Debug, Default)]
pub(crate) struct Reservoir {
    /// The latest second that was seen, and how often it was taken from; one word, so that both change at once.
    state: AtomicU64,
}

impl Reservoir {
    /// Takes one of this second's, if less than `per_second` were taken.
    ///
    /// A second that is over gives nothing more, to a thread that read the clock and was then held up.
    pub(crate) fn take(&self, second: u32, per_second: u32) -> bool {
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
            match self.state.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(other) => seen = other,
            }
        }
    }
}

/// Whether one request is of the share that is sampled, from 0 to 1.
pub(crate) fn by_chance(rate: f64) -> bool {
    // Of the numbers from 0 up to but without 1: below 1 are all of them, below 0 none.
    fastrand::f64() < rate
}

/// Numbers the seconds. They begin when those of the wall clock do, and go on when that is set to another time.
#[derive(Debug)]
pub(crate) struct Seconds {
    start: Instant,
    /// What was over of the wall clock's second then.
    over: Duration,
}

impl Seconds {
    pub(crate) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), over: Duration::from_nanos(since_epoch.subsec_nanos().into()) }
    }

    /// The number of the second that it is now.
    pub(crate) fn now(&self) -> u32 {
        self.at(self.start.elapsed())
    }

    fn at(&self, elapsed: Duration) -> u32 {
        u32::try_from((self.over + elapsed).as_secs()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    /// A reservoir of which always the same is taken.
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
    fn each_second_is_taken_from_up_to_the_target() {
        let reservoir = Constant::new(3);
        let counts: Vec<_> = [0, 0, 1, 2, 2, 9].map(|second| taken(&reservoir, second, 2)).to_vec();
        assert_eq!(counts, [2, 1, 2, 2, 1, 2], "and what is left of a second is not kept");
        assert_eq!(taken(&Constant::new(0), 1, 5), 0);
    }

    #[test]
    fn a_target_may_change_within_a_second() {
        let reservoir = Reservoir::default();
        let taken: Vec<_> = [1, 1, 3, 3, 3, 2].map(|per_second| reservoir.take(1, per_second)).to_vec();
        assert_eq!(taken, [true, false, true, true, false, false]);
    }

    #[test]
    fn a_second_that_is_over_gives_nothing_more() {
        let reservoir = Constant::new(2);
        assert_eq!(taken(&reservoir, 5, 1), 1);
        assert_eq!(taken(&reservoir, 4, 9), 0);
        assert_eq!(taken(&reservoir, 5, 9), 1, "going back and forth refills nothing");
        assert_eq!(taken(&reservoir, 6, 9), 2);
    }

    #[test]
    fn the_largest_target_and_the_last_second_do_not_run_over() {
        let reservoir = Constant::new(u32::MAX);
        reservoir.0.state.store(u64::MAX - 1, Ordering::Relaxed);
        assert_eq!(taken(&reservoir, u32::MAX, 3), 1);
        assert_eq!(reservoir.0.state.load(Ordering::Relaxed), u64::MAX);
    }

    #[test]
    fn a_thousand_seconds_refill_a_thousand_times_whenever_they_are_asked() {
        let reservoir = Constant::new(4);
        let seconds = Seconds { start: Instant::now(), over: Duration::from_millis(999) };
        // Twenty a second, the first 7 ms after the start: seconds are cut where the wall clock cuts them.
        let asked = (0..20_000).map(|number| seconds.at(Duration::from_millis(7 + number * 50)));
        let numbers: Vec<_> = asked.collect();
        assert_eq!((numbers[0], numbers[19], numbers[20]), (1, 1, 2));
        assert_eq!(numbers.into_iter().filter(|second| reservoir.take(*second)).count(), 4 * 1000);
    }

    #[test]
    fn eight_threads_take_exactly_the_target() {
        const THREADS: usize = 8;
        let reservoir = Constant::new(1000);
        let together = Barrier::new(THREADS);
        let in_turn = || {
            together.wait();
            (1..=10).map(|second| taken(&reservoir, second, 1000)).sum::<usize>()
        };
        let count = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(in_turn)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        // Each second is begun once, so that no more than its target goes; a thread that lags behind may find less.
        assert!(count <= 10 * 1000, "{count}");
        assert_eq!(taken(&reservoir, 10, 1), 0);

        let one = Constant::new(1000);
        let count = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| taken(&one, 1, 500))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(count, 1000);
    }
}
