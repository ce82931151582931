//! Reads requests in protobuf.

use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::{MAX_RESOURCE_BYTES, MAX_SPAN_BYTES, MAX_SPANS, Malformed, Part, resource_too_large, span_too_large};

/// The numbers of the fields of `ExportTraceServiceRequest`, `ResourceSpans` and `ScopeSpans` that are read.
const RESOURCE_SPANS: u64 = 1;
const RESOURCE: u64 = 1;
const SCOPE_SPANS: u64 = 2;
const SPANS: u64 = 2;

/// Passes each resource and its spans to `take`. Returns the number of spans beyond [`MAX_SPANS`], which are not read.
pub(super) fn read(body: &[u8], take: &mut impl FnMut(Part)) -> Result<usize, Malformed> {
    // Check the structure before reading the first span, so that no span of a truncated request is taken.
    let mut count = 0_usize;
    for_each_span(body, &mut |_| count += 1)?;
    let mut left = MAX_SPANS;
    for resource_spans in messages(body, RESOURCE_SPANS) {
        let resource_spans = resource_spans?;
        // The resource may come after its spans.
        let mut resource = &[][..];
        for message in messages(resource_spans, RESOURCE) {
            resource = message?;
        }
        take(Part::Resource(if resource.len() > MAX_RESOURCE_BYTES {
            Err(resource_too_large(resource.len()))
        } else {
            Resource::decode(resource).map_err(|error| format!("the resource of the span cannot be read: {error}"))
        }));
        for scope_spans in messages(resource_spans, SCOPE_SPANS) {
            for span in messages(scope_spans?, SPANS).take(left) {
                left -= 1;
                take(Part::Span(decoded(span?)));
            }
        }
    }
    Ok(count.saturating_sub(MAX_SPANS))
}

fn decoded(span: &[u8]) -> Result<Box<Span>, String> {
    if span.len() > MAX_SPAN_BYTES {
        return Err(span_too_large(span.len()));
    }
    Span::decode(span).map(Box::new).map_err(|error| format!("the span cannot be read: {error}"))
}

fn for_each_span<'a>(body: &'a [u8], take: &mut impl FnMut(&'a [u8])) -> Result<(), Malformed> {
    for resource_spans in messages(body, RESOURCE_SPANS) {
        let resource_spans = resource_spans?;
        for resource in messages(resource_spans, RESOURCE) {
            resource?;
        }
        for scope_spans in messages(resource_spans, SCOPE_SPANS) {
            for span in messages(scope_spans?, SPANS) {
                take(span?);
            }
        }
    }
    Ok(())
}

/// Returns the bytes of each message in the field number `field` of `message`.
fn messages(message: &[u8], field: u64) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            match next_field(&mut rest) {
                Ok((number, Some(value))) if number == field => return Some(Ok(value)),
                Ok(_) => {}
                Err(reason) => {
                    rest = &[];
                    return Some(Err(Malformed(reason.to_owned())));
                }
            }
        }
        None
    })
}

/// Removes the next field from the start of `rest`. Returns the field's number, and the field's value if that is a
/// message, a text or bytes.
fn next_field<'a>(rest: &mut &'a [u8]) -> Result<(u64, Option<&'a [u8]>), &'static str> {
    let key = varint(rest)?;
    let (number, wire_type) = (key >> 3, key & 7);
    let value = match wire_type {
        0 => varint(rest).map(|_| None),
        1 => bytes(rest, 8).map(|_| None),
        2 => {
            let length = varint(rest)?;
            bytes(rest, length).map(Some)
        }
        5 => bytes(rest, 4).map(|_| None),
        _ => Err("the body is not protobuf: it has a field of an unknown wire type"),
    };
    Ok((number, value?))
}

fn bytes<'a>(rest: &mut &'a [u8], length: u64) -> Result<&'a [u8], &'static str> {
    let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
    let (value, after) = rest.split_at(length.ok_or("the body is truncated: a field is longer than the rest of it")?);
    *rest = after;
    Ok(value)
}

fn varint(rest: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or("the body is truncated: it ends within a number")?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("the body is not protobuf: it has a number of more than 64 bits")
}
