//! Splits a segment into documents that each fit into a datagram.

use std::sync::Arc;

use super::{FinishedSegment, Place, Record, Records, spare};
use crate::document::Document;
use crate::document::trim::trim;

/// Limit on the JSON of one document, in bytes.
// X-Ray accepts 64 kB. (Developer guide, "X-Ray segment documents".) The X-Ray SDK for Java has this limit too. The
// header of a datagram is 30 bytes, so the datagram stays below 65,507 bytes, the maximum for UDP over IPv4.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 63 * 1024;

/// Writes a segment as one or more documents within a limit: [`MAX_DOCUMENT_BYTES`], or less if the system refuses
/// datagrams of that length.
///
/// A segment that is too large is split: its direct subsegments become independent documents. A record that is still
/// too large without subsegments is trimmed.
pub(crate) struct Split {
    /// A stack of the records to write.
    unwritten: Records,
    /// Limit on the JSON of one document, in bytes.
    max_bytes: usize,
    /// The number of values that were removed or cut so far.
    pub(crate) trimmed: usize,
}

/// The error for a document that is still too large after trimming.
#[derive(Debug, PartialEq)]
pub(crate) struct TooLarge {
    pub(crate) name: String,
    pub(crate) bytes: usize,
}

impl Split {
    /// The size of a document that every system sends.
    const MIN_BYTES: usize = 1024;

    /// Creates a `Split` for a segment or an independent subsegment.
    pub(crate) fn new(segment: FinishedSegment, max_bytes: usize) -> Self {
        Self { unwritten: vec![segment.into_record()], max_bytes, trimmed: 0 }
    }

    /// Returns the limit on the documents.
    pub(crate) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Takes back a document that the system refused as too long for a datagram, and halves the limit. Returns `false`
    /// if the document is so small that its size is not the cause.
    pub(crate) fn take_back(&mut self, json: &[u8]) -> bool {
        let document = if json.len() > Self::MIN_BYTES { serde_json::from_slice::<Document>(json).ok() } else { None };
        let Some(document) = document else { return false };
        self.unwritten.push(Box::new(document.into()));
        self.max_bytes = json.len() / 2;
        true
    }

    /// Appends the JSON of the next document to `buffer`. Returns `None` when all documents have been written.
    pub(crate) fn write_next(&mut self, buffer: &mut Vec<u8>) -> Option<Result<(), TooLarge>> {
        let start = buffer.len();
        loop {
            let mut record = self.unwritten.pop()?;
            record.write_json(buffer);
            let bytes = buffer.len() - start;
            if bytes <= self.max_bytes {
                spare::keep(vec![record]);
                return Some(Ok(()));
            }
            buffer.truncate(start);
            // Split first and trim only a record without subsegments, because splitting loses no data.
            if record.subsegments().is_empty() {
                let mut document = Document::from(*record);
                let trimmed = trim(&mut document, bytes - self.max_bytes);
                if trimmed == 0 {
                    return Some(Err(TooLarge { name: document.name, bytes }));
                }
                self.trimmed += trimmed;
                self.unwritten.push(Box::new(document.into()));
            } else {
                // Detach all subsegments at once. The parent is then as small as possible, and each subsegment keeps
                // its own children if they fit.
                self.detach_subsegments(&mut record);
                self.unwritten.push(record);
            }
        }
    }

