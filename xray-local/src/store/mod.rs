//! The store: traces in memory, within limits. When a limit is reached, the oldest traces are dropped.

mod budget;
mod open;
mod reports;

use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::watch;

use budget::Budget;
pub use open::OpenTrace;
pub use reports::Report;
use reports::Reports;

use crate::check::{Checked, Code, Finding, IdDigits, inspect, inspect_span, is_random_id};
use crate::document::{Document, TraceId, cost, time};
use crate::time::now;
use crate::trace::Trace;

/// The traces and the reports about documents with findings. A clone is a handle to the same store.
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

/// The limits of a [`Store`]. The default is 100,000 traces, 256 MiB, 16 MiB per trace, 512 MiB for reading, and 200
/// reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most traces.
    pub traces: usize,
    /// The most bytes of all traces: the texts of the documents and the store's own overhead.
    pub bytes: usize,
    /// The most bytes of one trace. The effective limit is never more than half of `bytes`.
    pub trace_bytes: usize,
    /// The most bytes of all traces that are being read ([`StoredTrace::open`]). A trace that is read takes up to a
    /// hundred times the memory of its text. So this limits each trace, too: one that would need more takes no further
    /// documents.
    pub open_bytes: usize,
    /// The most reports about rejected and suspicious documents.
    pub reports: usize,
}

/// How a document was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Source {
    /// In a UDP datagram.
    Udp,
    /// In a `PutTraceSegments` request, or in a file that was loaded in the console.
    Http,
    /// In an OTLP request or in a file that was loaded in the console, as a span.
    Otlp,
    /// From a replayed file.
    Replay,
}

/// The result of putting a document into a [`Store`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// The trace that the document was added to, or `None` if it was rejected.
    pub trace: Option<TraceId>,
    /// The document's id, if it has one.
    pub id: Option<String>,
    /// The problems found: rejections first.
    pub findings: Vec<Finding>,
}

/// Statistics of a [`Store`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Counters {
    /// The documents and datagrams received.
    pub received: u64,
    /// The documents taken.
    pub taken: u64,
    /// The documents taken although they have findings.
    pub suspicious: u64,
    /// The documents and datagrams rejected.
    pub rejected: u64,
    /// The traces dropped to stay within the limits.
    pub evicted_traces: u64,
    /// The traces in the store.
    pub traces: usize,
    /// The documents in the store.
    pub documents: usize,
    /// The bytes in use, counted like [`Limits::bytes`].
    pub bytes: usize,
}

/// A snapshot of a trace's documents. [`open`](Self::open) and [`trace`](Self::trace) assemble them.
#[derive(Debug, Clone)]
pub struct StoredTrace {
    id: TraceId,
    entry: Entry,
    budget: Arc<Budget>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    state: Mutex<State>,
    /// `true` if an id was received whose first digits are no time. OpenTelemetry makes such ids, and eight of a
    /// hundred look like times of X-Ray.
    has_random_ids: AtomicBool,
    /// The memory for traces that are being read.
    budget: Arc<Budget>,
    revision: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    traces: HashMap<TraceId, Entry>,
    /// The traces in the order of their first document's arrival.
    order: VecDeque<TraceId>,
    /// The number of traces that have been removed from the front of `order`.
    removed: u64,
    reports: Reports,
    counters: Counters,
}

#[derive(Debug, Clone)]
struct Entry {
    documents: Arc<Vec<Arc<str>>>,
    /// The bytes in use, counted like [`Limits::bytes`].
    bytes: usize,
    /// The bytes that the trace takes while it is read.
    open_bytes: usize,
    start: f64,
    updated: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { traces: 100_000, bytes: 256 << 20, trace_bytes: 16 << 20, open_bytes: 512 << 20, reports: 200 }
    }
}

impl Outcome {
    /// Returns whether the document was added to the store.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.trace.is_some()
    }

    /// Returns the first finding that rejects the document.
    #[must_use]
    pub fn rejection(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.is_rejection())
    }
}

impl StoredTrace {
    /// Returns the trace's id.
    #[must_use]
    pub fn id(&self) -> TraceId {
        self.id
    }

    /// Returns the earliest start of the trace's documents, in seconds since 1970.
    #[must_use]
    pub fn start(&self) -> f64 {
        self.entry.start
    }

    /// Returns the arrival of the trace's last document, in seconds since 1970.
    #[must_use]
    pub fn updated(&self) -> f64 {
        self.entry.updated
    }

