//! The spans of one request.

use std::collections::BTreeMap;
use std::mem;

use tokio::time::Instant;

use super::settings::BatchLimits;
use crate::emitter::Subject;
use crate::emitter::counts::Counts;

/// A document between the queue and a batch. If the task ends before the document is in a batch, the document counts as
/// dropped.
pub(super) struct PendingDocument<'a> {
    counts: &'a Counts,
    is_in_batch: bool,
}

impl<'a> PendingDocument<'a> {
    pub(super) fn new(counts: &'a Counts) -> Self {
        Self { counts, is_in_batch: false }
    }
}

impl Drop for PendingDocument<'_> {
    fn drop(&mut self) {
        if !self.is_in_batch {
            self.counts.dropped(1);
        }
    }
}

/// Spans as JSON, grouped by resource. Counts each of its documents once, even if the task dies.
pub(super) struct Batch<'a> {
    limits: BatchLimits,
    counts: &'a Counts,
    /// The index in `parts` of each resource. The key is the JSON of the resource.
    resources: BTreeMap<Vec<u8>, usize>,
    /// For each resource, the part of the request with its spans, without the closing brackets. The first part also
    /// opens the request.
    parts: Vec<Vec<u8>>,
    spans: usize,
    bytes: usize,
    documents: u64,
    /// The time at which the first span was added.
    begun: Option<Instant>,
    /// The subjects of the documents. Empty if the log level `Debug` is off.
    subjects: Vec<Subject>,
}

/// The JSON of the spans of one document.
#[derive(Default)]
pub(super) struct Spans {
    json: Vec<u8>,
    /// The position in the JSON at which each span ends. A comma separates the spans.
    ends: Vec<usize>,
}

impl Spans {
    /// Adds the span that `write` appends. Returns the length of its JSON.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        if !self.ends.is_empty() {
            self.json.push(b',');
        }
        let start = self.json.len();
        write(&mut self.json);
        self.ends.push(self.json.len());
        self.json.len() - start
    }

    /// Removes the last span.
    pub(super) fn pop(&mut self) {
        self.ends.pop();
        self.json.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Returns the number of spans.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn clear(&mut self) {
        self.json.clear();
        self.ends.clear();
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.ends.iter().map(|end| end + 1));
        starts.zip(&self.ends).map(|(start, end)| &self.json[start..*end])
    }
}

/// An upper bound on the bytes of a request around the resource and its spans.
const ENVELOPE: usize = 200;

impl<'a> Batch<'a> {
    pub(super) fn new(limits: BatchLimits, counts: &'a Counts) -> Self {
        let (resources, parts, subjects) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { limits, counts, resources, parts, spans: 0, bytes: 0, documents: 0, begun: None, subjects }
    }

