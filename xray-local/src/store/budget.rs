//! A number of bytes that threads share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Memory that threads take from and give back to. A thread that asks for more than is free waits.
#[derive(Debug)]
pub(super) struct Budget {
    whole: usize,
    free: Mutex<usize>,
    returned: Condvar,
    /// Held by the one thread that waits. The others queue behind it: many small shares must not keep a large one
    /// waiting forever.
    turn: Mutex<()>,
}

/// A share of a [`Budget`]. Dropping it gives the bytes back.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Self { whole: bytes, free: Mutex::new(bytes), returned: Condvar::new(), turn: Mutex::new(()) }
    }

    /// Takes a share, and blocks until as many bytes are free. A share larger than the budget takes all of it.
    pub(super) fn take(self: &Arc<Self>, bytes: usize) -> Share {
        let bytes = bytes.min(self.whole);
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let has_too_little = |free: &mut usize| *free < bytes;
        let mut free = self.returned.wait_while(self.free(), has_too_little).unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        Share { budget: Arc::clone(self), bytes }
    }

    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.budget.free() += self.bytes;
        self.budget.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn shares_never_exceed_the_budget_and_large_ones_are_not_passed_over() {
        let budget = Arc::new(Budget::new(100));
        let (used, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for bytes in [10, 30, 100, 500] {
                let (budget, used, most) = (&budget, &used, &most);
                scope.spawn(move || {
                    for _ in 0..200 {
                        let share = budget.take(bytes);
                        most.fetch_max(used.fetch_add(share.bytes, Ordering::SeqCst) + share.bytes, Ordering::SeqCst);
                        thread::yield_now();
                        used.fetch_sub(share.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!((used.into_inner(), most.into_inner(), *budget.free()), (0, 100, 100));
    }
}
