//! What the calls of each client record and send, against a real service.
//!
//! Where the X-Ray SDK for Python 2.15.0 was measured to go wrong, by section of that study, and what shows the other
//! behaviour:
//!
//! * 1.4 `httplib`, the client below other clients changed, and none of their calls is traced:
//!   `checks::a_call_is_recorded`
//! * 1.5 `aiohttp`, a status that is told as an error loses its response, and 404 is a fault:
//!   `checks::statuses_decide`
//! * 1.7 side by side, a header that is there may be doubled: `checks::own_headers_are_replaced`
//! * 6.6, a status of 4xx that is told as an error is a fault: `checks::statuses_decide`

#[macro_use]
mod checks;

mod attohttpc;
mod awc;
mod hyper;
mod hyper_0_14;
mod isahc;
mod reqwest;
mod reqwest_middleware;
mod ureq;
mod ureq_2;
