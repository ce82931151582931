//! What a recorder did and what it could not do, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of a recorder since it was built, from [`Recorder::stats`](crate::Recorder::stats) or, for the
/// process-wide recorder, [`stats`](crate::stats).
///
/// Nothing that goes wrong inside reaches the traced program; this is where it shows.
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
    /// Documents that left in a datagram and were not refused, as far as the system tells: UDP has no receipt.
    pub documents_sent: u64,
    /// Documents that did not leave: the queue was full, nobody listened at the daemon's address, or the
    /// document was too large for a datagram even when split.
    pub documents_dropped: u64,
    /// Values that did not reach a document as they were given, because X-Ray does not take them or because they
    /// failed: annotations and metadata that were left out, texts and names that were cut, numbers that are not
    /// finite, errors that panicked as they were asked what they say, annotations beyond the 50 that X-Ray indexes of a
    /// trace, and what is said of a [facade](crate::Segment::facade).
    pub values_rejected: u64,
    /// Settings that could not be read, each replaced by its default.
    pub settings_rejected: u64,
    /// Detectors of where the program runs that found what they could not read, or got no answer in time.
    pub origin_failures: u64,
    /// Times that the daemon was asked for sampling rules or quotas and gave no answer that could be used; what it
    /// said before goes on to hold, as far as that is valid.
    pub sampling_failures: u64,
    /// Sampling rules and quotas of the daemon's that could not be read, each left out alone.
    pub sampling_rejected: u64,
}

/// The live side of [`Stats`].
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

/// A number that only grows; nothing is ordered by it.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds one and returns how many there were before.
    pub(crate) fn increment(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