    /// Returns the number of the trace's documents.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.entry.documents.len() as u64
    }

    /// Assembles the trace within the budget for traces that are being read ([`Limits::open_bytes`]). Blocks while
    /// other traces use the budget.
    ///
    /// ```
    /// use xray_local::store::{Limits, Source, Store};
    ///
    /// let store = Store::new(Limits::default());
    /// store.put(r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","name":"shop","start_time":1,"end_time":2}"#, Source::Http);
    /// for stored in store.traces() {
    ///     assert_eq!(stored.open().segments.len(), 1);
    /// }
    /// ```
    #[must_use]
    pub fn open(&self) -> OpenTrace {
        let share = self.budget.take(self.open_bytes());
        OpenTrace::new(self.trace(), share)
    }

    /// Returns an upper bound of the bytes that the trace takes while it is read.
    #[must_use]
    pub fn open_bytes(&self) -> usize {
        self.entry.open_bytes
    }

    /// Parses the documents and assembles the trace, whatever other traces are being read. This takes some microseconds
    /// per document.
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

/// The largest trace that X-Ray keeps, in bytes: about 500 kB if the segments arrive together, and less if they do not.
const X_RAY_TRACE_BYTES: usize = 500_000;

/// The store's estimated overhead per document and per trace, in bytes.
const DOCUMENT_BYTES: usize = 48;
const TRACE_BYTES: usize = 256;

impl Store {
    /// Creates an empty store.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let (revision, _) = watch::channel(0);
        let budget = Arc::new(Budget::new(limits.open_bytes));
        Self {
            shared: Arc::new(Shared {
                limits,
                state: Mutex::default(),
                has_random_ids: AtomicBool::default(),
                budget,
                revision,
            }),
        }
    }

    /// Checks a document, given as JSON text, and adds it to its trace unless X-Ray would reject it.
    #[expect(clippy::must_use_candidate, reason = "the findings are in the reports too")]
    pub fn put(&self, text: &str, source: Source) -> Outcome {
        let has_random_ids = self.shared.has_random_ids.load(Ordering::Relaxed);
        let digits = if has_random_ids { IdDigits::MayBeRandom } else { IdDigits::Time };
        self.put_checked(inspect(text, digits), text, source)
    }

    /// Like [`put`](Self::put), but takes the parsed document of a span. `text` is the JSON of the document.
    pub(crate) fn put_span(&self, document: Map<String, Value>, text: &str, source: Source) -> Outcome {
        self.put_checked(inspect_span(document, text), text, source)
    }

    fn put_checked(&self, checked: Checked<Map<String, Value>>, text: &str, source: Source) -> Outcome {
        let Checked { document, id, trace_id, findings } = checked;
        let accepted = document.and_then(|document| {
            let start = document.get("start_time").and_then(time)?;
            Some((TraceId::parse(trace_id.as_deref()?)?, start, cost(&document)))
        });
        let mut outcome = Outcome { trace: None, id, findings };
        let mut state = self.state();
        if let Some((trace, start, open_bytes)) = accepted {
            if is_random_id(trace, start) {
                self.shared.has_random_ids.store(true, Ordering::Relaxed);
            }
            match state.take(trace, text, start, open_bytes, &self.shared.limits) {
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

    /// Returns the assembled trace with an id. The id is an X-Ray trace id, or a W3C trace id of 32 hexadecimal digits.
    #[must_use]
    pub fn trace(&self, id: &str) -> Option<Trace> {
        self.stored(id).map(|stored| stored.trace())
    }

    /// Returns a snapshot of the trace with an id. The id is an X-Ray trace id or a W3C trace id.
    #[must_use]
    pub fn stored(&self, id: &str) -> Option<StoredTrace> {
        let id = TraceId::parse(id).or_else(|| TraceId::parse_w3c(id))?;
        let entry = self.state().traces.get(&id).cloned()?;
        Some(StoredTrace { id, entry, budget: Arc::clone(&self.shared.budget) })
    }

    /// Returns snapshots of all traces, the latest arrival first.
    #[must_use]
    pub fn traces(&self) -> Vec<StoredTrace> {
        let mut traces = Vec::new();
        let mut before = u64::MAX;
        loop {
            let known = traces.len();
            before = self.state().add_older(before, &self.shared.budget, &mut traces);
            if traces.len() == known {
                return traces;
            }
        }
    }

    /// Returns the reports about documents with findings, latest first.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.state().reports.latest().cloned().collect()
    }

    /// Returns the statistics.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let state = self.state();
        Counters { traces: state.traces.len(), ..state.counters }
    }

    /// Returns the limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// Subscribes to a number that increases whenever the store changes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.revision.subscribe()
    }

    /// Removes all traces and reports.
    pub fn clear(&self) {
        let mut state = self.state();
        let counters = Counters { documents: 0, bytes: 0, ..state.counters };
        let removed = state.removed + state.order.len() as u64;
        *state = State { removed, counters, ..State::default() };
        drop(state);
        self.shared.revision.send_modify(|revision| *revision += 1);
    }

    /// Counts a document and reports its findings.
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
    /// Adds a document to its trace and drops the oldest traces if a limit is exceeded.
    ///
    /// # Errors
    ///
    /// If the trace would exceed its limit.
    fn take(&mut self, id: TraceId, text: &str, start: f64, open_bytes: usize, limits: &Limits) -> Result<(), Finding> {
        let bytes = text.len() + DOCUMENT_BYTES;
        let max_bytes = limits.trace_bytes.min(limits.bytes / 2);
        let (held, open) = self.traces.get(&id).map_or((TRACE_BYTES, 0), |entry| (entry.bytes, entry.open_bytes));
        if held + bytes > max_bytes {
            return Err(trace_is_full(&format!("the trace would exceed {max_bytes} bytes")));
        }
        if open + open_bytes > limits.open_bytes {
            let memory = limits.open_bytes;
            return Err(trace_is_full(&format!("reading the trace would take more than {memory} bytes of memory")));
        }
        let entry = match self.traces.entry(id) {
            Place::Occupied(place) => place.into_mut(),
            Place::Vacant(place) => {
                self.order.push_back(id);
                self.counters.bytes += TRACE_BYTES;
                place.insert(Entry {
                    documents: Arc::default(),
                    bytes: TRACE_BYTES,
                    open_bytes: 0,
                    start,
                    updated: start,
                })
            }
        };
        entry.bytes += bytes;
        entry.open_bytes += open_bytes;
        entry.start = entry.start.min(start);
        entry.updated = now();
        Arc::make_mut(&mut entry.documents).push(text.into());
        self.counters.documents += 1;
        self.counters.bytes += bytes;
        self.make_room(limits);
        Ok(())
    }

    /// Appends the next batch of traces older than a position in the order of arrival, newest first. Returns the
    /// position of the last trace appended.
    ///
    /// The store is locked while this runs, and documents cannot be added. A batch bounds that time: datagrams that
    /// wait too long are dropped.
    fn add_older(&self, before: u64, budget: &Arc<Budget>, traces: &mut Vec<StoredTrace>) -> u64 {
        const BATCH: u64 = 1000;

        let end = before.min(self.removed + self.order.len() as u64);
        let start = end.saturating_sub(BATCH).max(self.removed);
        for position in (start..end).rev() {
            let id = usize::try_from(position - self.removed).ok().and_then(|index| self.order.get(index));
            let entry = id.and_then(|id| Some((*id, self.traces.get(id)?.clone())));
            traces.extend(entry.map(|(id, entry)| StoredTrace { id, entry, budget: Arc::clone(budget) }));
        }
        start
    }

    /// Drops the oldest traces until the limits are kept. Never drops the only trace.
    fn make_room(&mut self, limits: &Limits) {
        let is_over = |state: &Self| state.traces.len() > limits.traces || state.counters.bytes > limits.bytes;
        while self.order.len() > 1 && is_over(self) {
            self.removed += 1;
            let Some(entry) = self.order.pop_front().and_then(|oldest| self.traces.remove(&oldest)) else { continue };
            self.counters.evicted_traces += 1;
            self.counters.documents -= entry.documents.len();
            self.counters.bytes -= entry.bytes;
        }
    }
}

