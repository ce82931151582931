//! Errors and panics in a record.
//!
//! An error passes through several subsegments on its way out. The innermost subsegment records the exception. Each
//! subsegment around it records only the exception's id, as the X-Ray SDK for Python does. So the trace shows the error
//! once, and every place that the error passed.

use super::Record;
use super::details::MAX_HELD_BYTES;
use crate::document::{Cause, Exception, Exceptions};
use crate::id::SegmentId;

/// Limit on the exceptions of one record.
// The number is limited because each new error is compared with the earlier errors while the record is locked. A
// document that is too large for a datagram keeps 16 exceptions.
const MAX_EXCEPTIONS: usize = 100;

impl Record {
    /// Records an error and its sources, and sets the flag `fault`. Returns `false` if the record has no room for the
    /// error and only the flag is set.
    ///
    /// Leaves out the errors that the last ended subsegment has recorded.
    ///
    /// ```text
    /// Input:  the subsegment recorded [B, C]; this record gets [A, B, C]
    /// Output: this record has [A], and `A.cause` is the id of the subsegment's B
    /// ```
    pub(crate) fn record_error(&mut self, chain: Vec<Exception>) -> bool {
        self.fault = true;
        let has_room = !chain.is_empty() && self.has_room_for_an_error();
        if has_room {
            self.measured(|record| record.add_error(chain));
        }
        has_room
    }

    /// Records an unwinding panic that no inner scope has recorded.
    ///
    /// Returns the id by which this record refers to the panic. Returns `None` if the record has no room for the panic,
    /// or if the panic has no message, because an outer scope could not recognize it.
    pub(crate) fn record_panic(&mut self, exception: &Exception) -> Option<SegmentId> {
        if !self.record_error(vec![exception.clone()]) {
            return None;
        }
        // `record_error` may have found the panic in a subsegment and kept the id from that subsegment.
        let recorded = self.exceptions().iter().rev().find(|recorded| recorded.is_same_error(exception));
        recorded.map(|recorded| recorded.id)
    }

    /// Records an unwinding panic that an inner scope has recorded with this id.
    pub(crate) fn record_known_panic(&mut self, exception: &Exception) {
        self.fault = true;
        if self.has_room_for_an_error() {
            self.measured(|record| match record.cause() {
                None => record.set_cause(Cause::Reference(exception.id)),
                // Two nested scopes of the same entity may catch the panic one after the other.
                Some(_) => record.add_exceptions(vec![exception.clone()]),
            });
        }
    }

    /// Returns whether the record has room for another error.
    pub(crate) fn has_room_for_an_error(&self) -> bool {
        let held = self.details().map_or(0, |details| details.held);
        held < MAX_HELD_BYTES && self.own_exceptions().len() < MAX_EXCEPTIONS
    }

    fn add_error(&mut self, mut chain: Vec<Exception>) {
        // An error on its way out comes from the subsegment that ended last. If an earlier subsegment recorded it, the
        // program has handled it and gone on.
        let recorded = self.subsegments().last().map_or(&[][..], |last| last.exceptions());
        // Errors are compared by message and type. The program may have moved, boxed or wrapped the error since, so its
        // address identifies nothing.
        let shared = chain.iter().enumerate().find_map(|(position, exception)| {
            let known = recorded.iter().find(|known| known.is_same_error(exception))?;
            Some((position, known.clone()))
        });
        match (shared, self.cause()) {
            (Some((0, known)), None) => return self.set_cause(Cause::Reference(known.id)),
            // The subsegment recorded the whole error, but this record has another cause already, and a cause is either
            // a list or one reference. So the list gets a copy of the exception with its id in the subsegment.
            (Some((0, known)), _) => chain = vec![known],
            // The program wrapped the error. Only the wrappers are new.
            (Some((position, known)), _) => {
                chain.truncate(position);
                if let Some(last) = chain.last_mut() {
                    last.cause = Some(known.id);
                }
            }
            (None, _) => {}
        }
        self.add_exceptions(chain);
    }

    /// Adds exceptions to the cause. Leaves out an exception whose id is in the cause already.
    fn add_exceptions(&mut self, mut chain: Vec<Exception>) {
        // A second error turns the one reference into a list, which begins with a copy of the referenced exception.
        if let Some(Cause::Reference(id)) = self.cause() {
            chain.retain(|exception| exception.id != *id);
            if chain.is_empty() {
                return;
            }
            let below = self.subsegments().iter().rev().flat_map(|subsegment| subsegment.exceptions());
            let referenced = below.into_iter().find(|known| known.id == *id).cloned();
            chain.insert(0, referenced.unwrap_or_else(|| Exception::elsewhere(*id)));
        }
        let own = self.own_exceptions();
        chain.retain(|exception| own.iter().all(|known| known.id != exception.id));
        match &mut self.details_mut().cause {
            Some(Cause::Exceptions(recorded)) => recorded.exceptions.extend(chain),
            cause => {
                let exceptions = Exceptions { exceptions: chain, ..Exceptions::default() };
                *cause = Some(Cause::Exceptions(Box::new(exceptions)));
            }
        }
    }

