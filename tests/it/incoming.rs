//! The tower layer for incoming requests: below axum with a real client, and below plain services.
//!
//! Where the X-Ray SDK for Python 2.15.0 was measured to go wrong, by section of that study, and what shows the other
//! behaviour:
//!
//! * 2.12 dynamic naming, a port makes a host another one: `served::names_by_host`
//! * 3 middlewares, the query is kept: `served::a_request_is_a_segment`
//! * 6.2, what is not sampled loses its trace: `traces::a_traced_call_in_a_handler_is_inside`
//! * 6.12, no W3C `traceparent`: `traces::a_traceparent_counts_where_it_is_propagated`

mod app;
mod bodies;
mod plain;
mod served;
mod traces;
