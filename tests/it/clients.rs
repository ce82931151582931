//! Calls of each client against a real service: the documents that they record and the requests that they send.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * `httplib` is patched below other clients, whose own calls are not traced: `checks::a_call_is_recorded`.
//! * In `aiohttp`, a status that is raised as an error loses its response, and 404 is a fault:
//!   `checks::statuses_decide`.
//! * An existing header is sent twice: `checks::own_headers_are_replaced`.

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
