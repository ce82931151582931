//! The order of two documents of a segment: the report of the open segment, and then the document of its end.

use std::mem;
use std::sync::{Mutex, MutexGuard};

use crate::id::{Process, SegmentId};
use crate::record::Record;
use crate::support::lock::lock;

/// The report of an open segment, or of an open child of a facade. The task that reports makes one at a time.
#[derive(Default)]
pub(super) struct ProgressReport(Mutex<State>);

#[derive(Default)]
enum State {
    /// No report is being made.
    #[default]
    None,
    /// A thread of this process emits the open segment of this id.
    Emitting(SegmentId, Process),
    /// The segment has ended meanwhile. The thread that reports emits this record next, so that the two documents leave
    /// in their order.
    Ended(Box<Record>),
}

impl ProgressReport {
    /// Notes that this thread is about to emit the open segment of this id.
    pub(super) fn begin(&self, id: SegmentId) {
        *self.lock() = State::Emitting(id, Process::last_seen());
    }

    /// Notes that the report was emitted. Returns the record of the segment if the segment has ended meanwhile.
    pub(super) fn end(&self) -> Option<Box<Record>> {
        match mem::take(&mut *self.lock()) {
            State::Ended(record) => Some(record),
            State::None | State::Emitting(..) => None,
        }
    }

    /// Keeps the record of a segment that has ended for the thread that reports the segment at this moment. Returns the
    /// record if no thread does.
    pub(super) fn hold_back(&self, record: Box<Record>) -> Option<Box<Record>> {
        let mut state = self.lock();
        match *state {
            // After a fork the thread that reports is the parent's.
            State::Emitting(id, process) if id == record.id && process == Process::current() => {
                *state = State::Ended(record);
                None
            }
            _ => Some(record),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Label, Time};

    #[test]
    fn only_the_end_of_what_is_being_reported_is_held_back() {
        let record = || Record::new(SegmentId::random(), Label::named("s"), Time::from_micros(0));
        let (reported, other) = (record(), record());
        let (id, other_id) = (reported.id, other.id);
        let report = ProgressReport::default();
        let other = report.hold_back(other).expect("no report is being made");
        report.begin(id);
        assert_eq!(report.hold_back(other).map(|record| record.id), Some(other_id));
        assert!(report.hold_back(reported).is_none());
        assert_eq!(report.end().map(|record| record.id), Some(id));
        assert!(report.end().is_none());
    }
}
