//! Counters of what a recorder sent, dropped and rejected.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::id::Process;

/// Counts of the documents, values and settings that a recorder sent, dropped or rejected since it was built.
///
/// [`Recorder::stats`](crate::Recorder::stats) returns the counts of one recorder, [`stats`](crate::stats) the counts
/// of the process-wide recorder. A failure inside the SDK never reaches the traced program. It is counted here, and the
/// first of each kind is logged.
///
/// Every document is counted once as emitted, and later once as sent or as dropped. So `documents_emitted` is the sum
/// of the other two and of the documents that wait. After a [flush](crate::Recorder::flush) that returned `true`, none
/// of the documents before it waits. A process that was forked counts its documents from zero.
///
/// ```
/// let stats = xray::stats();
/// assert_eq!(stats.documents_dropped, 0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Documents that were recorded: segments that ended or were reported in progress, and subsegments that are sent by
    /// themselves. A document that is too large for a datagram is split, and then each part counts as a document.
    pub documents_emitted: u64,
    /// Documents that were delivered: handed to the operating system without an error, written by
    /// [`LinesEmitter`](crate::emitter::LinesEmitter), accepted by the server of an
    /// [`OtlpEmitter`](crate::emitter::OtlpEmitter), or counted as sent by an [emitter](crate::emitter::Deliveries) of
    /// the program. UDP does not confirm delivery, so the daemon may have received fewer.
    pub documents_sent: u64,
    /// Documents that were lost: the queue was full, no daemon listened at the address, the address did not resolve,
    /// the document was too large for a datagram even after it had been split and trimmed, the disk was full, the
    /// server of an `OtlpEmitter` refused them or did not answer, or code of the program panicked.
    pub documents_dropped: u64,
    /// Values that were changed or left out, because X-Ray does not accept them or because producing them failed:
    /// annotations and metadata that were left out, texts and names that were cut, numbers that are not finite, errors
    /// whose `Display` or `source` panicked, annotations beyond the 50 that X-Ray indexes in a trace, values and errors
    /// beyond what an open segment or subsegment holds (2 MiB of memory, 100 errors), and anything written to a
    /// [facade](crate::Segment::facade).
    pub values_rejected: u64,
    /// Segments that began and are recorded.
    pub segments_sampled: u64,
    /// Segments that began and are not recorded: a caller, the program or the sampler decided so.
    pub segments_unsampled: u64,
    /// Settings that are not valid. In place of an invalid variable, the setting in code or the default is used. A name
    /// is used without the characters that X-Ray does not accept. A pattern that matches no request counts too.
    pub settings_rejected: u64,
    /// Origin detectors that found unreadable data, or received no response in time.
    pub origin_failures: u64,
    /// Failed requests for sampling rules or quotas, and panics of the program's own sampler. Rules and quotas received
    /// earlier stay in use until they expire.
    pub sampling_failures: u64,
    /// Sampling rules and quotas from the daemon that could not be read. Each was ignored; the others are used.
    pub sampling_rejected: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) documents_emitted: Counter,
    pub(crate) documents_sent: Counter,
    pub(crate) documents_dropped: Counter,
    pub(crate) values_rejected: Counter,
    pub(crate) segments_sampled: Counter,
    pub(crate) segments_unsampled: Counter,
    pub(crate) settings_rejected: Counter,
    pub(crate) origin_failures: Counter,
    pub(crate) sampling_failures: Counter,
    pub(crate) sampling_rejected: Counter,
    /// The process in which the documents are counted; 0 before the first one.
    process: AtomicU64,
}

impl Counters {
    /// Counts documents from zero if the process is another one than at the last call: it was forked. The documents
    /// that waited at that moment are the parent's.
    #[inline]
    pub(crate) fn count_in(&self, process: Process) {
        if self.process.load(Ordering::Relaxed) != process.number() {
            self.begin_in(process);
        }
    }

    #[cold]
    fn begin_in(&self, process: Process) {
        let before = self.process.swap(process.number(), Ordering::Relaxed);
        if before != 0 && before != process.number() {
            for counter in [&self.documents_emitted, &self.documents_sent, &self.documents_dropped] {
                counter.reset();
            }
        }
    }

    /// Returns the current numbers.
    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            documents_emitted: self.documents_emitted.get(),
            documents_sent: self.documents_sent.get(),
            documents_dropped: self.documents_dropped.get(),
            values_rejected: self.values_rejected.get(),
            segments_sampled: self.segments_sampled.get(),
            segments_unsampled: self.segments_unsampled.get(),
            settings_rejected: self.settings_rejected.get(),
            origin_failures: self.origin_failures.get(),
            sampling_failures: self.sampling_failures.get(),
            sampling_rejected: self.sampling_rejected.get(),
        }
    }
}

/// A monotonic counter.
//
// `Relaxed`, because no other memory access depends on a counter. A snapshot is therefore not atomic: a document may
// already count as sent and not yet as emitted.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds one and returns the previous number. The first caller gets 0, and then logs.
    pub(crate) fn increment(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds a number.
    pub(crate) fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Returns the current number.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_before_the_first_document_of_a_process_stays() {
        let counters = Counters::default();
        for emitted in 1..=2 {
            counters.documents_emitted.increment();
            counters.count_in(Process::current());
            assert_eq!(counters.snapshot().documents_emitted, emitted);
        }
    }
}
