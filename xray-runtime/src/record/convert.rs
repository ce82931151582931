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
