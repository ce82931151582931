//! Writes records as the JSON of segment documents.
//!
//! The fields and their order are those of [`Document`](crate::document::Document), which can read and write the JSON
//! too. This writer needs no document, and copies the data only into the buffer.

use super::{Details, Place, Record, Time};
use crate::document::{HttpResponse, Kind, Namespace};
use crate::support::json::Object;

impl Record {
    /// Appends the JSON of the record and of its subsegments.
    pub(crate) fn write_json(&self, buffer: &mut Vec<u8>) {
        let mut object = Object::begin(buffer);
        // The ids must come first. For its log of refused documents, the daemon searches the JSON for the first match
        // of `"id":"(.*?)"` and `"trace_id":"(.*?)"`, and exceptions and subsegments have ids too.
        object.plain_text("id", &self.id.to_ascii());
        if let Some(Place { trace_id, parent_id, kind }) = self.place.as_deref() {
            if let Some(id) = trace_id {
                object.plain_text("trace_id", &id.to_ascii());
            }
            if let Some(id) = parent_id {
                object.plain_text("parent_id", &id.to_ascii());
            }
            if let Some(Kind::Subsegment) = kind {
                object.plain_text("type", b"subsegment");
            }
        }
        object.utf8("name", self.label.name_bytes());
        match self.namespace {
            Some(Namespace::Remote) => object.plain_text("namespace", b"remote"),
            Some(Namespace::Aws) => object.plain_text("namespace", b"aws"),
            None => {}
        }
        write_time(object.key("start_time"), self.start);
        if let Some(end) = self.end {
            write_time(object.key("end_time"), end);
        }
        for (name, flag) in [
            ("in_progress", self.in_progress),
            ("error", self.error),
            ("throttle", self.throttle),
            ("fault", self.fault),
        ] {
            if flag {
                object.value(name, &true);
            }
        }
        let details = self.details();
        if let Some(cause) = details.and_then(|details| details.cause.as_ref()) {
            object.value("cause", cause);
        }
        self.write_http(&mut object);
        if let Some(details) = details {
            details.write(&mut object);
        }
        object.end();
    }

    fn write_http(&self, object: &mut Object<'_>) {
        let request = self.has_request();
        if !request && self.response.is_none() {
            return;
        }
        let mut http = object.object("http");
        if request {
            let mut object = http.object("request");
            if let Some(method) = &self.method {
                object.text("method", method);
            }
            if let Some(url) = self.label.url_bytes() {
                object.utf8("url", url);
            }
            if let Some(Details { client, .. }) = self.details() {
                object.optional_text("user_agent", client.user_agent.as_deref());
                object.optional_text("client_ip", client.client_ip.as_deref());
                if client.x_forwarded_for {
                    object.value("x_forwarded_for", &true);
                }
            }
            object.end();
        }
        if let Some(HttpResponse { status, content_length }) = self.response {
            let mut object = http.object("response");
            if let Some(status) = status {
                object.number("status", status);
            }
            if let Some(length) = content_length {
                object.number("content_length", length);
            }
            object.end();
        }
        http.end();
    }
}

impl Details {
    /// Writes the fields that follow `http`.
    fn write(&self, object: &mut Object<'_>) {
        if let Some(aws) = &self.aws {
            object.value("aws", aws);
        }
        if let Some(sql) = &self.sql {
            object.value("sql", sql);
        }
        object.optional_text("user", self.user.as_deref());
        object.optional_text("origin", self.origin.as_deref());
        if !self.annotations.is_empty() {
            object.value("annotations", &self.annotations);
        }
        if !self.metadata.is_empty() {
            object.value("metadata", &self.metadata);
        }
        if !self.links.is_empty() {
            object.value("links", &self.links);
        }
        object.list("subsegments", |list| {
            for subsegment in self.subsegments.records() {
                subsegment.write_json(list.item());
            }
        });
    }
}

/// Writes a time in seconds, with six digits behind the point.
fn write_time(buffer: &mut Vec<u8>, time: Time) {
    const POINT: u32 = 1_000_000;

    let (seconds, micros) = time.parts();
    let mut digits = itoa::Buffer::new();
    buffer.extend_from_slice(digits.format(seconds).as_bytes());
    let point = buffer.len();
    // The leading 1 keeps the zeros behind it, and becomes the point.
    buffer.extend_from_slice(digits.format(POINT + micros).as_bytes());
    buffer[point] = b'.';
}
