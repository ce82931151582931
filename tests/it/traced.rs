//! `#[traced]`: a subsegment around a function, whatever kind of function that is.
//!
//! Where the X-Ray SDK for Python 2.15.0 was measured to go wrong, by section of that study, and what shows the other
//! behaviour:
//!
//! * 2.4 `capture`, an asynchronous function takes no time: `functions::async_functions_take_their_time`
//! * 2.4 `capture`, what is cancelled looks well: `functions::a_future_that_is_dropped_is_marked`
//! * 2.4 `capture`, so does what ends by other exceptions: `functions::a_panic_is_recorded_and_goes_on`

mod attributes;
mod errors;
mod functions;
