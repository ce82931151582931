//! The subsegments that a record embeds.

use std::mem;

use super::{Extent, Record, Records, spare};

/// The embedded subsegments of a record, in the order in which they were closed. They become spare records when they
/// are dropped.
// This is the order of their ends, except for a span that a task kept open past its end.
#[derive(Debug, Clone, Default)]
pub(super) struct Embedded {
    records: Records,
    extent: Extent,
}

impl Embedded {
    pub(super) fn push(&mut self, record: Box<Record>) {
        self.extent.add(record.extent());
        self.records.push(record);
    }

    /// Removes and returns all subsegments.
    pub(super) fn take(&mut self) -> Records {
        self.extent = Extent::default();
        mem::take(&mut self.records)
    }

    pub(super) fn records(&self) -> &[Box<Record>] {
        &self.records
    }

    /// Returns the extent of all subsegments.
    pub(super) fn extent(&self) -> Extent {
        self.extent
    }

    #[cfg(any(feature = "diesel", feature = "tracing"))]
    pub(super) fn sort_by_end(&mut self) {
        // Every embedded subsegment has an end. One without an end would come last.
        self.records.sort_by_key(|subsegment| (subsegment.end.is_none(), subsegment.end));
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if !self.records.is_empty() {
            spare::keep(mem::take(&mut self.records));
        }
    }
}
