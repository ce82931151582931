//! Checks documents for problems that X-Ray, or a stricter receiver such as the OpenTelemetry collector, would have
//! with them.

mod datagram;
mod entity;
mod field;
mod finding;
mod name;
mod shape;
mod trace_time;
mod values;

use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use datagram::check_datagram;
use field::FieldPath;
use finding::Findings;
pub use finding::{Code, Finding, Severity, one_line};
#[cfg(feature = "otlp")]
pub(crate) use name::allowed_part as allowed_name;
pub(crate) use trace_time::is_random as is_random_id;

use crate::document::Document;

/// The result of checking one document.
///
/// `D` is the form of the document. [`check`] returns a typed [`Document`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Checked<D = Document> {
    /// The document, or `None` if a finding rejects it.
    pub document: Option<D>,
    /// The document's `id`, if it is a string.
    pub id: Option<String>,
    /// The document's `trace_id`, if it is a string; it may be malformed.
    pub trace_id: Option<String>,
    /// The problems found: rejections first, empty for a good document.
    pub findings: Vec<Finding>,
}

impl<D> Checked<D> {
    /// Returns the first finding that rejects the document.
    #[must_use]
    pub fn rejection(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.is_rejection())
    }

    fn rejected(finding: Finding) -> Self {
        Self { document: None, id: None, trace_id: None, findings: vec![finding] }
    }
}

/// Checks one document, given as JSON text.
///
/// ```
/// use xray_local::check::{Code, check};
///
/// let checked = check(r#"{"id":"70de5b6f19ff9a0a","trace_id":"1-581cf771-a006649127e371903a2de979","name":"Vec<T>","start_time":1,"end_time":2}"#);
/// assert!(checked.document.is_none());
/// assert_eq!(checked.findings[0].code, Some(Code::InvalidName));
/// assert_eq!(checked.findings[0].field, "name");
/// ```
#[must_use]
pub fn check(text: &str) -> Checked {
    let Checked { document, id, trace_id, findings } = inspect(text, IdDigits::Time);
    let document = document.and_then(|document| Document::from_value(Value::Object(document)));
    Checked { document, id, trace_id, findings }
}

/// The meaning of the first eight digits in the trace ids of a sender.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdDigits {
    /// The start of the trace, as X-Ray SDKs write it.
    Time,
    /// Random, as in the ids of OpenTelemetry.
    MayBeRandom,
}

/// Like [`check`], but leaves the document untyped: the store keeps the text and types it only when a trace is read.
pub(crate) fn inspect(text: &str, digits: IdDigits) -> Checked<Map<String, Value>> {
    if text.len() > MAX_DOCUMENT_BYTES {
        return too_large(text);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(document)) => inspect_object(document, digits),
        Ok(other) => {
            let reason = format!("the document is {}, not a JSON object", values::describe(&other));
            Checked::rejected(Finding::rejected(
                Code::MissingId,
                reason,
                "send one segment or subsegment in each document",
            ))
        }
        Err(error) => Checked::rejected(invalid_json(text, &error)),
    }
}

/// Like [`inspect`], but takes the parsed document of a span. `text` is the JSON of the document.
pub(crate) fn inspect_span(document: Map<String, Value>, text: &str) -> Checked<Map<String, Value>> {
    if text.len() > MAX_DOCUMENT_BYTES { too_large(text) } else { inspect_object(document, IdDigits::MayBeRandom) }
}

fn inspect_object(document: Map<String, Value>, digits: IdDigits) -> Checked<Map<String, Value>> {
    let text_of = |field: &str| document.get(field).and_then(Value::as_str).map(str::to_owned);
    let (id, trace_id) = (text_of("id"), text_of("trace_id"));
    let mut findings = Findings::default();
    entity::check(&document, &mut findings);
    if digits == IdDigits::Time {
        trace_time::check(&document, &FieldPath::DOCUMENT.field("trace_id"), &mut findings);
    }
    let findings = findings.into_vec();
    let is_rejected = findings.iter().any(Finding::is_rejection);
    Checked { document: (!is_rejected).then_some(document), id, trace_id, findings }
}

/// Returns the finding for a `PutTraceSegments` request that was refused as a whole.
pub(crate) fn request_refused(message: &str) -> Finding {
    let reason = format!("a request `PutTraceSegments` was refused with all its documents: {message}");
    let advice = "send at most 50 documents of 64 kB in each request, and send it again if the server was busy";
    Finding { code: None, ..Finding::rejected(Code::InvalidSegment, reason, advice) }
}

/// Returns the finding for an OTLP request that was refused as a whole.
pub(crate) fn spans_refused(message: &str) -> Finding {
    let reason = format!("a request with spans (OTLP) was refused as a whole: {message}");
    let advice = "send an `ExportTraceServiceRequest` in protobuf or JSON, plain or compressed with gzip";
    Finding { code: None, ..Finding::rejected(Code::InvalidSegment, reason, advice) }
}

/// Returns the finding for a span that cannot become a segment or subsegment.
pub(crate) fn span_refused(reason: String) -> Finding {
    let advice = "send spans as an OpenTelemetry SDK makes them";
    Finding { code: None, ..Finding::rejected(Code::InvalidSegment, reason, advice) }
}

/// The largest document that X-Ray accepts, in bytes. (X-Ray developer guide, "Segment documents": 64 kB.)
pub(crate) const MAX_DOCUMENT_BYTES: usize = 64 << 10;

/// Rejects a document for its size. Only its ids are read, for the report.
fn too_large(text: &str) -> Checked<Map<String, Value>> {
    #[derive(Default, Deserialize)]
    struct Ids {
        id: Option<String>,
        trace_id: Option<String>,
    }

    let Ids { id, trace_id } = serde_json::from_str(text).unwrap_or_default();
    let reason = format!("the document has {} bytes, and X-Ray accepts at most {MAX_DOCUMENT_BYTES}", text.len());
    let advice = "send some subsegments as separate documents, or record less metadata";
    Checked { id, trace_id, ..Checked::rejected(Finding::rejected(Code::InvalidSegment, reason, advice)) }
}

/// Returns the finding for text that is not valid JSON. The advice depends on the likely mistake.
fn invalid_json(text: &str, error: &serde_json::Error) -> Finding {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    if text.trim().is_empty() {
        return Finding::rejected(Code::ParseError, "the document is empty", "send a segment or subsegment as JSON");
    }
    if documents.next().is_some_and(|first| first.is_ok()) {
        let reason = format!(
            "the document is followed by other text at byte {}, so X-Ray rejects all of it",
            documents.byte_offset()
        );
        return Finding::rejected(
            Code::ParseError,
            reason,
            "send one document in each datagram, or in each string of `TraceSegmentDocuments`",
        );
    }
    let reason = format!("the document is not valid JSON: {error}");
    let has_word = |word| text.contains(word);
    let advice = if error.is_eof() {
        "send the whole document; it may have been truncated to fit a datagram"
    } else if error.to_string().starts_with("recursion limit") {
        "nest less deeply: send inner subsegments as separate documents with a `parent_id`"
    } else if ["NaN", "Infinity"].into_iter().any(has_word) {
        "leave out NaN and Infinity, which JSON does not have"
    } else {
        "send a segment or subsegment as JSON"
    };
    Finding::rejected(Code::ParseError, reason, advice)
}
