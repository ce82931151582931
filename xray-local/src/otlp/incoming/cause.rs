//! The `cause` block, and the flags for errors.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::{Map, Value, json};

use super::attributes::{entry, integer, text};
use super::stack::{Exception, exceptions};

/// The flags of a segment or subsegment.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) error: bool,
    pub(super) fault: bool,
    pub(super) throttle: bool,
}

/// The parts of a span that determine its `cause` block.
pub(super) struct Outcome<'a> {
    pub(super) kind: SpanKind,
    pub(super) status: StatusCode,
    pub(super) message: String,
    pub(super) events: Vec<Event>,
    pub(super) is_aws_call: bool,
    pub(super) language: &'a str,
}

impl Flags {
    /// Returns the flags of a span. An HTTP status of 4xx or 5xx takes precedence over the status of the span.
    pub(super) fn of(http_status: Option<i64>, status: StatusCode) -> Self {
        match http_status {
            Some(code @ 400..=499) => Self { error: true, throttle: code == 429, fault: false },
            Some(500..=599) => Self { fault: true, ..Self::default() },
            _ => Self { fault: status == StatusCode::Error, ..Self::default() },
        }
    }
}

impl Outcome<'_> {
    /// Returns the `cause` block: the exceptions that the span recorded, or an exception with its status message. `id`
    /// returns the id of the exception at an index.
    pub(super) fn cause(self, id: impl Fn(usize) -> String) -> Option<Value> {
        let is_remote = matches!(self.kind, SpanKind::Client | SpanKind::Producer);
        let mut found = Vec::new();
        for event in self.events {
            match event.name.as_str() {
                "exception" => found.extend(recorded(event.attributes, is_remote, self.language)),
                "HTTP request failure" if self.is_aws_call => found.extend(failed_attempt(event)),
                _ => {}
            }
        }
        if found.is_empty() && self.status == StatusCode::Error && !self.message.is_empty() {
            found.push(Exception { message: self.message, ..Exception::default() });
        }
        let written = |(index, exception): (usize, Exception)| {
            let cause = exception.is_caused_by_next.then(|| id(index + 1));
            exception.written(id(index), cause)
        };
        let exceptions: Vec<Value> = found.into_iter().enumerate().map(written).collect();
        (!exceptions.is_empty()).then(|| json!({ "exceptions": exceptions }))
    }
}

impl Exception {
    fn written(self, id: String, cause: Option<String>) -> Value {
        let mut exception = Map::new();
        let texts = [("id", Some(id)), ("type", Some(self.kind)), ("message", Some(self.message)), ("cause", cause)];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.filter(|text| !text.is_empty())?)));
        exception.extend(texts.map(|(name, text)| (name.to_owned(), text.into())));
        if self.is_remote {
            exception.insert("remote".to_owned(), true.into());
        }
        if !self.stack.is_empty() {
            let frame = |(label, path, line): (String, String, u32)| {
                let texts = [("label", label), ("path", path)].into_iter().filter(|(_, text)| !text.is_empty());
                let texts = texts.map(|(name, text)| (name.to_owned(), Value::from(text)));
                Value::Object(texts.chain([("line".to_owned(), line.into())]).collect())
            };
            exception.insert("stack".to_owned(), self.stack.into_iter().map(frame).collect());
        }
        Value::Object(exception)
    }
}

/// Returns the exceptions of an event: the recorded exception, followed by the exceptions that caused it.
fn recorded(attributes: Vec<KeyValue>, is_remote: bool, language: &str) -> Vec<Exception> {
    let (mut exception, mut trace) = (Exception { is_remote, ..Exception::default() }, String::new());
    for (key, value) in attributes.into_iter().filter_map(entry) {
        let field = match key.as_str() {
            "exception.type" => &mut exception.kind,
            "exception.message" => &mut exception.message,
            "exception.stacktrace" => &mut trace,
            _ => continue,
        };
        *field = text(value).unwrap_or_default();
    }
    exceptions(exception, &trace, language)
}

/// Converts a failed attempt of an AWS SDK to an exception. The message has the form that ADOT uses:
/// `status@time@message`.
fn failed_attempt(event: Event) -> Option<Exception> {
    let (mut status, mut message) = (None, None);
    for (key, value) in event.attributes.into_iter().filter_map(entry) {
        match key.as_str() {
            "http.response.status_code" => status = integer(&value),
            "aws.http.error_message" => message = text(value),
            _ => {}
        }
    }
    let microseconds = event.time_unix_nano / 1_000;
    let time = format!("{}.{:06}", microseconds / 1_000_000, microseconds % 1_000_000);
    Some(Exception {
        kind: "aws.http.error.event".to_owned(),
        message: format!("{}@{time}@{}", status?, message?),
        is_remote: true,
        ..Exception::default()
    })
}
