//! Receives OTLP over HTTP: the `POST /v1/traces` requests of OpenTelemetry SDKs and collectors. (OpenTelemetry
//! protocol specification, "OTLP/HTTP".)

#[cfg(feature = "otlp")]
mod receive;
#[cfg(not(feature = "otlp"))]
mod refuse;

#[cfg(feature = "otlp")]
pub(crate) use receive::routes;
#[cfg(not(feature = "otlp"))]
pub(crate) use refuse::routes;

/// The path of requests with spans.
pub(crate) const TRACES: &str = "/v1/traces";
