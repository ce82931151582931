//! The tower layer and the reqwest middleware, alone, and where two mechanisms meet on one request.
//!
//! Where the X-Ray SDK for Python 2.15.0 was measured to go wrong, by section of that study, and what shows the other
//! behaviour:
//!
//! * 1.3 `requests`, patched twice, a call is two: `together::however_many_layers_one_request_is_one_subsegment`
//! * 1.5 `aiohttp`, so it is with two trace configurations:
//!   `together::however_many_middlewares_one_request_is_one_subsegment`
//! * 6.3, more than one subsegment for a call: `together::however_many_layers_one_request_is_one_subsegment`

mod layer;
mod reqwest;
mod segments;
mod together;
