//! Conversions between records and documents.

use std::mem;
use std::sync::Arc;

use super::{ClientData, Details, Label, Place, Record, Stage, Time, spare};
use crate::document::{Document, Http, HttpRequest};

impl Record {
    /// Returns whether the record has data for the block of the HTTP request.
    pub(super) fn has_request(&self) -> bool {
        let has_client = || self.details().is_some_and(|details| details.client != ClientData::default());
        self.method.is_some() || self.label.url().is_some() || has_client()
    }
}

impl From<Record> for Document {
    fn from(record: Record) -> Self {
        let has_request = record.has_request();
        let Record { id, start, end, label, method, response, namespace, .. } = record;
        let Record { error, throttle, fault, in_progress, stage: _, place, details, .. } = record;
        let details = details.map(|details| *details).unwrap_or_default();
        let Place { trace_id, parent_id, kind } = place.map(Arc::unwrap_or_clone).unwrap_or_default();
        let Details { client, cause, aws, sql, user, origin, .. } = details;
        let Details { annotations, metadata, links, mut subsegments, .. } = details;
        let ClientData { user_agent, client_ip, x_forwarded_for } = client;
        let mut subsegments = subsegments.take();
        let documents = subsegments.iter_mut().map(|subsegment| Self::from(mem::take(&mut **subsegment))).collect();
        spare::keep(subsegments);
        let url = label.url().map(str::to_owned);
        let request = has_request.then_some(HttpRequest { method, url, user_agent, client_ip, x_forwarded_for });
        Self {
            id,
            trace_id,
            parent_id,
            kind,
            name: label.name().to_owned(),
            namespace,
            start_time: start.seconds(),
            end_time: end.map(Time::seconds),
            in_progress,
            error,
            throttle,
            fault,
            cause,
            http: (request.is_some() || response.is_some()).then_some(Http { request, response }),
            aws,
            sql,
            user,
            origin,
            annotations,
            metadata,
            links,
            subsegments: documents,
        }
    }
}

impl From<Document> for Record {
    fn from(document: Document) -> Self {
        let Document { id, trace_id, parent_id, kind, name, namespace, start_time, end_time, in_progress, .. } =
            document;
        let Document { error, throttle, fault, cause, http, aws, sql, user, origin, .. } = document;
        let Document { annotations, metadata, links, subsegments, .. } = document;
        let Http { request, response } = http.unwrap_or_default();
        let HttpRequest { method, url, user_agent, client_ip, x_forwarded_for } = request.unwrap_or_default();
        let label = Label::named(&name);
        let place = Place { trace_id, parent_id, kind };
        let mut record = Self {
            id,
            start: Time::from_seconds(start_time),
            end: end_time.map(Time::from_seconds),
            label: url.map(|url| label.and_url(&url)).unwrap_or(label),
            method,
            response,
            namespace,
            error,
            throttle,
            fault,
            in_progress,
            stage: Stage::Started,
            place: (place != Place::default()).then(|| Arc::new(place)),
            details: None,
        };
        let client = ClientData { user_agent, client_ip, x_forwarded_for };
        let details = record.details_mut();
        *details = Details { client, cause, aws, sql, user, origin, ..Details::default() };
        (details.annotations, details.metadata, details.links) = (annotations, metadata, links);
        for subsegment in subsegments {
            details.subsegments.push(Box::new(Self::from(subsegment)));
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document with each field.
    const FULL: &str = r#"{
        "id": "53995c3f42cd8ad8", "trace_id": "1-5759e988-bd862e3fe1be46a994272793", "parent_id": "53995c3f42cd8ad7",
        "type": "subsegment", "name": "pay", "namespace": "aws", "start_time": 1480615200.010001,
        "end_time": 1480615200.090002, "in_progress": true, "error": true, "throttle": true, "fault": true,
        "cause": { "exceptions": [{ "id": "53995c3f42cd8ad6", "message": "refused", "type": "Error" }] },
        "http": {
            "request": {
                "method": "GET", "url": "https://example.com/pay", "user_agent": "curl", "client_ip": "10.0.0.1",
                "x_forwarded_for": true
            },
            "response": { "status": 429, "content_length": 7 }
        },
        "aws": { "operation": "PutItem", "xray": { "sdk": "X-Ray for Rust", "sdk_version": "1.0.0" } },
        "sql": { "database_type": "SQLite", "sanitized_query": "SELECT ?", "user": "me" },
        "user": "user-7", "origin": "AWS::ECS::Container", "annotations": { "paid": true },
        "metadata": { "default": { "items": [1, 2] } },
        "links": [{ "trace_id": "1-5759e988-bd862e3fe1be46a994272794", "id": "53995c3f42cd8ad5" }],
        "subsegments": [{ "id": "53995c3f42cd8ad4", "name": "inner", "start_time": 1480615200.020003 }]
    }"#;

    fn stays_the_same(document: &Document) {
        assert_eq!(Document::from(Record::from(document.clone())), *document);
        let mut json = Vec::new();
        Record::from(document.clone()).write_json(&mut json);
        assert_eq!(serde_json::from_slice::<Document>(&json).unwrap(), *document);
    }

    #[test]
    fn a_document_stays_the_same_as_a_record() {
        let document: Document = serde_json::from_str(FULL).unwrap();
        let json: serde_json::Value = serde_json::from_str(FULL).unwrap();
        assert_eq!(serde_json::to_value(&document).unwrap(), json, "no field is lost");
        stays_the_same(&document);
    }

    #[test]
    fn each_part_of_a_request_makes_a_block_of_its_own() {
        for http in [
            r#"{ "request": { "method": "GET" } }"#,
            r#"{ "request": { "url": "https://example.com/pay" } }"#,
            r#"{ "request": { "user_agent": "curl" } }"#,
            r#"{ "request": { "client_ip": "10.0.0.1", "x_forwarded_for": true } }"#,
            r#"{ "response": { "status": 200 } }"#,
            r#"{ "response": { "content_length": 7 } }"#,
        ] {
            let json = format!(r#"{{ "id": "53995c3f42cd8ad8", "name": "pay", "start_time": 1.5, "http": {http} }}"#);
            stays_the_same(&serde_json::from_str(&json).unwrap());
        }
    }
}
