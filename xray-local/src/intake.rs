//! The only way into the store, for documents and spans from UDP and HTTP, and for replayed files.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::broadcast;

use crate::check::{check_datagram, request_refused, span_refused, spans_refused};
use crate::document::TraceId;
use crate::otlp::{self, Encoding, MAX_SPANS, Malformed};
use crate::recording::Recording;
use crate::store::{Outcome, Source, Store};

/// How many arrivals a subscriber may leave unread before it misses the oldest.
const ARRIVALS: usize = 16_384;

/// Puts documents into the store, appends them to the recording, and announces them to subscribers.
///
/// A clone is a handle to the same store, recording and subscribers.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    store: Store,
    recording: Option<Arc<Recording>>,
    arrivals: broadcast::Sender<TraceId>,
}

/// The result of taking the spans of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Spans {
    /// The traces of the taken spans.
    pub(crate) traces: BTreeSet<TraceId>,
    pub(crate) rejected: RejectedSpans,
}

/// The rejected spans of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RejectedSpans {
    pub(crate) count: usize,
    /// The reason for the first rejection.
    pub(crate) reason: Option<String>,
}

impl Intake {
    pub(crate) fn new(store: Store, recording: Option<Recording>) -> Self {
        Self { store, recording: recording.map(Arc::new), arrivals: broadcast::channel(ARRIVALS).0 }
    }

    /// Returns the store.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Takes one document, given as JSON text.
    ///
    /// A replayed document is not recorded again: replaying a file and recording into that file would double it.
    pub(crate) fn take(&self, text: &str, source: Source) -> Outcome {
        if let (Some(recording), true) = (&self.recording, source != Source::Replay) {
            recording.add(text);
        }
        self.announce(self.store.put(text, source))
    }

    /// Takes the document or the spans in a datagram.
    pub(crate) fn take_datagram(&self, datagram: &[u8]) {
        let reject = |finding| drop(self.store.reject(finding, Source::Udp, &String::from_utf8_lossy(datagram)));
        let body = match check_datagram(datagram) {
            Ok(body) => body,
            Err(finding) => return reject(finding),
        };
        if let Some(spans) = otlp::Datagram::of(body) {
            let request = spans.request().and_then(|request| {
                self.take_spans(&request, Encoding::Protobuf, Source::Udp).map_err(|error| error.to_string())
            });
            request.map_or_else(|reason| reject(spans_refused(&reason)), drop);
        } else if otlp::is_metrics(body) {
            reject(span_refused("the datagram holds metrics of OpenTelemetry, and X-Ray takes only traces".to_owned()));
        } else {
            self.take(body, Source::Udp);
        }
    }

    /// Takes the spans of an OTLP request.
    ///
    /// # Errors
    ///
    /// If the structure around the spans cannot be read. In this case, no span is taken.
    pub(crate) fn take_spans(&self, request: &[u8], encoding: Encoding, source: Source) -> Result<Spans, Malformed> {
        let mut spans = Spans::default();
        let unread = otlp::read(request, encoding, |translated| match translated {
            Ok(documents) => {
                let mut rejection = None;
                for document in documents {
                    let outcome = self.take_translated(document, source);
                    spans.traces.extend(outcome.trace);
                    rejection = rejection.or_else(|| outcome.rejection().cloned());
                }
                if let Some(finding) = rejection {
                    spans.rejected.add(1, finding.to_string());
                }
            }
            Err(reason) => {
                spans.rejected.add(1, reason.clone());
                self.store.reject(span_refused(reason), source, "");
            }
        })?;
        if unread > 0 {
            let reason = format!("a request has {unread} spans more than the {MAX_SPANS} that AWS accepts");
            spans.rejected.add(unread, reason.clone());
            self.store.reject(span_refused(reason), source, "");
        }
        Ok(spans)
    }

    /// Counts and reports a `PutTraceSegments` request that was refused as a whole.
    pub(crate) fn refuse(&self, message: &str) {
        self.store.reject(request_refused(message), Source::Http, "");
    }

    /// Counts and reports an OTLP request that was refused as a whole.
    pub(crate) fn refuse_spans(&self, message: &str) {
        self.store.reject(spans_refused(message), Source::Otlp, "");
    }

    /// Takes a document that was made from a span.
    fn take_translated(&self, document: Map<String, Value>, source: Source) -> Outcome {
        let text = serde_json::to_string(&document).expect("a map with texts as keys serializes");
        if let Some(recording) = &self.recording {
            recording.add(&text);
        }
        self.announce(self.store.put_span(document, &text, source))
    }

