//! The state that all pages are rendered from.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use crate::rules::SamplingRules;
use crate::store::Store;
use crate::trace::Trace;

/// The console: the store that its pages show, and facts about the server. Clones share the store and the counter.
#[derive(Debug, Clone)]
pub(super) struct Console {
    /// The traces, reports and counters that the pages show.
    pub(super) store: Store,
    /// The sampling rules that SDKs receive.
    pub(super) rules: SamplingRules,
    /// The server's address, the same for UDP and HTTP.
    pub(super) address: SocketAddr,
    /// The number of datagrams that the server dropped because its queue was full.
    pub(super) dropped: Arc<AtomicU64>,
    /// When the server started.
    pub(super) started: Instant,
}

impl Console {
    /// Returns the revision of the store, a number that grows with every change.
    ///
    /// A page must read it before it reads the store. A document that arrives in between then has a higher revision
    /// than the page carries, and the script loads the page again. In the other order such a document would be missed.
    pub(super) fn revision(&self) -> u64 {
        *self.store.changes().borrow()
    }

    /// Returns a trace with a stand-in for each segment that was not received.
    pub(super) fn trace(&self, id: &str) -> Option<Trace> {
        let trace = self.store.trace(id)?;
        // Most traces are complete, and the reports are copied.
        if !trace.segments.iter().any(|segment| segment.orphan) {
            return Some(trace);
        }
        let reports = self.store.reports();
        Some(trace.with_stand_ins(|id| reports.iter().any(|report| report.id.as_deref() == Some(id))))
    }
}
