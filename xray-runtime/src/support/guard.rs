//! A guard against panics in code that the SDK calls but does not own.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a closure and returns its result, or `None` if it panicked.
///
/// The panic hook of the process has run by then, so the panic is on stderr as usual.
//
// Hooks, emitters, and the `Display`, `Error` and `Serialize` implementations of recorded values are the program's
// code. Without the SDK this code would not have run at this place, so its panic must not end the request that is being
// traced. `AssertUnwindSafe` is sound for the SDK's own data: no caller has half-written data when the foreign code
// runs.
pub(crate) fn guard<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|panic| {
            // The payload is any value (`panic_any`), and its `Drop` may panic too. The payload of that second panic is
            // leaked, since its `Drop` may panic again, and so on endlessly.
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
    fn a_panic_is_contained_even_if_its_payload_panics_when_dropped() {
        struct Worse;

        impl Drop for Worse {
            fn drop(&mut self) {
                std::panic::panic_any("worse");
            }
        }

        assert_eq!(guard(|| 7), Some(7));
        assert_eq!(guard(|| panic!("contained")), None::<()>);
        assert_eq!(guard(|| std::panic::panic_any(Worse)), None::<()>);
    }
}