    /// Writes buffered documents to the recording. Called when no more documents are waiting.
    pub(crate) fn flush(&self) {
        if let Some(recording) = &self.recording {
            recording.flush();
        }
    }

    /// Subscribes to the trace ids of the documents taken from this call on.
    pub(crate) fn arrivals(&self) -> broadcast::Receiver<TraceId> {
        self.arrivals.subscribe()
    }

    fn announce(&self, outcome: Outcome) -> Outcome {
        if let Some(trace) = outcome.trace {
            // An error means that nobody subscribes, which is fine.
            let _ = self.arrivals.send(trace);
        }
        outcome
    }
}

impl RejectedSpans {
    fn add(&mut self, count: usize, reason: String) {
        self.count += count;
        self.reason.get_or_insert(reason);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::Limits;

    const TRACE: &str = "1-581cf771-a006649127e371903a2de979";

    fn intake() -> Intake {
        Intake::new(Store::new(Limits::default()), None)
    }

    fn document(id: u64) -> String {
        format!(r#"{{"id":"{id:016x}","trace_id":"{TRACE}","name":"shop","start_time":1.5,"end_time":1.75}}"#)
    }

    fn take_datagram(intake: &Intake, document: &str) -> (u64, u64) {
        taken(intake, format!("{{\"format\":\"json\",\"version\":1}}\n{document}").as_bytes())
    }

    /// Takes a datagram. Returns the number of documents taken, and the number of those with findings.
    fn taken(intake: &Intake, datagram: &[u8]) -> (u64, u64) {
        let before = intake.store.counters();
        intake.take_datagram(datagram);
        let after = intake.store.counters();
        (after.taken - before.taken, after.suspicious - before.suspicious)
    }

    #[test]
    fn rejected_datagrams_are_counted_and_reported_and_later_good_ones_are_stored() {
        let intake = intake();
        assert_eq!(taken(&intake, b"garbage"), (0, 0));
        assert_eq!(taken(&intake, &vec![0xff; 65_507]), (0, 0));
        assert_eq!(take_datagram(&intake, "{"), (0, 0));
        assert_eq!(take_datagram(&intake, &document(1).replace("shop", "shop?")), (0, 0));
        assert_eq!(take_datagram(&intake, &document(2).replace("shop\"", "shop\",\"colour\":1")), (1, 1));
        assert_eq!(take_datagram(&intake, &document(3)), (1, 0));

        let reports = intake.store.reports();
        let shown: Vec<_> =
            reports.iter().map(|report| (report.findings[0].field.as_str(), report.id.is_some())).collect();
        assert_eq!(shown, [("colour", true), ("name", true), ("", false), ("", false)]);
        assert_eq!(reports[3].count, 2);
        assert_eq!(reports[1].trace_id.as_deref(), Some(TRACE));
        let counters = intake.store.counters();
        assert_eq!((counters.received, counters.taken, counters.suspicious, counters.rejected), (6, 2, 1, 4));
        assert_eq!(intake.store.trace(TRACE).unwrap().segments.len(), 2);
    }

    #[test]
    fn only_documents_that_are_taken_are_announced() {
        let intake = intake();
        let mut arrivals = intake.arrivals();
        intake.take_datagram(b"garbage");
        intake.take("{", Source::Http);
        assert!(arrivals.try_recv().is_err());
        take_datagram(&intake, &document(1));
        assert_eq!(arrivals.try_recv().unwrap().to_string(), TRACE);
    }

    #[test]
    fn documents_are_recorded_unless_they_are_replayed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("documents.jsonl");
        let recording = Recording::append(&path).unwrap();
        let intake = Intake::new(Store::new(Limits::default()), Some(recording));
        take_datagram(&intake, &document(1));
        intake.take_datagram(b"garbage");
        intake.take(&document(2), Source::Http);
        intake.take(&document(3), Source::Replay);
        intake.flush();
        let recorded = std::fs::read_to_string(path).unwrap();
        assert_eq!(recorded, format!("{}\n{}\n", document(1), document(2)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn datagrams_of_random_bytes_are_rejected_and_a_good_document_is_taken_afterwards(
            datagrams in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
        ) {
            let intake = intake();
            for datagram in &datagrams {
                prop_assert_eq!(taken(&intake, datagram), (0, 0));
            }
            prop_assert_eq!(intake.store.counters().rejected, datagrams.len() as u64);
            prop_assert!(intake.take(&document(1), Source::Udp).is_taken());
        }
    }
}
