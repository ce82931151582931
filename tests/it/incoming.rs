//! The tower layer for incoming requests, on an axum server and on plain services.
//!
//! The X-Ray SDK for Python 2.15.0 fails in these cases. Each line names the case, and the test that shows what this
//! SDK does instead:
//!
//! * With dynamic names, a host with a port does not match its pattern: `served::names_by_host`.
//! * The query stays in the URL: `served::a_request_is_a_segment`.
//! * A trace that is not sampled loses its id: `traces::a_traced_call_in_a_handler_is_inside`.
//! * A W3C `traceparent` is ignored: `traces::a_traceparent_counts_where_it_is_propagated`.

mod app;
mod bodies;
mod plain;
mod served;
mod traces;
