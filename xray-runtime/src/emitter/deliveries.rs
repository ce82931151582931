//! The counters in which an emitter counts the documents that it delivers or drops.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::stats::Counters;

/// The counters of delivered and dropped documents, which a recorder passes to its [`Emitter`](super::Emitter).
///
/// A recorder counts a document as [sent](crate::Stats::documents_sent) when [`emit`](super::Emitter::emit) returns,
/// and as [dropped](crate::Stats::documents_dropped) if it panics. An emitter that delivers documents later counts them
/// itself: it [claims](Self::claim) the counters in [`Emitter::attach`](super::Emitter::attach), and then counts each
/// document once, as sent or as dropped. Clones count for the same recorder.
///
/// ```
/// use std::sync::{Mutex, OnceLock};
/// use xray::emitter::{Deliveries, Emitter, FinishedSegment};
/// use xray::sampling::Always;
/// use xray::{Recorder, Segment};
///
/// /// Keeps up to ten segments.
/// #[derive(Default)]
/// struct AtMostTen(Mutex<Vec<FinishedSegment>>, OnceLock<Deliveries>);
///
/// impl Emitter for AtMostTen {
///     fn attach(&self, deliveries: &Deliveries) {
///         self.1.get_or_init(|| deliveries.claim());
///     }
///
///     fn emit(&self, segment: FinishedSegment) {
///         let mut kept = self.0.lock().unwrap();
///         let has_room = kept.len() < 10;
///         if has_room {
///             kept.push(segment);
///         }
///         if let Some(deliveries) = self.1.get() {
///             if has_room { deliveries.sent(1) } else { deliveries.dropped(1) }
///         }
///     }
/// }
///
/// let recorder = Recorder::builder().sampler(Always).emitter(AtMostTen::default()).build();
/// for _ in 0..12 {
///     Segment::builder("todo-app").recorder(&recorder).begin().end();
/// }
/// let stats = recorder.stats();
/// assert_eq!((stats.documents_emitted, stats.documents_sent, stats.documents_dropped), (12, 10, 2));
/// ```
#[derive(Clone)]
pub struct Deliveries {
    counters: Arc<Counters>,
    is_claimed: Arc<AtomicBool>,
    service_name: Arc<str>,
}

impl Deliveries {
    pub(crate) fn new(counters: Arc<Counters>, service_name: &str) -> Self {
        Self { counters, is_claimed: Arc::default(), service_name: service_name.into() }
    }

    /// Leaves the counting to the emitter, and returns the counters for it.
    #[must_use]
    pub fn claim(&self) -> Self {
        self.is_claimed.store(true, Ordering::Relaxed);
        self.clone()
    }

    /// Counts documents as sent.
    pub fn sent(&self, documents: u64) {
        self.counters.documents_sent.add(documents);
    }

    /// Counts documents as dropped.
    pub fn dropped(&self, documents: u64) {
        self.counters.documents_dropped.add(documents);
    }

    /// Counts the parts after the first part of a split document. Each part counts as a document.
    pub(super) fn split(&self, parts: u64) {
        self.counters.documents_emitted.add(parts);
    }

    /// Counts values that were shortened or left out.
    pub(super) fn trimmed(&self, values: u64) {
        self.counters.values_rejected.add(values);
    }

    /// Counts invalid settings of the emitter.
    pub(super) fn settings_rejected(&self, settings: u64) {
        self.counters.settings_rejected.add(settings);
    }

    /// Returns the name of the recorder's service.
    pub(super) fn service_name(&self) -> &str {
        &self.service_name
    }

    /// Returns whether the emitter counts its documents itself.
    pub(crate) fn is_claimed(&self) -> bool {
        self.is_claimed.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Deliveries").field("is_claimed", &self.is_claimed()).finish_non_exhaustive()
    }
}
