//! A finished segment, which an emitter receives.

use std::fmt;

use super::Record;
use crate::document::Document;
use crate::id::{SegmentId, TraceId};

/// A finished segment with its subsegments, or a subsegment that is sent by itself.
///
/// An [`Emitter`](crate::emitter::Emitter) receives a finished segment. [`write_json`](Self::write_json) writes the
/// JSON of its [`Document`] in less time than a conversion takes. To read the data, convert the segment into a
/// document:
///
/// ```
/// use xray::emitter::{Emitter, FinishedSegment};
/// use xray::Document;
///
/// struct PrintNames;
///
/// impl Emitter for PrintNames {
///     fn emit(&self, segment: FinishedSegment) {
///         let document = Document::from(segment);
///         println!("{}: {} subsegments", document.name, document.subsegments.len());
///     }
/// }
/// ```
///
/// An emitter that changes the document can convert it back and pass it on to another emitter.
#[derive(Clone)]
pub struct FinishedSegment(Box<Record>);

impl FinishedSegment {
    pub(crate) fn new(record: Box<Record>) -> Self {
        Self(record)
    }

    pub(super) fn into_record(self) -> Box<Record> {
        self.0
    }

    pub(crate) fn record(&self) -> &Record {
        &self.0
    }

    pub(crate) fn record_mut(&mut self) -> &mut Record {
        &mut self.0
    }

    /// Returns the name of the segment or subsegment.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Returns the id of the segment or subsegment.
    #[must_use]
    pub fn id(&self) -> SegmentId {
        self.0.id
    }

    /// Returns the id of the trace, or `None` if the segment was converted from a document without one.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.0.trace_id()
    }

    /// Appends the JSON of the document to a buffer, on one line.
    ///
    /// The size of the JSON is not limited. A datagram to the daemon holds at most 64 KiB.
    ///
    /// ```
    /// use xray::emitter::FinishedSegment;
    ///
    /// let ((), documents) = xray::testing::capture_blocking(|| xray::Segment::builder("todo-app").begin().end());
    /// let segment = FinishedSegment::from(documents[0].clone());
    /// let mut json = Vec::new();
    /// segment.write_json(&mut json);
    /// assert_eq!(serde_json::from_slice::<xray::Document>(&json)?, documents[0]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn write_json(&self, buffer: &mut Vec<u8>) {
        self.0.write_json(buffer);
    }
}

impl From<FinishedSegment> for Document {
    fn from(FinishedSegment(record): FinishedSegment) -> Self {
        Self::from(*record)
    }
}

/// Times are rounded to microseconds.
impl From<Document> for FinishedSegment {
    fn from(document: Document) -> Self {
        Self(Box::new(Record::from(document)))
    }
}

impl fmt::Debug for FinishedSegment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut segment = formatter.debug_struct("FinishedSegment");
        segment.field("id", &self.id()).field("name", &self.name()).field("trace_id", &self.trace_id());
        segment.finish_non_exhaustive()
    }
}
