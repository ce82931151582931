//! The one way into the store, for what comes by UDP, by HTTP or from a recording.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::check::check_datagram;
use crate::document::TraceId;
use crate::recording::Recording;
use crate::store::{Outcome, Source, Store};

/// So many arrivals may be unread by who listens to them.
const ARRIVALS: usize = 16_384;

/// The store and all who hear of what comes; a clone is the same ones.
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

    pub(crate) fn take(&self, text: &str, source: Source) -> Outcome {
        if let (Some(recording), true) = (&self.recording, source != Source::Replay) {
            recording.add(text);
        }
        self.told(self.store.put(text, source))
    }

    pub(crate) fn take_datagram(&self, datagram: &[u8]) -> Outcome {
        if let (Some(recording), Ok(text)) = (&self.recording, check_datagram(datagram)) {
            recording.add(text);
        }
        self.told(self.store.put_datagram(datagram))
    }

    /// Nothing comes for now.
    pub(crate) fn settle(&self) {
        if let Some(recording) = &self.recording {
            recording.flush();
        }
    }

    /// The trace of each document that is taken from now on.
    pub(crate) fn arrivals(&self) -> broadcast::Receiver<TraceId> {
        self.arrivals.subscribe()
    }

    fn told(&self, outcome: Outcome) -> Outcome {
        if let Some(trace) = outcome.trace {
            // Nobody need listen.
            let _ = self.arrivals.send(trace);
        }
        outcome
    }
}
