//! Where traces live: in memory, bounded, the oldest go first.

mod reports;

use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

pub use reports::Report;
use reports::Reports;

use crate::check::{Checked, Code, Finding, inspect};
use crate::document::{Document, TraceId, number};
use crate::time::now;
use crate::trace::Trace;

/// Traces, and what was wrong with documents. A handle: clones are the same store.
///
/// ```
/// use xray_local::store::{Limits, Source, Store};
///
/// let store = Store::new(Limits::default());
/// let outcome = store.put(
///     r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","name":"shop","start_time":1,"end_time":2}"#,
///     Source::Http,
/// );
/// assert!(outcome.is_taken());
/// assert_eq!(store.trace("1-581cf771-a006649127e371903a2de979").unwrap().segments.len(), 1);
/// ```
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

/// What a [`Store`] keeps at most; by default 100,000 traces, 256 MiB, 16 MiB a trace, and 200 reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Traces.
    pub traces: usize,
    /// Bytes of all documents, with what the store needs beside them.
    pub bytes: usize,
    /// Bytes of one trace, by the same measure; never more than half of all.
    pub trace_bytes: usize,
    /// Reports of rejected and suspicious documents.
    pub reports: usize,
}

/// The way on which a document came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Source {
    /// A datagram.
    Udp,
    /// `PutTraceSegments`.
    Http,
    /// A recording.
    Replay,
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The trace it belongs to, if it was taken.
    pub trace: Option<TraceId>,
    /// The document's id, where it has one.
    pub id: Option<String>,
    /// What is wrong with it, worst first.
    pub findings: Vec<Finding>,
}

/// What the store has seen and has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Counters {
    /// Documents and datagrams that came.
    pub received: u64,
    /// Of these, taken.
    pub taken: u64,
    /// Of those taken, suspicious.
    pub suspicious: u64,
    /// Refused.
    pub rejected: u64,
    /// Traces that left to make room.
    pub evicted_traces: u64,
    /// Traces that are here.
    pub traces: usize,
    /// Documents that are here.
    pub documents: usize,
    /// Bytes in use, by the measure of [`Limits::bytes`].
    pub bytes: usize,
}

/// A trace as it was when it was asked for; put together when it is looked at.
#[derive(Debug, Clone)]
pub struct StoredTrace {
    id: TraceId,
    entry: Entry,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    state: Mutex<State>,
    revision: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    traces: HashMap<TraceId, Entry>,
    /// By first arrival.
    order: VecDeque<TraceId>,
    /// How many have left it at its front.
    gone: u64,
    reports: Reports,
    counters: Counters,
}

#[derive(Debug, Clone)]
struct Entry {
    documents: Arc<Vec<Arc<str>>>,
    /// By the measure of [`Limits::bytes`].
    bytes: usize,
    start: f64,
    updated: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { traces: 100_000, bytes: 256 << 20, trace_bytes: 16 << 20, reports: 200 }
    }
}

impl Outcome {
    /// Whether the document is in the store now.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.trace.is_some()
    }

    /// The finding for which it was refused.
    #[must_use]
    pub fn rejection(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.is_rejection())
    }
}

impl StoredTrace {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> TraceId {
        self.id
    }

    /// The earliest start that a document gave, in seconds since 1970.
    #[must_use]
    pub fn start(&self) -> f64 {
        self.entry.start
    }

    /// When its last document came, in seconds since 1970.
    #[must_use]
    pub fn updated(&self) -> f64 {
        self.entry.updated
    }

    /// How many documents were taken for it.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.entry.documents.len() as u64
    }

    /// Reads its documents and puts them together: some microseconds a document.
    #[must_use]
    pub fn trace(&self) -> Trace {
        let documents = self.entry.documents.iter().filter_map(|text| Document::parse(text));
        Trace {
            limit_exceeded: self.entry.bytes > X_RAY_TRACE_BYTES,
            revision: self.revision(),
            ..Trace::of(self.id, documents)
        }
    }
}

/// What X-Ray keeps of one trace at most.
const X_RAY_TRACE_BYTES: usize = 500_000;

/// What a document and a trace need beside the texts.
const DOCUMENT_BYTES: usize = 48;
const TRACE_BYTES: usize = 256;

