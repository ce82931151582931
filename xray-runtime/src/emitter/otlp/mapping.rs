//! Converts segments and subsegments into spans.
//!
//! The X-Ray exporter of the OpenTelemetry collector converts the spans back into documents. `docs/opentelemetry.md`
//! lists how these differ from the original documents, and the test `collector` checks the list. An attribute has the
//! name from OpenTelemetry's semantic conventions if the exporter reads that name, else the exporter's own name.
//! (Package `awsxrayexporter`, `internal/translator`.)

use std::fmt::Write as _;

use super::attributes::write_attributes;
use super::names::{SpanNames, name};
use super::wire::{Value, WriteAttribute as _, write_time};
use crate::document::{Cause, Document, Exception, Namespace};
use crate::id::{SegmentId, TraceId};
use crate::support::json::{List, Object};

/// Kinds of spans. (`Span.SpanKind` in `trace.proto`.)
const INTERNAL: u8 = 1;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
/// The status of a span that failed. (`Status.StatusCode` in `trace.proto`.)
const STATUS_ERROR: u8 = 2;

/// A segment or subsegment of a document, with the ids of its trace and parent.
#[derive(Clone, Copy)]
pub(super) struct Entity<'a> {
    pub(super) document: &'a Document,
    trace_id: TraceId,
    parent_id: Option<SegmentId>,
    /// `true` for a segment.
    pub(super) is_segment: bool,
}

/// An iterator over the segments and subsegments of a document. Yields each one before its own subsegments.
pub(super) struct Entities<'a>(Vec<Entity<'a>>);

impl<'a> Entities<'a> {
    /// Returns the entities of a document, or `None` if the document has no trace id.
    pub(super) fn of(document: &'a Document) -> Option<Self> {
        let trace_id = document.trace_id?;
        let is_segment = document.kind.is_none();
        Some(Self(vec![Entity { document, trace_id, parent_id: document.parent_id, is_segment }]))
    }
}

impl<'a> Iterator for Entities<'a> {
    type Item = Entity<'a>;

    fn next(&mut self) -> Option<Entity<'a>> {
        let entity = self.0.pop()?;
        let Entity { document, trace_id, .. } = entity;
        let inside = document.subsegments.iter().rev().map(|document| Entity {
            document,
            trace_id,
            parent_id: Some(entity.document.id),
            is_segment: false,
        });
        self.0.extend(inside);
        Some(entity)
    }
}

impl Entity<'_> {
    /// Returns the entity with another document, such as a trimmed copy.
    pub(super) fn with_document(self, document: &Document) -> Entity<'_> {
        Entity { document, trace_id: self.trace_id, parent_id: self.parent_id, is_segment: self.is_segment }
    }

    /// Writes the span of the entity alone, without its subsegments.
    pub(super) fn write_span(self, names: SpanNames, json: &mut Vec<u8>) {
        let document = self.document;
        let end_time = document.end_time.unwrap_or(document.start_time);
        let mut span = Object::begin(json);
        span.plain_text("traceId", &self.trace_id.to_w3c());
        span.plain_text("spanId", &document.id.to_ascii());
        if let Some(parent_id) = self.parent_id {
            span.plain_text("parentSpanId", &parent_id.to_ascii());
        }
        span.text("name", &name(document, self.is_segment, names));
        span.value("kind", &self.kind());
        write_time(&mut span, "startTimeUnixNano", document.start_time);
        write_time(&mut span, "endTimeUnixNano", end_time);
        span.list("attributes", |list| write_attributes(document, self.is_segment, names, list));
        span.list("events", |list| write_events(document, end_time, list));
        span.list("links", |list| {
            for link in &document.links {
                let mut object = list.object();
                object.plain_text("traceId", &link.trace_id.to_w3c());
                object.plain_text("spanId", &link.id.to_ascii());
                object.end();
            }
        });
        write_status(document, &mut span);
        span.end();
    }

    fn kind(self) -> u8 {
        match self.document.namespace {
            _ if self.is_segment => SERVER,
            Some(Namespace::Aws | Namespace::Remote) => CLIENT,
            None => INTERNAL,
        }
    }
}

/// Writes the status of a failed span, with the message of its error. Writes nothing for any other span.
fn write_status(document: &Document, span: &mut Object<'_>) {
    if !(document.error || document.fault || document.throttle) {
        return;
    }
    let message = match &document.cause {
        Some(Cause::Exceptions(cause)) => cause.exceptions.first().and_then(|exception| exception.message.as_deref()),
        // The exception is in a subsegment. A span cannot refer to an event of another span, so this span repeats the
        // message.
        Some(Cause::Reference(id)) => message_of(document, *id),
        None => None,
    };
    let mut status = span.object("status");
    status.value("code", &STATUS_ERROR);
    if let Some(message) = message {
        status.text("message", message);
    }
    status.end();
}