/// Returns the finding for a document whose trace is full.
fn trace_is_full(limit: &str) -> Finding {
    let reason = format!("{limit}; X-Ray itself keeps {X_RAY_TRACE_BYTES} bytes of a trace");
    let advice = "start a new trace for each request instead of one for the whole program";
    Finding::rejected(Code::InvalidSegment, reason, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_continue_correctly_when_traces_arrive_and_are_dropped_between_them() {
        const TRACES: u64 = 3000;
        let limits = Limits { traces: 3000, ..Limits::default() };
        let id = |number: u64| TraceId::parse(&format!("1-581cf771-{number:024x}")).unwrap();
        let mut state = State::default();
        (0..TRACES).for_each(|number| state.take(id(number), "{}", 1.0, 0, &limits).unwrap());
        let budget = Arc::new(Budget::new(0));
        let mut traces = Vec::new();
        let before = state.add_older(u64::MAX, &budget, &mut traces);
        // 700 traces arrive, and the limit drops the 700 oldest.
        (TRACES..TRACES + 700).for_each(|number| state.take(id(number), "{}", 1.0, 0, &limits).unwrap());
        let before = state.add_older(before, &budget, &mut traces);
        let before = state.add_older(before, &budget, &mut traces);
        state.add_older(before, &budget, &mut traces);
        let found: Vec<TraceId> = traces.iter().map(StoredTrace::id).collect();
        assert_eq!(found, (700..TRACES).rev().map(id).collect::<Vec<_>>());
    }
}
