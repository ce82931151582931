//! The only way into the store, for documents from UDP, HTTP and replayed files.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::check::check_datagram;
use crate::document::TraceId;
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

impl Intake {
    pub(crate) fn new(store: Store, recording: Option<Recording>) -> Self {
        Self { store, recording: recording.map(Arc::new), arrivals: broadcast::channel(ARRIVALS).0 }
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

    /// Takes the document in a datagram.
    pub(crate) fn take_datagram(&self, datagram: &[u8]) -> Outcome {
        match check_datagram(datagram) {
            Ok(document) => self.take(document, Source::Udp),
            Err(finding) => self.store.reject(finding, Source::Udp, &String::from_utf8_lossy(datagram)),
        }
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

    fn take_datagram(intake: &Intake, document: &str) -> Outcome {
        intake.take_datagram(format!("{{\"format\":\"json\",\"version\":1}}\n{document}").as_bytes())
    }

    #[test]
    fn rejected_datagrams_are_counted_and_reported_and_later_good_ones_are_stored() {
        let intake = intake();
        assert!(!intake.take_datagram(b"garbage").is_taken());
        assert!(!intake.take_datagram(&vec![0xff; 65_507]).is_taken());
        assert!(!take_datagram(&intake, "{").is_taken());
        assert!(!take_datagram(&intake, &document(1).replace("shop", "shop?")).is_taken());
        let suspicious = take_datagram(&intake, &document(2).replace("shop\"", "shop\",\"colour\":1"));
        assert!(suspicious.is_taken() && !suspicious.findings.is_empty());
        assert!(take_datagram(&intake, &document(3)).is_taken());

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
                prop_assert!(!intake.take_datagram(datagram).is_taken());
            }
            prop_assert_eq!(intake.store.counters().rejected, datagrams.len() as u64);
            prop_assert!(intake.take(&document(1), Source::Udp).is_taken());
        }
    }
}