    /// Returns the time by which the batch must be sent, or `None` if the batch is empty.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.begun.map(|begun| begun + self.limits.delay)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spans == 0
    }

    /// Returns whether the batch probably has no room for another document.
    pub(super) fn is_full(&self) -> bool {
        /// The bytes of a segment with one call.
        const SMALL: usize = 1500;
        self.spans >= self.limits.spans || self.bytes + SMALL > self.limits.bytes
    }

    /// Returns whether the spans of a document fit into the batch.
    pub(super) fn has_room(&self, resource: &[u8], spans: &Spans) -> bool {
        self.has_room_for(resource, spans.ends.len(), spans.json.len())
    }

    fn has_room_for(&self, resource: &[u8], spans: usize, bytes: usize) -> bool {
        let resource = if self.resources.contains_key(resource) { 1 } else { resource.len() + ENVELOPE };
        self.spans + spans <= self.limits.spans && self.bytes + resource + bytes <= self.limits.bytes
    }

    /// Begins a document. [`add`](Self::add) adds its spans.
    pub(super) fn begin(&mut self, mut document: PendingDocument<'_>, subject: Option<Subject>) {
        document.is_in_batch = true;
        self.documents += 1;
        self.subjects.extend(subject);
    }

    /// Begins the rest of a document whose first spans were sent. The rest counts as another document, like a part of a
    /// document that is split for the daemon.
    pub(super) fn begin_rest(&mut self) {
        self.counts.split(1);
        self.documents += 1;
    }

    /// Adds spans of the current document, starting with the span number `first`, until the batch is full. An empty
    /// batch takes at least one span. Returns the number of the first span that was not added.
    pub(super) fn add(&mut self, resource: &[u8], spans: &Spans, first: usize) -> usize {
        if first == 0 && self.has_room(resource, spans) {
            self.append(resource, &spans.json, spans.len());
            return spans.len();
        }
        let mut added = first;
        for span in spans.iter().skip(first) {
            if !self.is_empty() && !self.has_room_for(resource, 1, span.len()) {
                break;
            }
            self.append(resource, span, 1);
            added += 1;
        }
        added
    }

    /// Appends spans to the part of their resource.
    fn append(&mut self, resource: &[u8], json: &[u8], spans: usize) {
        if let Some(number) = self.resources.get(resource) {
            let part = &mut self.parts[*number];
            part.push(b',');
            part.extend_from_slice(json);
        } else {
            let begin: &[u8] =
                if self.parts.is_empty() { br#"{"resourceSpans":[{"resource":"# } else { br#",{"resource":"# };
            self.resources.insert(resource.to_vec(), self.parts.len());
            self.parts.push([begin, resource, SCOPE, json].concat());
            self.bytes += resource.len() + ENVELOPE;
        }
        self.begun.get_or_insert_with(Instant::now);
        self.bytes += json.len() + 1;
        self.spans += spans;
    }

    /// Takes the body of the request and leaves a batch without spans. The batch keeps its documents until
    /// [`finish`](Self::finish) counts them.
    pub(super) fn take_body(&mut self) -> Vec<u8> {
        const END: &[u8] = b"]}]}";
        self.resources.clear();
        (self.spans, self.bytes, self.begun) = (0, 0, None);
        let mut parts = mem::take(&mut self.parts).into_iter();
        // Most requests have one resource, so nothing is copied.
        let mut body = parts.next().unwrap_or_default();
        body.extend_from_slice(END);
        for part in parts {
            body.extend_from_slice(&part);
            body.extend_from_slice(END);
        }
        body.extend_from_slice(b"]}");
        body
    }

    /// Counts `dropped` documents of the batch as dropped, and the others as sent. Returns the subjects of the
    /// documents.
    pub(super) fn finish(&mut self, dropped: u64) -> Vec<Subject> {
        let documents = mem::take(&mut self.documents);
        let dropped = dropped.min(documents);
        self.counts.sent(documents - dropped);
        self.counts.dropped(dropped);
        mem::take(&mut self.subjects)
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.finish(u64::MAX);
    }
}

