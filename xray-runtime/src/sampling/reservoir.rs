//! So many a second: what of a rule is sampled whatever its rate.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Bits of the packed state that count what was taken; those above are the second.
const TAKEN_BITS: u32 = 32;

/// What may be taken in each second. What is left of a second is not kept for the next.
#[derive(Debug)]
pub(crate) struct Reservoir {
    per_second: u32,
    /// The latest second that was seen, and how often it was taken from; one word, so that both change at once.
    state: AtomicU64,
}

impl Reservoir {
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second, state: AtomicU64::new(0) }
    }

    #[cfg(test)]
    pub(crate) fn per_second(&self) -> u32 {
        self.per_second
    }

    /// Takes one of this second's, if one is left.
    ///
    /// A second that is over counts as the latest: a thread that read the clock and was then held up takes nothing more.
    pub(crate) fn take(&self, second: u32) -> bool {
        if self.per_second == 0 {
            return false;
        }
        let mut seen = self.state.load(Ordering::Relaxed);
        loop {
            let (latest, taken) = (seen >> TAKEN_BITS, seen & u64::from(u32::MAX));
            let next = if u64::from(second) > latest {
                u64::from(second) << TAKEN_BITS | 1
            } else if taken < u64::from(self.per_second) {
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

    fn taken(reservoir: &Reservoir, second: u32, tries: usize) -> usize {
        (0..tries).filter(|_| reservoir.take(second)).count()
    }

    #[test]
    fn each_second_is_taken_from_up_to_the_target() {
        let reservoir = Reservoir::new(3);
        let counts: Vec<_> = [0, 0, 1, 2, 2, 9].map(|second| taken(&reservoir, second, 2)).to_vec();
        assert_eq!(counts, [2, 1, 2, 2, 1, 2], "and what is left of a second is not kept");
        assert_eq!(taken(&Reservoir::new(0), 1, 5), 0);
    }

    #[test]
    fn a_second_that_is_over_gives_nothing_more() {
        let reservoir = Reservoir::new(2);
        assert_eq!(taken(&reservoir, 5, 1), 1);
        assert_eq!(taken(&reservoir, 4, 9), 1, "what is left of the latest");
        assert_eq!(taken(&reservoir, 5, 9), 0, "going back and forth refills nothing");
        assert_eq!(taken(&reservoir, 6, 9), 2);
    }

    #[test]
    fn the_largest_target_and_the_last_second_do_not_run_over() {
        let reservoir = Reservoir::new(u32::MAX);
        reservoir.state.store(u64::MAX - 1, Ordering::Relaxed);
        assert_eq!(taken(&reservoir, u32::MAX, 3), 1);
        assert_eq!(reservoir.state.load(Ordering::Relaxed), u64::MAX);
    }

    #[test]
    fn a_thousand_seconds_refill_a_thousand_times_whenever_they_are_asked() {
        let reservoir = Reservoir::new(4);
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
        let reservoir = Reservoir::new(1000);
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

        let one = Reservoir::new(1000);
        let count = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| taken(&one, 1, 500))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(count, 1000);
    }
}
