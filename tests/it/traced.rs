//! `#[traced]`: a subsegment around a function of any kind.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * An asynchronous function seems to take no time: `functions::async_functions_take_their_time`.
//! * A cancelled function looks successful: `functions::a_future_that_is_dropped_is_marked`.
//! * A function that ends by an exception outside `Exception` looks successful:
//!   `functions::a_panic_is_recorded_and_goes_on`.

mod attributes;
mod errors;
mod functions;
