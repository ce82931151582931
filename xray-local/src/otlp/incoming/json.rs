//! Reads requests in JSON.

use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    MAX_GROUPS, MAX_RESOURCE_BYTES, MAX_SPAN_BYTES, MAX_SPANS, Malformed, Part, proto_json, resource_too_large,
    span_too_large,
};
use crate::bounded::Bounded;

// Each level is read as raw text, and the next level is read from that text. So a body of eight million characters
// never becomes two million spans in memory.

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow, default)]
    resource_spans: Option<Bounded<&'a RawValue, MAX_GROUPS>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
    #[serde(borrow, default)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default)]
    scope_spans: Option<Bounded<&'a RawValue, MAX_GROUPS>>,
}

#[derive(Deserialize)]
struct ScopeSpans<'a> {
    #[serde(borrow, default)]
    spans: Option<Bounded<&'a RawValue, MAX_SPANS>>,
}

/// Passes each resource and its spans to `take`. Returns the number of spans beyond [`MAX_SPANS`], which are not read.
pub(super) fn read(body: &[u8], take: &mut impl FnMut(Part)) -> Result<usize, Malformed> {
    let body = std::str::from_utf8(body).map_err(|error| malformed("the body", &error))?;
    let request: Request<'_> = object(body).map_err(|error| malformed("the body", &error))?;
    let request = groups(request.resource_spans.unwrap_or_default(), "resourceSpans")?;
    // Check the structure before reading the first span, so that no span of a malformed request is taken.
    for text in &request {
        let (_, scopes) = resource_spans(text)?;
        scopes.iter().try_for_each(|text| spans(text).map(drop))?;
    }
    let (mut left, mut unread) = (MAX_SPANS, 0);
    for text in request {
        let (resource, scopes) = resource_spans(text)?;
        take(Part::Resource(match resource {
            Some(text) if text.len() > MAX_RESOURCE_BYTES => Err(resource_too_large(text.len())),
            Some(text) => proto_json::read(text)
                .map(Option::unwrap_or_default)
                .map_err(|error| format!("the resource of the span cannot be read: {error}")),
            None => Ok(Resource::default()),
        }));
        for text in scopes {
            let spans = spans(text)?;
            unread += spans.count().saturating_sub(left);
            for span in spans.into_first().into_iter().take(left) {
                left -= 1;
                take(Part::Span(decoded(span.get())));
            }
        }
    }
    Ok(unread)
}

fn decoded(span: &str) -> Result<Box<Span>, String> {
    if span.len() > MAX_SPAN_BYTES {
        return Err(span_too_large(span.len()));
    }
    proto_json::read(span).map_err(|error| format!("the span cannot be read: {error}"))
}

fn resource_spans(text: &RawValue) -> Result<(Option<&str>, Vec<&RawValue>), Malformed> {
    let ResourceSpans { resource, scope_spans } =
        object(text.get()).map_err(|error| malformed("an element of `resourceSpans`", &error))?;
    Ok((resource.map(RawValue::get), groups(scope_spans.unwrap_or_default(), "scopeSpans")?))
}

fn spans(text: &RawValue) -> Result<Bounded<&RawValue, MAX_SPANS>, Malformed> {
    let scope: Result<ScopeSpans<'_>, _> = object(text.get());
    Ok(scope.map_err(|error| malformed("an element of `scopeSpans`", &error))?.spans.unwrap_or_default())
}

/// Reads an object. `serde_json` alone would also read the fields from an array.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    if !text.trim_start().starts_with('{') {
        return Err("it must be an object".to_owned());
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn groups<'a>(list: Bounded<&'a RawValue, MAX_GROUPS>, field: &str) -> Result<Vec<&'a RawValue>, Malformed> {
    list.checked(field).map_err(|error| Malformed(error.to_string()))
}

fn malformed(what: &str, error: &dyn std::fmt::Display) -> Malformed {
    Malformed(format!("{what} is not OTLP in JSON: {error}"))
}
