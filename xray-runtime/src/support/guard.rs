//! What a caller's own code does wrong, kept from the program: panics, and texts that never end.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the closure gives, or `None` where it panics. (The panic hook of the process still tells of it.)
pub(crate) fn guard<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|panic| {
            // What it panicked with may panic as it is dropped.
            if let Err(next) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
                mem::forget(next);
            }
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_here_even_one_that_panics_again() {
        struct Worse;

        impl Drop for Worse {
            fn drop(&mut self) {
                std::panic::panic_any("worse");
            }
        }

        assert_eq!(guard(|| 7), Some(7));
        assert_eq!(guard(|| panic!("no way out")), None::<()>);
        assert_eq!(guard(|| std::panic::panic_any(Worse)), None::<()>);
    }
}
