//! Converts OpenTelemetry spans (OTLP) to segments and subsegments, and back.
//!
//! The conversion follows `awsxrayexporter`, the X-Ray exporter of the OpenTelemetry collector, except in these cases:
//!
//! * Flags that are `false`, empty texts and unknown content lengths are left out. The exporter writes `false`, an
//!   empty text and 0.
//! * The length of a response is also read from the attribute `http.response.body.size`, and from the older
//!   `http.response_content_length`. The exporter keeps these attributes as metadata, and writes a length of 0.
//! * The fields about the resource are written to every segment, but not to subsegments. X-Ray drops most of these
//!   fields from subsegments.
//! * A span without an end becomes a document in progress. The exporter writes an end in 1970.
//! * Ids that the exporter generates at random are derived from the ids of the span. So a span that arrives twice is
//!   shown once.
//!
//! `tests/otlp/becoming.rs` compares this module with the exporter.

mod datagram;
mod export;
#[cfg(feature = "otlp")]
mod incoming;
mod spans;

use std::fmt;

use serde_json::{Map, Value};

pub(crate) use datagram::{Datagram, is_metrics};
pub(crate) use export::requests;
#[cfg(feature = "otlp")]
pub(crate) use incoming::read;
pub(crate) use spans::span;

/// The reason for refusing spans without the feature that reads them.
#[cfg(not(feature = "otlp"))]
pub(crate) const WITHOUT_FEATURE: &str =
    "this program embeds xray-local without its feature `otlp`, so it cannot read spans of OpenTelemetry";

/// The most spans of a request. AWS's own endpoint has this limit. (`CloudWatch` user guide, "OTLP endpoints".)
pub(crate) const MAX_SPANS: usize = 10_000;

/// The encoding of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Protobuf,
    Json,
}

/// The error for a request whose spans cannot be read, because the structure around them is not OTLP.
#[derive(Debug)]
pub(crate) struct Malformed(String);

/// The result of translating a span: segment documents, or the reason why the span is rejected. A span becomes two
/// documents if it represents both a service and a call that the service makes.
pub(crate) type Translated = Result<Vec<Map<String, Value>>, String>;

/// Refuses every request. The feature `otlp` replaces this function by one that reads spans.
#[cfg(not(feature = "otlp"))]
pub(crate) fn read(_: &[u8], _: Encoding, _: impl FnMut(Translated)) -> Result<usize, Malformed> {
    Err(Malformed(WITHOUT_FEATURE.to_owned()))
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