    pub(crate) fn cause(&self) -> Option<&Cause> {
        self.details()?.cause.as_ref()
    }

    pub(crate) fn set_cause(&mut self, cause: Cause) {
        self.details_mut().cause = Some(cause);
    }

    /// Returns the exceptions of the cause. Returns none if the cause is a reference.
    fn own_exceptions(&self) -> &[Exception] {
        match self.cause() {
            Some(Cause::Exceptions(cause)) => &cause.exceptions,
            _ => &[],
        }
    }

    /// Returns the exceptions of the cause. If the cause is a reference, returns the exceptions of the subsegment with
    /// the referenced exception.
    fn exceptions(&self) -> &[Exception] {
        match self.cause() {
            Some(Cause::Exceptions(cause)) => &cause.exceptions,
            Some(Cause::Reference(id)) => {
                let mut below = self.subsegments().iter().rev().map(|subsegment| subsegment.exceptions());
                below.find(|known| known.iter().any(|known| known.id == *id)).unwrap_or_default()
            }
            None => &[],
        }
    }

    /// Runs `write`, and counts the memory of the exceptions that `write` adds to the cause.
    fn measured(&mut self, write: impl FnOnce(&mut Self)) {
        let before = self.own_exceptions().len();
        write(self);
        let added: usize = self.own_exceptions().iter().skip(before).map(super::held::exception).sum();
        self.details_mut().held += added;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Label, Time};

    #[test]
    fn a_known_panic_is_recorded_by_its_id() {
        let mut record = Record::new(SegmentId::random(), Label::named("outer"), Time::from_micros(1));
        let panic = Exception::panic("out");
        record.record_known_panic(&panic);
        record.record_known_panic(&panic);
        assert_eq!((record.cause(), record.fault), (Some(&Cause::Reference(panic.id)), true));

        record.details_mut().cause = None;
        record.record_error(vec![Exception::text("before", "String")]);
        for _ in 0..2 {
            record.record_known_panic(&panic);
            assert_eq!(record.exceptions()[1..], *std::slice::from_ref(&panic));
        }
        let new = record.record_panic(&Exception::panic("another"));
        assert_eq!(record.exceptions().last().map(|last| last.id), new);
        assert_eq!(record.record_panic(&Exception::panic("")), None, "a panic without a message has no id");
    }

    #[test]
    fn a_list_of_exceptions_begins_with_the_id_of_one_in_an_earlier_document() {
        let mut record = Record::new(SegmentId::random(), Label::named("outer"), Time::from_micros(1));
        let (first, second) = (Exception::panic("first"), Exception::text("second", "String"));
        record.record_known_panic(&first);
        record.record_error(vec![second.clone()]);
        let [placeholder, last] = record.exceptions() else { panic!("{:?}", record.cause()) };
        assert_eq!(last, &second);
        let placeholder = serde_json::to_value(placeholder).unwrap();
        assert_eq!(placeholder, serde_json::json!({ "id": first.id }), "only the id is known here");
    }

    #[test]
    fn a_record_limits_the_number_and_the_memory_of_its_errors() {
        let new = || Record::new(SegmentId::random(), Label::named("job"), Time::from_micros(1));
        let error = |text: &str| vec![Exception::without_stack(text, "String")];
        let mut record = new();
        assert!(!record.record_error(Vec::new()));
        assert!(record.fault && record.cause().is_none(), "no error to record");
        let mut record_one = |number| record.record_error(error(&format!("error {number}")));
        let is_recorded: Vec<_> = (0..=MAX_EXCEPTIONS).map(&mut record_one).collect();
        assert!(is_recorded[..MAX_EXCEPTIONS].iter().all(|is_recorded| *is_recorded));
        assert!(!is_recorded[MAX_EXCEPTIONS] && record.own_exceptions().len() == MAX_EXCEPTIONS);

        // A message of 900 characters is not cut.
        let mut record = new();
        for number in 1..=3 {
            assert!(record.record_error(error(&format!("{number}{}", "x".repeat(900)))));
            let held = record.details_mut().held;
            assert!((number * 900..number * 1800).contains(&held), "{held} for {number} errors");
        }
        record.details_mut().held = MAX_HELD_BYTES;
        assert!(!record.record_error(error("error 4")) && record.own_exceptions().len() == 3);
    }
}
