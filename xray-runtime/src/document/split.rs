//! A document cut into pieces that fit a datagram.

use super::Document;
use super::trim::trim;

/// What a document may measure as JSON before its subsegments leave it. X-Ray takes 64 kB; the X-Ray SDK for
/// Java has the same limit, and a datagram has room for as much and its header.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 63 * 1024;

/// Writes a document as one or more: what is too large is split into its subsegments and the rest, and what is too
/// large by itself is trimmed.
pub(crate) struct Split {
    unwritten: Vec<Document>,
    /// How many values lost something so far, or are left out.
    pub(crate) trimmed: usize,
}

/// A document that holds too much even without its subsegments and metadata.
#[derive(Debug, PartialEq)]
pub(crate) struct TooLarge {
    pub(crate) name: String,
    pub(crate) bytes: usize,
}

impl Split {
    /// `document` is a segment or an independent subsegment.
    pub(crate) fn new(document: Document) -> Self {
        Self { unwritten: vec![document], trimmed: 0 }
    }

    /// Appends the next document to `buffer` as JSON; `None` when all are written.
    pub(crate) fn write_next(&mut self, buffer: &mut Vec<u8>) -> Option<Result<(), TooLarge>> {
        let start = buffer.len();
        loop {
            let mut document = self.unwritten.pop()?;
            // Writing into memory does not fail, and a document has no keys but strings.
            let written = serde_json::to_writer(&mut *buffer, &document).is_ok();
            let bytes = buffer.len() - start;
            if written && bytes <= MAX_DOCUMENT_BYTES {
                return Some(Ok(()));
            }
            buffer.truncate(start);
            if document.subsegments.is_empty() {
                let trimmed = trim(&mut document, bytes.saturating_sub(MAX_DOCUMENT_BYTES));
                if trimmed == 0 {
                    return Some(Err(TooLarge { name: document.name, bytes }));
                }
                self.trimmed += trimmed;
            } else {
                self.detach_subsegments(&mut document);
            }
            self.unwritten.push(document);
        }
    }

    fn detach_subsegments(&mut self, document: &mut Document) {
        for mut subsegment in document.subsegments.drain(..) {
            if let Some(trace_id) = document.trace_id {
                subsegment.make_independent(trace_id, document.id);
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
        let mut split = Split::new(document);
        let mut written = Vec::new();
        let mut buffer = b"prefix".to_vec();
        while let Some(result) = split.write_next(&mut buffer) {
            written.push(result.map(|()| serde_json::from_slice(&buffer[6..]).unwrap()));
            buffer.truncate(6);
        }
        written
    }

    #[test]
    fn small_document_stays_whole() {
        let segment = document("s", vec![document("a", vec![])]);
        assert_eq!(written(segment.clone()), [Ok(segment)]);
    }

    #[test]
    fn only_what_is_too_large_is_split() {
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
    fn of_one_that_is_too_large_by_itself_only_the_largest_metadata_is_lost() {
        let mut large = document("a", vec![]);
        for (key, bytes) in [("a", 30_000), ("b", 40_000), ("c", 20_000)] {
            let values = large.metadata.entry("default".to_owned()).or_default();
            values.insert(key.to_owned(), "x".repeat(bytes).into());
        }
        let mut split = Split::new(large);
        let mut buffer = Vec::new();
        assert_eq!(split.write_next(&mut buffer), Some(Ok(())));
        let written: Document = serde_json::from_slice(&buffer).unwrap();
        assert_eq!(written.metadata["default"].keys().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!((split.trimmed, split.write_next(&mut buffer)), (1, None));
    }

    #[test]
    fn what_cannot_be_split_is_told() {
        let large = document(&"x".repeat(MAX_DOCUMENT_BYTES), vec![document("a", vec![])]);
        let results = written(large);
        assert!(matches!(&results[..], [Err(TooLarge { .. }), Ok(a)] if a.name == "a"));
    }
}
