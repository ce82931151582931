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

mod attributes;
mod cause;
mod datagram;
mod export;
mod http;
mod json;
mod names;
mod protobuf;
mod resource;
mod segment;
mod spans;
mod stack;

use std::fmt;

use opentelemetry_proto::tonic::resource::v1::Resource as ResourceMessage;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Map, Value};

pub(crate) use datagram::{Datagram, is_metrics};
pub(crate) use export::requests;
use resource::Resource;
pub(crate) use spans::span;

/// The most spans of a request. AWS's own endpoint has this limit. (`CloudWatch` user guide, "OTLP endpoints".)
pub(crate) const MAX_SPANS: usize = 10_000;

/// The most bytes of a span in a request, as at AWS's own endpoint.
const MAX_SPAN_BYTES: usize = 200_000;

/// The most bytes of a resource in a request. AWS's own endpoint allows 16 KB.
const MAX_RESOURCE_BYTES: usize = 64 * 1024;

/// The most resources in a request, and the most scopes of a resource.
const MAX_GROUPS: usize = 10_000;

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

/// Reads an `ExportTraceServiceRequest`, translates each of its spans, and passes the result to `take`. Returns the
/// number of spans beyond [`MAX_SPANS`], which are not read.
///
/// Spans are decoded one at a time, so that only one decoded span is in memory.
///
/// # Errors
///
/// If the structure around the spans cannot be read. In this case, no span has been passed to `take`.
pub(crate) fn read(body: &[u8], encoding: Encoding, mut take: impl FnMut(Translated)) -> Result<usize, Malformed> {
    let mut resource = Resource::default();
    let on_resource = |message: Result<ResourceMessage, String>| message.map(Resource::of);
    let mut current = Ok(());
    let mut on_part = |part: Part| match part {
        Part::Resource(message) => match on_resource(message) {
            Ok(next) => (resource, current) = (next, Ok(())),
            Err(reason) => current = Err(reason),
        },
        Part::Span(span) => take(match &current {
            Ok(()) => span.and_then(|span| segment::documents(span, &resource)),
            Err(reason) => Err(reason.clone()),
        }),
    };
    match encoding {
        Encoding::Protobuf => protobuf::read(body, &mut on_part),
        Encoding::Json => json::read(body, &mut on_part),
    }
}

/// A part of a request. Each resource is followed by its spans.
enum Part {
    Resource(Result<ResourceMessage, String>),
    Span(Result<Box<Span>, String>),
}

fn span_too_large(bytes: usize) -> String {
    format!("the span has {bytes} bytes, and AWS accepts at most {MAX_SPAN_BYTES}")
}

fn resource_too_large(bytes: usize) -> String {
    format!("the resource of the span has {bytes} bytes, more than {MAX_RESOURCE_BYTES}")
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
