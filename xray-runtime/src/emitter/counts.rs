//! The counters of an emitter that delivers documents on its own thread.

use once_cell::sync::OnceCell;

use super::Deliveries;
use crate::support::log_line::{LoggedOnce, log_line};

/// The counters of the first recorder that attaches the emitter. Until then, nothing is counted.
#[derive(Default)]
pub(super) struct Counts {
    deliveries: OnceCell<Deliveries>,
    /// Limits the log line about a full queue to one.
    logged_drop: LoggedOnce,
}

impl Counts {
    /// Claims the counters of a recorder, unless the emitter has claimed the counters of another recorder.
    pub(super) fn claim(&self, deliveries: &Deliveries) {
        self.deliveries.get_or_init(|| deliveries.claim());
    }

    pub(super) fn sent(&self, documents: u64) {
        if let Some(deliveries) = self.deliveries.get() {
            deliveries.sent(documents);
        }
    }

    pub(super) fn dropped(&self, documents: u64) {
        if let Some(deliveries) = self.deliveries.get() {
            deliveries.dropped(documents);
        }
    }

    /// Counts a document that found the queue full, and logs the first. `emitter` is the name of the emitter's type,
    /// and `reason` says why the queue is full.
    #[cold]
    pub(super) fn dropped_at_full_queue(&self, emitter: &str, reason: &str) {
        self.dropped(1);
        if self.logged_drop.is_first() {
            log_line!(
                Warn,
                "xray::emitter",
                "`{emitter}` dropped a document: its queue is full because {reason}. Further ones are counted in \
                 `Stats::documents_dropped` (logged once)",
            );
        }
    }

    /// Counts the parts after the first part of a split document.
    pub(super) fn split(&self, parts: u64) {
        if let Some(deliveries) = self.deliveries.get() {
            deliveries.split(parts);
        }
    }

    /// Counts values that were shortened or left out because a document was too large.
    pub(super) fn trimmed(&self, values: u64) {
        if let Some(deliveries) = self.deliveries.get() {
            deliveries.trimmed(values);
        }
    }

    /// Returns the name of the recorder's service.
    pub(super) fn service_name(&self) -> Option<&str> {
        self.deliveries.get().map(Deliveries::service_name)
    }
}
