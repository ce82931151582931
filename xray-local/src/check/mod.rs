//! What X-Ray, or a stricter receiver in its place, would say of a document.

mod finding;

use serde_json::Value;

pub use finding::{Code, Finding, Severity};

use crate::document::{Document, TraceId};

/// A document that was looked at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Checked {
    /// The document, unless a finding rejects it.
    pub document: Option<Document>,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// The trace that it says it belongs to.
    pub trace_id: Option<String>,
    /// What is wrong, worst first; empty for a good document.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// The finding for which it is refused.
    #[must_use]
    pub fn rejection(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.is_rejection())
    }
}

/// Checks one document, JSON text.
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
    let mut checked = Checked { document: None, id: None, trace_id: None, findings: Vec::new() };
    match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            let text_of = |field| value.get(field).and_then(Value::as_str).map(str::to_owned);
            checked.id = text_of("id");
            checked.trace_id = text_of("trace_id");
            if text_of("name").is_some_and(|name| name.contains(['<', '\\'])) {
                checked.findings.push(Finding::rejected(Code::InvalidName, "bad name", "rename it").at("name"));
            } else if checked.trace_id.as_deref().and_then(TraceId::parse).is_none() {
                checked
                    .findings
                    .push(Finding::rejected(Code::InvalidTraceId, "bad trace id", "give one").at("trace_id"));
            } else {
                checked.document = Document::from_value(value);
                if checked.document.is_none() {
                    checked.findings.push(Finding::rejected(Code::MissingId, "incomplete", "complete it"));
                }
            }
        }
        Err(error) => checked.findings.push(Finding::rejected(Code::ParseError, error.to_string(), "send JSON")),
    }
    checked
}

/// The document in a datagram as the daemon takes it: a header line, a line feed, one document.
///
/// # Errors
///
/// Why the daemon, or X-Ray behind it, drops the datagram.
///
/// ```
/// use xray_local::check::check_datagram;
///
/// assert_eq!(check_datagram(b"{\"format\":\"json\",\"version\":1}\n{}"), Ok("{}"));
/// assert!(check_datagram(b"{}").is_err());
/// ```
pub fn check_datagram(datagram: &[u8]) -> Result<&str, Finding> {
    let text = std::str::from_utf8(datagram)
        .map_err(|error| Finding::rejected(Code::ParseError, error.to_string(), "send UTF-8"))?;
    let (_header, document) = text
        .split_once('\n')
        .ok_or_else(|| Finding::rejected(Code::ParseError, "no header line", "send the header line first"))?;
    Ok(document)
}
