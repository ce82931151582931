//! Records: the data of segments and subsegments until they are sent.
//!
//! A [`Record`] is written while its segment or subsegment is open. At the end, the box of the record is moved into the
//! list of its parent. The emitter writes the finished tree as JSON, usually on another thread. A record is converted
//! into a [`Document`](crate::document::Document), the typed form that programs see, only on request.
//!
//! Most records are records of HTTP calls. Such a record takes one allocation, because the data that a call seldom has
//! is behind one pointer, in [`Details`]. After a record has been sent, its box is used again; see [`spare`].

mod convert;
mod details;
mod embedded;
mod errors;
mod extent;
mod finished;
mod held;
mod json;
mod label;
mod place;
mod size;
mod spare;
pub(crate) mod split;
mod text;
mod time;

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

pub(crate) use self::details::{ClientData, Details, NoRoom};
pub(crate) use self::extent::Extent;
pub use self::finished::FinishedSegment;
pub(crate) use self::label::Label;
pub(crate) use self::place::Place;
pub(crate) use self::time::Time;
use crate::document::{HttpResponse, Namespace};
use crate::id::{SegmentId, TraceId};

/// The data of one segment or subsegment.
///
/// The fields correspond to the fields of a [`Document`](crate::document::Document).
// A record is kept in a box, so that only the pointer moves when the record is embedded in its parent.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "the fields are those of the format")]
pub(crate) struct Record {
    pub(crate) id: SegmentId,
    pub(crate) start: Time,
    pub(crate) end: Option<Time>,
    /// The name, and the URL of the HTTP request.
    pub(crate) label: Label,
    /// The method of the HTTP request.
    pub(crate) method: Option<Cow<'static, str>>,
    pub(crate) response: Option<HttpResponse>,
    pub(crate) namespace: Option<Namespace>,
    pub(crate) error: bool,
    pub(crate) throttle: bool,
    pub(crate) fault: bool,
    pub(crate) in_progress: bool,
    /// The stage of an HTTP call. Any other record is `Started`.
    pub(crate) stage: Stage,
    /// The place in the trace, of a record that is a document of its own.
    // Shared by the subsegments that leave their parent together.
    pub(crate) place: Option<Arc<Place>>,
    details: Option<Box<Details>>,
}

/// The records of several subsegments. Each record stays in its box, so that no record is copied between lists.
pub(crate) type Records = Vec<Box<Record>>;

/// The stage of an HTTP call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The request is not sent yet. `with_headers` is `true` if the trace headers are still to be inserted.
    Pending { with_headers: bool },
    /// The call has started.
    Started,
    /// A response, an error or a panic was recorded.
    Finished,
}

impl Default for Record {
    #[inline]
    fn default() -> Self {
        Self {
            id: SegmentId::UNSET,
            start: Time::from_micros(0),
            end: None,
            label: Label::EMPTY,
            method: None,
            response: None,
            namespace: None,
            error: false,
            throttle: false,
            fault: false,
            in_progress: false,
            stage: Stage::Started,
            place: None,
            details: None,
        }
    }
}

impl Record {
    /// Creates the record of an HTTP call that has not started. The caller must set the name, to one that X-Ray
    /// accepts.
    #[inline]
    pub(crate) fn of_call(id: SegmentId) -> Box<Self> {
        let mut record = spare::take();
        record.id = id;
        record
    }

    /// Creates a record without an end. The caller must pass a `label` with a name that X-Ray accepts.
    pub(crate) fn new(id: SegmentId, label: Label, start: Time) -> Box<Self> {
        let mut record = spare::take();
        (record.id, record.label, record.start) = (id, label, start);
        record
    }

    pub(crate) fn name(&self) -> &str {
        self.label.name()
    }

    /// Returns the rare data, if the record has any.
    pub(crate) fn details(&self) -> Option<&Details> {
        self.details.as_deref()
    }

    /// Returns the rare data for writing. Creates it if necessary.
    pub(crate) fn details_mut(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }

