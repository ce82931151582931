//! The tower layer and the reqwest middleware for outgoing requests: each alone, and together with other ways of
//! tracing the same request.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * A client that is patched twice records two subsegments for a request:
//!   `together::however_many_layers_one_request_is_one_subsegment`.
//! * Two trace configurations of `aiohttp` record two subsegments for a request:
//!   `together::however_many_middlewares_one_request_is_one_subsegment`.

mod layer;
mod reqwest;
mod segments;
mod together;