/// The part of a request between a resource and its spans.
const SCOPE: &[u8] =
    concat!(r#","scopeSpans":[{"scope":{"name":"xray-sdk","version":""#, env!("CARGO_PKG_VERSION"), r#""},"spans":["#)
        .as_bytes();

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::emitter::Deliveries;
    use crate::support::stats::Counters;

    const LIMITS: BatchLimits = BatchLimits { spans: 3, bytes: 10_000, delay: Duration::ZERO };

    fn spans(count: usize) -> Spans {
        let mut spans = Spans::default();
        for _ in 0..count {
            spans.push(|json| json.extend_from_slice(b"{}"));
        }
        spans
    }

    /// Returns the numbers of documents that `run` counts as emitted, sent and dropped.
    fn counted(run: impl FnOnce(&Counts)) -> [u64; 3] {
        let (counters, counts) = (Arc::new(Counters::default()), Counts::default());
        counts.claim(&Deliveries::new(Arc::clone(&counters), "shop"));
        run(&counts);
        let stats = counters.snapshot();
        [stats.documents_emitted, stats.documents_sent, stats.documents_dropped]
    }

    /// Adds a document of one span.
    fn add(batch: &mut Batch<'_>, counts: &Counts) {
        batch.begin(PendingDocument::new(counts), None);
        assert_eq!(batch.add(b"{}", &spans(1), 0), 1);
    }

    #[test]
    fn every_document_is_counted_once_however_the_task_ends() {
        assert_eq!(counted(|counts| drop(PendingDocument::new(counts))), [0, 0, 1], "before it is in a batch");
        assert_eq!(counted(|counts| add(&mut Batch::new(LIMITS, counts), counts)), [0, 0, 1], "before it is sent");
        let in_a_request = |counts: &Counts| {
            let mut batch = Batch::new(LIMITS, counts);
            add(&mut batch, counts);
            batch.take_body();
        };
        assert_eq!(counted(in_a_request), [0, 0, 1]);
        for (dropped, sent_and_dropped) in [(0, [0, 2, 0]), (1, [0, 1, 1]), (u64::MAX, [0, 0, 2])] {
            let finished = |counts: &Counts| {
                let mut batch = Batch::new(LIMITS, counts);
                (0..2).for_each(|_| add(&mut batch, counts));
                batch.take_body();
                batch.finish(dropped);
            };
            assert_eq!(counted(finished), sent_and_dropped);
        }
    }

    #[test]
    fn a_batch_is_full_by_spans_and_by_bytes() {
        let counts = Counts::default();
        let mut batch = Batch::new(LIMITS, &counts);
        for is_full in [false, false, true] {
            add(&mut batch, &counts);
            assert_eq!(batch.is_full(), is_full);
        }
        // One span with its resource, and room for another segment of 1,500 bytes.
        let bytes = b"{}".len() + ENVELOPE + b"{},".len() + 1500;
        for (bytes, is_full) in [(bytes, false), (bytes - 1, true)] {
            let mut batch = Batch::new(BatchLimits { bytes, ..LIMITS }, &counts);
            add(&mut batch, &counts);
            assert_eq!(batch.is_full(), is_full, "{bytes}");
        }
    }

    #[test]
    fn a_document_fits_up_to_the_limit_and_waits_no_longer_than_the_delay() {
        let counts = Counts::default();
        // One span with its resource.
        let bytes = b"{}".len() + ENVELOPE + b"{}".len();
        for (bytes, fits) in [(bytes, true), (bytes - 1, false)] {
            let batch = Batch::new(BatchLimits { bytes, ..LIMITS }, &counts);
            assert_eq!(batch.has_room(b"{}", &spans(1)), fits, "{bytes}");
        }
        let (start, delay) = (Instant::now(), Duration::from_secs(3600));
        let mut batch = Batch::new(BatchLimits { delay, ..LIMITS }, &counts);
        add(&mut batch, &counts);
        assert!(batch.deadline().is_some_and(|deadline| (start + delay..=Instant::now() + delay).contains(&deadline)));
    }

    #[test]
    fn a_document_that_does_not_fit_counts_as_its_parts() {
        let counts = counted(|counts| {
            let (mut batch, spans) = (Batch::new(LIMITS, counts), spans(7));
            batch.begin(PendingDocument::new(counts), None);
            let mut added = batch.add(b"{}", &spans, 0);
            assert!(!batch.has_room(b"{}", &spans));
            while added < spans.len() {
                batch.take_body();
                batch.finish(0);
                batch.begin_rest();
                added = batch.add(b"{}", &spans, added);
            }
            batch.finish(0);
        });
        assert_eq!(counts, [2, 3, 0], "the recorder has counted the first part as emitted");
    }

    #[test]
    fn spans_stand_below_their_resource() {
        let counts = Counts::default();
        let mut batch = Batch::new(LIMITS, &counts);
        for resource in [&br#"{"a":1}"#[..], br#"{"b":1}"#, br#"{"a":1}"#] {
            batch.begin(PendingDocument::new(&counts), None);
            batch.add(resource, &spans(1), 0);
        }
        let body: serde_json::Value = serde_json::from_slice(&batch.take_body()).unwrap();
        let resources = body["resourceSpans"].as_array().unwrap();
        let spans = resources.iter().map(|resource| {
            (resource["resource"].to_string(), resource["scopeSpans"][0]["spans"].as_array().unwrap().len())
        });
        assert_eq!(spans.collect::<Vec<_>>(), [(r#"{"a":1}"#.to_owned(), 2), (r#"{"b":1}"#.to_owned(), 1)]);
        assert!(batch.is_empty() && batch.deadline().is_none());
    }
}