    /// Makes each direct subsegment of a record independent.
    fn detach_subsegments(&mut self, record: &mut Record) {
        // A document that the program made itself may have no trace id. Its subsegments then keep the places that they
        // have.
        let place = record.trace_id().map(|trace_id| Place::below(trace_id, record.id));
        for mut subsegment in record.release() {
            if let Some(place) = &place {
                subsegment.place = Some(Arc::clone(place));
            }
            self.unwritten.push(subsegment);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{SegmentId, TraceId};

    fn document(name: &str, subsegments: Vec<Document>) -> Document {
        Document { subsegments, ..Document::new(SegmentId::random(), name.to_owned(), 1.0) }
    }

    fn written(document: Document) -> Vec<Result<Document, TooLarge>> {
        let mut split = Split::new(document.into(), MAX_DOCUMENT_BYTES);
        let mut written = Vec::new();
        let mut buffer = b"prefix".to_vec();
        while let Some(result) = split.write_next(&mut buffer) {
            written.push(result.map(|()| serde_json::from_slice(&buffer[6..]).unwrap()));
            buffer.truncate(6);
        }
        written
    }

    #[test]
    fn a_small_document_stays_whole() {
        let segment = document("s", vec![document("a", vec![])]);
        assert_eq!(written(segment.clone()), [Ok(segment)]);
    }

    #[test]
    fn only_a_document_that_is_too_large_is_split() {
        let large = |name: &str, children| document(&format!("{name}{}", "x".repeat(40_000)), children);
        let mut segment = document("s", vec![large("a", vec![document("b", vec![])]), large("c", vec![])]);
        segment.trace_id = Some(TraceId::random());
        let id = segment.id;
        let pieces: Vec<_> = written(segment).into_iter().map(Result::unwrap).collect();
        assert_eq!(pieces.len(), 3);
        assert!(pieces[0].subsegments.is_empty() && pieces[0].id == id);
        for piece in &pieces[1..] {
            assert_eq!((piece.parent_id, piece.trace_id), (Some(id), pieces[0].trace_id));
        }
        assert_eq!(pieces.iter().map(|piece| piece.subsegments.len()).sum::<usize>(), 1, "b stays in a");
    }

    #[test]
    fn a_subsegment_of_a_document_without_a_trace_id_keeps_its_own_place() {
        let large = |name: &str| document(&format!("{name}{}", "x".repeat(40_000)), vec![]);
        let (trace_id, parent_id) = (Some(TraceId::random()), Some(SegmentId::random()));
        let first = Document { trace_id, parent_id, ..large("a") };
        let pieces: Vec<_> = written(document("s", vec![first, large("b")])).into_iter().map(Result::unwrap).collect();
        let is_first = |piece: &Document| piece.name.starts_with('a');
        let first = pieces.iter().find(|piece| is_first(piece)).unwrap();
        assert_eq!((pieces.len(), first.trace_id, first.parent_id), (3, trace_id, parent_id));
    }

    #[test]
    fn metadata_is_trimmed_largest_first() {
        let mut large = document("a", vec![]);
        for (key, bytes) in [("a", 30_000), ("b", 40_000), ("c", 20_000)] {
            let values = large.metadata.entry("default".to_owned()).or_default();
            values.insert(key.to_owned(), "x".repeat(bytes).into());
        }
        let mut split = Split::new(large.into(), MAX_DOCUMENT_BYTES);
        let mut buffer = Vec::new();
        assert_eq!(split.write_next(&mut buffer), Some(Ok(())));
        let written: Document = serde_json::from_slice(&buffer).unwrap();
        assert_eq!(written.metadata["default"].keys().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!((split.trimmed, split.write_next(&mut buffer)), (1, None));
    }

    #[test]
    fn a_document_of_the_largest_size_is_written_whole_behind_others() {
        let of_size = |bytes: usize| {
            let mut empty = Vec::new();
            Split::new(document("", vec![]).into(), MAX_DOCUMENT_BYTES).write_next(&mut empty);
            let name = "x".repeat(bytes - empty.len());
            let mut split = Split::new(document(&name, vec![]).into(), MAX_DOCUMENT_BYTES);
            let mut buffer = vec![b'x'; MAX_DOCUMENT_BYTES];
            let written = split.write_next(&mut buffer).unwrap().is_ok();
            (written, buffer.len() - MAX_DOCUMENT_BYTES, split.trimmed)
        };
        assert_eq!(of_size(MAX_DOCUMENT_BYTES), (true, MAX_DOCUMENT_BYTES, 0));
        assert_eq!(of_size(MAX_DOCUMENT_BYTES + 1), (false, 0, 0));
    }

    #[test]
    fn a_document_that_stays_too_large_is_an_error_and_its_subsegments_are_written() {
        let large = document(&"x".repeat(MAX_DOCUMENT_BYTES), vec![document("a", vec![])]);
        let results = written(large);
        assert!(matches!(&results[..], [Err(TooLarge { .. }), Ok(a)] if a.name == "a"));
    }
}