/// Returns the message of an exception that a subsegment recorded.
fn message_of(document: &Document, id: SegmentId) -> Option<&str> {
    document.subsegments.iter().find_map(|subsegment| {
        let Some(Cause::Exceptions(cause)) = &subsegment.cause else { return message_of(subsegment, id) };
        let found = cause.exceptions.iter().find(|exception| exception.id == id);
        found.map_or_else(|| message_of(subsegment, id), |exception| exception.message.as_deref())
    })
}

/// Writes the events of a span: the length of a response, and the exceptions.
fn write_events(document: &Document, end_time: f64, list: &mut List<'_>) {
    let response = document.http.as_ref().and_then(|http| http.response.as_ref());
    if let Some(length) = response.and_then(|response| response.content_length).filter(|length| *length > 0) {
        // The collector's exporter reads the length from an event. It would copy an attribute of the span into the
        // metadata. Version 0.120.0 reads the third key, and newer versions read the second key.
        write_event("message", end_time, list, |list| {
            list.attribute("message.type", "RECEIVED");
            list.attribute("messaging.message.body.size", length);
            list.attribute("messaging.message_payload_size_bytes", length);
        });
    }
    if let Some(Cause::Exceptions(cause)) = &document.cause {
        for exception in &cause.exceptions {
            write_event("exception", end_time, list, |list| write_exception(exception, list));
        }
    }
}

fn write_event(name: &str, time: f64, list: &mut List<'_>, write: impl FnOnce(&mut List<'_>)) {
    let mut event = list.object();
    write_time(&mut event, "timeUnixNano", time);
    event.text("name", name);
    event.list("attributes", write);
    event.end();
}

/// Writes the attributes of an exception. The attributes `aws.xray.exception.*` are unknown to OpenTelemetry; the
/// collector's X-Ray receiver writes them too.
fn write_exception(exception: &Exception, list: &mut List<'_>) {
    let stack = (!exception.stack.is_empty()).then(|| stack_trace(exception));
    let id = |id: SegmentId| Value::from(id.to_string());
    for (key, value) in [
        ("exception.type", exception.kind.as_deref().map(Value::from)),
        ("exception.message", exception.message.as_deref().map(Value::from)),
        ("exception.stacktrace", stack.map(Value::from)),
        ("aws.xray.exception.id", Some(id(exception.id))),
        ("aws.xray.exception.remote", exception.remote.map(Value::from)),
        ("aws.xray.exception.truncated", exception.truncated.map(|frames| Value::from(i64::from(frames)))),
        ("aws.xray.exception.skipped", exception.skipped.map(|exceptions| Value::from(i64::from(exceptions)))),
        ("aws.xray.exception.cause", exception.cause.map(id)),
    ] {
        if let Some(value) = value {
            list.attribute(key, value);
        }
    }
}

/// Returns the stack of an exception as text, in the form of Rust's backtraces.
fn stack_trace(exception: &Exception) -> String {
    let mut text = String::new();
    for (number, frame) in exception.stack.iter().enumerate() {
        let label = frame.label.as_deref().unwrap_or("<unknown>");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{number:4}: {label}");
        if let Some(path) = &frame.path {
            let _ = writeln!(text, "             at {path}:{}", frame.line.unwrap_or_default());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::document::{Exceptions, Http, HttpResponse, StackFrame};
    use crate::support::json::written;

    fn events(document: &Document) -> Json {
        written(|object| object.list("events", |list| write_events(document, 1.0, list)))["events"].take()
    }

    #[test]
    fn only_a_response_with_a_body_is_an_event() {
        for (content_length, is_event) in [(None, false), (Some(-1), false), (Some(0), false), (Some(1), true)] {
            let response = HttpResponse { status: Some(200), content_length };
            let mut document = Document::new(SegmentId::random(), "call".to_owned(), 1.0);
            document.http = Some(Http { request: None, response: Some(response) });
            assert_eq!(events(&document).is_array(), is_event, "{content_length:?}");
        }
    }

    #[test]
    fn a_stack_is_written_as_rust_prints_it() {
        let stack = vec![
            StackFrame { label: Some("app::pay".to_owned()), path: Some("src/pay.rs".to_owned()), line: Some(7) },
            StackFrame::default(),
        ];
        for (stack, expected) in [
            (stack, json!("   0: app::pay\n             at src/pay.rs:7\n   1: <unknown>\n")),
            (Vec::new(), Json::Null),
        ] {
            let exceptions = vec![Exception { stack, ..Exception::panic("out") }];
            let mut document = Document::new(SegmentId::random(), "call".to_owned(), 1.0);
            document.cause = Some(Cause::Exceptions(Box::new(Exceptions { exceptions, ..Exceptions::default() })));
            let events = events(&document);
            let attributes = events[0]["attributes"].as_array().unwrap();
            let written = attributes.iter().find(|attribute| attribute["key"] == "exception.stacktrace");
            assert_eq!(written.map_or(Json::Null, |written| written["value"]["stringValue"].clone()), expected);
        }
    }
}
