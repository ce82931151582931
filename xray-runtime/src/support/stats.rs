//! Counters of what a recorder sent, dropped and rejected.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a recorder since it was built.
///
/// [`Recorder::stats`](crate::Recorder::stats) returns those of one recorder, [`stats`](crate::stats) those of the
/// process-wide recorder. A failure inside the SDK never reaches the traced program. It is counted here, and the first
/// of each kind is logged.
///
/// ```
/// let stats = xray::stats();
/// assert_eq!(stats.documents_dropped, 0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Documents handed to the emitter.
    pub documents_emitted: u64,
    /// Documents sent in a datagram that the operating system did not report as refused. UDP has no receipt, so the
    /// daemon may have received fewer.
    pub documents_sent: u64,
    /// Documents that were not sent: the queue was full, no daemon listened at the address, or the document was too
    /// large for a datagram even after it had been split and trimmed.
    pub documents_dropped: u64,
    /// Values that are not recorded exactly as given, because X-Ray does not accept them or because they failed:
    /// annotations and metadata that were left out, texts and names that were cut, numbers that are not finite, errors
    /// whose `Display` or `source` panicked, annotations beyond the 50 that X-Ray indexes in a trace, and anything
    /// written to a [facade](crate::Segment::facade).
    pub values_rejected: u64,
    /// Settings with a value that is not valid. Each was replaced by its default.
    pub settings_rejected: u64,
    /// Origin detectors that found something they could not read, or got no answer in time.
    pub origin_failures: u64,
    /// Requests for sampling rules or quotas to which the daemon gave no usable answer. Rules and quotas that arrived
    /// before stay in use while they are valid.
    pub sampling_failures: u64,
    /// Sampling rules and quotas from the daemon that could not be read. Each was left out; the others are used.
    pub sampling_rejected: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) documents_emitted: Counter,
    pub(crate) documents_sent: Counter,
    pub(crate) documents_dropped: Counter,
    pub(crate) values_rejected: Counter,
    pub(crate) settings_rejected: Counter,
    pub(crate) origin_failures: Counter,
    pub(crate) sampling_failures: Counter,
    pub(crate) sampling_rejected: Counter,
}

impl Counters {
    /// Returns the current numbers.
    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            documents_emitted: self.documents_emitted.get(),
            documents_sent: self.documents_sent.get(),
            documents_dropped: self.documents_dropped.get(),
            values_rejected: self.values_rejected.get(),
            settings_rejected: self.settings_rejected.get(),
            origin_failures: self.origin_failures.get(),
            sampling_failures: self.sampling_failures.get(),
            sampling_rejected: self.sampling_rejected.get(),
        }
    }
}

/// A number that only grows.
//
// `Relaxed`, because no other memory is read on the strength of a counter. A snapshot is therefore not one instant: a
// document may already count as sent and not yet as emitted.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds one and returns the previous number. The caller that gets 0 is the first, and logs.
    pub(crate) fn increment(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the current number.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
