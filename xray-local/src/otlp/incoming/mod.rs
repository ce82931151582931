//! Reads requests with spans, and converts the spans to segments and subsegments.

mod attributes;
mod cause;
mod http;
mod json;
mod names;
mod proto_json;
mod protobuf;
mod resource;
mod segment;
mod stack;

use opentelemetry_proto::tonic::resource::v1::Resource as ResourceMessage;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::{Encoding, MAX_SPANS, Malformed, Translated};
use resource::Resource;

/// The most bytes of a span in a request, as at AWS's own endpoint.
const MAX_SPAN_BYTES: usize = 200_000;

/// The most bytes of a resource in a request. AWS's own endpoint allows 16 KB.
const MAX_RESOURCE_BYTES: usize = 64 * 1024;

/// The most resources in a request, and the most scopes of a resource.
const MAX_GROUPS: usize = 10_000;

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
