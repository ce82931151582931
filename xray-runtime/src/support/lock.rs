//! Locking of mutexes, whether they are poisoned or not.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, even if a thread panicked while it held the lock.
//
// A panic here would reach the user's code. At worst, a value that the other thread was writing is missing in the
// trace.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