    /// Returns whether the record is a subsegment that is sent by itself.
    pub(crate) fn is_independent_subsegment(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.kind.is_some())
    }

    /// Returns the id of the trace, of a record that is a document of its own.
    pub(crate) fn trace_id(&self) -> Option<TraceId> {
        self.place.as_ref()?.trace_id
    }

    /// Records a response and sets the flags for its status.
    pub(crate) fn record_response(&mut self, status: u16, content_length: Option<u64>) {
        let content_length = content_length.and_then(|length| i64::try_from(length).ok());
        self.response = Some(HttpResponse { status: Some(status), content_length });
        // 4xx is the caller's error, 429 is also a throttle, and 5xx is the callee's fault. (Developer guide, "Errors,
        // faults, and exceptions".) Flags are only ever set: the program may have recorded an error on its own. A
        // status of 600 or more is outside HTTP; the X-Ray SDK for Python counts it as a fault too.
        self.throttle |= status == 429;
        self.error |= (400..=499).contains(&status);
        self.fault |= status >= 500;
    }

    /// Marks the record as cancelled in its metadata.
    // Ignores the limit on memory, because the mark is small and is written once.
    pub(crate) fn mark_cancelled(&mut self) {
        let own = self.details_mut().metadata.entry("xray".to_owned()).or_default();
        own.insert("cancelled".to_owned(), true.into());
    }

    /// Returns the embedded subsegments, in the order in which they were closed.
    pub(crate) fn subsegments(&self) -> &[Box<Self>] {
        self.details().map_or(&[], |details| details.subsegments.records())
    }

    /// Embeds a subsegment that has ended.
    ///
    /// Removes and returns *all* embedded subsegments if they exceed `limit`; the caller sends them. Otherwise returns
    /// no records.
    pub(crate) fn embed(&mut self, subsegment: Box<Self>, limit: Extent) -> Records {
        let subsegments = &mut self.details_mut().subsegments;
        subsegments.push(subsegment);
        if subsegments.extent().exceeds(limit) { subsegments.take() } else { Vec::new() }
    }

    /// Sorts the embedded subsegments by their ends.
    #[cfg(any(feature = "diesel", feature = "tracing"))]
    pub(crate) fn sort_by_end(&mut self) {
        if let Some(details) = &mut self.details {
            details.subsegments.sort_by_end();
        }
    }

    /// Removes and returns all embedded subsegments.
    pub(crate) fn release(&mut self) -> Records {
        self.details.as_mut().map(|details| details.subsegments.take()).unwrap_or_default()
    }

    /// Removes and returns all embedded subsegments, and returns a copy of the rest of the open record, to be sent with
    /// `in_progress`. Returns no copy after the first time.
    pub(crate) fn take_progress(&mut self) -> (Records, Option<Box<Self>>) {
        let ended = self.release();
        // X-Ray accepts one document in progress for a segment.
        let was_sent = mem::replace(&mut self.details_mut().was_sent_in_progress, true);
        // A span that was left and may be entered again has an end already. A document in progress has none.
        let so_far = (!was_sent).then(|| Box::new(Self { in_progress: true, end: None, ..self.clone() }));
        (ended, so_far)
    }

    /// Returns whether [`take_progress`](Self::take_progress) has returned a copy.
    pub(crate) fn was_sent_in_progress(&self) -> bool {
        self.details().is_some_and(|details| details.was_sent_in_progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_sent_in_progress_once() {
        let mut record = Record::new(SegmentId::random(), Label::named("job"), Time::from_micros(1));
        record.end = Some(Time::from_micros(2));
        assert!(!record.was_sent_in_progress());
        let (_, so_far) = record.take_progress();
        assert!(so_far.is_some_and(|so_far| so_far.in_progress && so_far.end.is_none()));
        assert!(record.was_sent_in_progress() && !record.in_progress);
        assert!(record.take_progress().1.is_none());
    }

    #[cfg(any(feature = "diesel", feature = "tracing"))]
    #[test]
    fn subsegments_that_were_closed_late_are_sorted_by_their_ends() {
        let new = |end| {
            let mut record = Record::new(SegmentId::random(), Label::named("part"), Time::from_micros(1));
            record.end = Some(Time::from_micros(end));
            record
        };
        let mut parent = new(9);
        let limit = Extent { subsegments: usize::MAX, bytes: usize::MAX, held: usize::MAX };
        for end in [5, 3, 8, 4] {
            parent.embed(new(end), limit);
        }
        parent.sort_by_end();
        let ends: Vec<_> = parent.subsegments().iter().filter_map(|part| part.end).collect();
        assert_eq!(ends, [3, 4, 5, 8].map(Time::from_micros));
    }
}