impl Store {
    /// An empty store.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let (revision, _) = watch::channel(0);
        Self { shared: Arc::new(Shared { limits, state: Mutex::default(), revision }) }
    }

    /// Checks a document, JSON text, and takes it unless X-Ray would refuse it.
    #[expect(clippy::must_use_candidate, reason = "what is wrong is in the reports too")]
    pub fn put(&self, text: &str, source: Source) -> Outcome {
        let Checked { document, id, trace_id, findings } = inspect(text);
        let accepted = document.and_then(|document| {
            let start = document.get("start_time").and_then(number)?;
            Some((TraceId::parse(trace_id.as_deref()?)?, start))
        });
        let mut outcome = Outcome { trace: None, id, findings };
        let mut state = self.state();
        if let Some((trace, start)) = accepted {
            match state.take(trace, text, start, &self.shared.limits) {
                Ok(()) => outcome.trace = Some(trace),
                Err(finding) => outcome.findings.insert(0, finding),
            }
        }
        self.count(state, &outcome, trace_id, source, text);
        outcome
    }

    /// Counts and reports a datagram that holds no document. `text` is the datagram's content, for the report.
    pub(crate) fn reject(&self, finding: Finding, source: Source, text: &str) -> Outcome {
        let outcome = Outcome { trace: None, id: None, findings: vec![finding] };
        self.count(self.state(), &outcome, None, source, text);
        outcome
    }

    /// The trace with an id, put together.
    #[must_use]
    pub fn trace(&self, id: &str) -> Option<Trace> {
        self.stored(id).map(|stored| stored.trace())
    }

    /// The trace with an id, not put together yet.
    #[must_use]
    pub fn stored(&self, id: &str) -> Option<StoredTrace> {
        let id = TraceId::parse(id)?;
        let entry = self.state().traces.get(&id).cloned()?;
        Some(StoredTrace { id, entry })
    }

    /// All traces, those that came last first, not put together yet.
    #[must_use]
    pub fn traces(&self) -> Vec<StoredTrace> {
        let mut traces = Vec::new();
        let mut before = u64::MAX;
        loop {
            let known = traces.len();
            before = self.state().add_older(before, &mut traces);
            if traces.len() == known {
                return traces;
            }
        }
    }

    /// What was wrong with documents, latest first.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.state().reports.latest().cloned().collect()
    }

    /// What it has seen and has.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let state = self.state();
        Counters { traces: state.traces.len(), ..state.counters }
    }

    /// What it keeps at most.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// A number that grows whenever something came.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.revision.subscribe()
    }

    /// Forgets all traces and reports.
    pub fn clear(&self) {
        let mut state = self.state();
        let counters = Counters { documents: 0, bytes: 0, ..state.counters };
        let gone = state.gone + state.order.len() as u64;
        *state = State { gone, counters, ..State::default() };
        drop(state);
        self.shared.revision.send_modify(|revision| *revision += 1);
    }

    fn count(
        &self,
        mut state: MutexGuard<State>,
        outcome: &Outcome,
        trace_id: Option<String>,
        source: Source,
        text: &str,
    ) {
        let (is_taken, is_flawed) = (outcome.is_taken(), !outcome.findings.is_empty());
        state.counters.received += 1;
        state.counters.taken += u64::from(is_taken);
        state.counters.suspicious += u64::from(is_taken && is_flawed);
        state.counters.rejected += u64::from(!is_taken);
        if is_flawed {
            let report = Report::new(source, outcome.id.clone(), trace_id, outcome.findings.clone(), text);
            state.reports.add(report, self.shared.limits.reports);
        }
        drop(state);
        self.shared.revision.send_modify(|revision| *revision += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, id: TraceId, text: &str, start: f64, limits: &Limits) -> Result<(), Finding> {
        let bytes = text.len() + DOCUMENT_BYTES;
        let most = limits.trace_bytes.min(limits.bytes / 2);
        let held = self.traces.get(&id).map_or(TRACE_BYTES, |entry| entry.bytes);
        if held + bytes > most {
            return Err(full(most));
        }
        let entry = match self.traces.entry(id) {
            Place::Occupied(place) => place.into_mut(),
            Place::Vacant(place) => {
                self.order.push_back(id);
                self.counters.bytes += TRACE_BYTES;
                place.insert(Entry { documents: Arc::default(), bytes: TRACE_BYTES, start, updated: start })
            }
        };
        entry.bytes += bytes;
        entry.start = entry.start.min(start);
        entry.updated = now();
        Arc::make_mut(&mut entry.documents).push(text.into());
        self.counters.documents += 1;
        self.counters.bytes += bytes;
        self.make_room(limits);
        Ok(())
    }

    /// Adds the newest traces that came before a place in the order of arrivals; returns the place of the last one added.
    /// Only so many at once: meanwhile nothing can be taken, and what waits in the socket is soon lost.
    fn add_older(&self, before: u64, traces: &mut Vec<StoredTrace>) -> u64 {
        const AT_ONCE: u64 = 1000;

        let end = before.min(self.gone + self.order.len() as u64);
        let start = end.saturating_sub(AT_ONCE).max(self.gone);
        for place in (start..end).rev() {
            let id = usize::try_from(place - self.gone).ok().and_then(|position| self.order.get(position));
            let stored = id.and_then(|id| Some(StoredTrace { id: *id, entry: self.traces.get(id)?.clone() }));
            traces.extend(stored);
        }
        start
    }

    /// Lets the oldest traces go, but not the last one.
    fn make_room(&mut self, limits: &Limits) {
        let is_over = |state: &Self| state.traces.len() > limits.traces || state.counters.bytes > limits.bytes;
        while self.order.len() > 1 && is_over(self) {
            self.gone += 1;
            let Some(entry) = self.order.pop_front().and_then(|oldest| self.traces.remove(&oldest)) else { continue };
            self.counters.evicted_traces += 1;
            self.counters.documents -= entry.documents.len();
            self.counters.bytes -= entry.bytes;
        }
    }
}

fn full(most: usize) -> Finding {
    let reason =
        format!("the trace has {most} bytes, more than are kept of one; X-Ray itself keeps {X_RAY_TRACE_BYTES}");
    let advice = "begin a trace for each request, not for the program";
    Finding::rejected(Code::InvalidSegment, reason, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_goes_on_where_it_was_though_traces_come_and_leave() {
        const TRACES: u64 = 3000;
        let limits = Limits { traces: 3000, ..Limits::default() };
        let id = |number: u64| TraceId::parse(&format!("1-581cf771-{number:024x}")).unwrap();
        let mut state = State::default();
        (0..TRACES).for_each(|number| state.take(id(number), "{}", 1.0, &limits).unwrap());
        let mut traces = Vec::new();
        let before = state.add_older(u64::MAX, &mut traces);
        // As many leave at the other end.
        (TRACES..TRACES + 700).for_each(|number| state.take(id(number), "{}", 1.0, &limits).unwrap());
        let before = state.add_older(before, &mut traces);
        let before = state.add_older(before, &mut traces);
        state.add_older(before, &mut traces);
        let found: Vec<TraceId> = traces.iter().map(StoredTrace::id).collect();
        assert_eq!(found, (700..TRACES).rev().map(id).collect::<Vec<_>>());
    }
}
