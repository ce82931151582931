//! The state that all pages are rendered from.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use axum::http::{self, StatusCode};
use axum::response::{IntoResponse as _, Response};

use crate::account::Account;
use crate::graph::ServiceGraph;
use crate::intake::Intake;
use crate::jobs::Jobs;
use crate::rules::SamplingRules;
use crate::store::{OpenTrace, Report, Store};

/// The console: the store that its pages show, and facts about the server. Clones share the store and the counter.
#[derive(Debug, Clone)]
pub(super) struct Console {
    /// The traces, reports and counters that the pages show.
    pub(super) store: Store,
    /// Takes what loaded files hold.
    pub(super) intake: Intake,
    /// The sampling rules that SDKs receive.
    pub(super) rules: SamplingRules,
    /// The account. A filter expression may name its groups.
    pub(super) account: Account,
    /// Renders the pages.
    pub(super) jobs: Jobs,
    /// The server's address, the same for UDP and HTTP.
    pub(super) address: SocketAddr,
    /// The additional address for spans of OpenTelemetry, if there is one.
    pub(super) otlp_address: Option<SocketAddr>,
    /// The number of datagrams that the server dropped because its queue was full.
    pub(super) dropped: Arc<AtomicU64>,
    /// When the server started.
    pub(super) started: Instant,
    /// The service graph that the map has shown last.
    pub(super) last_graph: Arc<Mutex<Option<LastGraph>>>,
}

/// A service graph that was read from the store. A reader who looks around in the map asks for it repeatedly.
#[derive(Debug, Clone)]
pub(super) struct LastGraph {
    /// The revision of the store.
    pub(super) revision: u64,
    /// The length of the time range in minutes, and the filter.
    pub(super) of: (Option<u32>, String),
    pub(super) read: Instant,
    pub(super) graph: Arc<ServiceGraph>,
    /// The number of traces that were not read.
    pub(super) unread: u64,
}

impl Console {
    /// Returns a number that grows with every change of the store, and with the first request for sampling rules.
    ///
    /// A page must read it before it reads the store. A document that arrives in between then has a higher revision
    /// than the page carries, and the script loads the page again. In the other order such a document would be missed.
    pub(super) fn revision(&self) -> u64 {
        *self.store.changes().borrow() + u64::from(self.rules.were_requested())
    }

    /// Responds with what `work` returns.
    ///
    /// Rendering may take seconds: a filter searches the whole store. It therefore runs on a blocking thread, and the
    /// threads that serve connections stay free.
    pub(super) async fn respond(&self, work: impl FnOnce() -> http::Response<Vec<u8>> + Send + 'static) -> Response {
        let response = self.jobs.run(work).await;
        response.map_or_else(|busy| (StatusCode::TOO_MANY_REQUESTS, busy.message()).into_response(), Response::from)
    }

    /// Opens a trace, with a stand-in for each segment that was not received.
    pub(super) fn trace(&self, id: &str) -> Option<OpenTrace> {
        let trace = self.store.stored(id)?.open();
        // Most traces are complete, and the reports are copied.
        if !trace.segments.iter().any(|segment| segment.orphan) {
            return Some(trace);
        }
        let rejected = self.rejected_ids();
        Some(trace.map(|trace| trace.with_stand_ins(|id| rejected.contains(id))))
    }

    /// Returns the ids of documents that X-Ray would reject.
    pub(super) fn rejected_ids(&self) -> HashSet<String> {
        let reports = self.store.reports().into_iter().filter(Report::is_rejection);
        reports.filter_map(|report| report.id).collect()
    }
}
