//! What is wrong with a document.

use std::fmt;

use serde::Serialize;

use super::field::Place;

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The `ErrorCode` that X-Ray answers with; none where it takes the document, or where the daemon drops it before.
    pub code: Option<Code>,
    /// Where, such as `subsegments[0].http.response.status`; empty where it is the document as a whole.
    pub field: String,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub advice: String,
}

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Severity {
    /// X-Ray takes the document; it drops what does not comply, or other receivers refuse the document.
    Suspicious,
    /// X-Ray refuses the document.
    Rejected,
}

/// The `ErrorCode` of an unprocessed segment.
///
/// X-Ray does not document them. Those of names and ids, and for a segment without an end, are as users report them; the
/// others are named after their like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Code {
    /// It is no JSON.
    ParseError,
    /// The id is none.
    InvalidId,
    /// The name is too long, or has characters that X-Ray does not take.
    InvalidName,
    /// The document, or its trace, is over a limit.
    InvalidSegment,
    /// The trace id is none.
    InvalidTraceId,
    /// It has neither an end nor says that it has not ended.
    MissingEndTime,
    /// It has no id.
    MissingId,
    /// It has no name.
    MissingName,
    /// It has no start time.
    MissingStartTime,
    /// It belongs to no trace.
    MissingTraceId,
}

impl Finding {
    /// Whether the document is refused for it.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        self.severity == Severity::Rejected
    }

    pub(crate) fn rejected(code: Code, reason: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            severity: Severity::Rejected,
            code: Some(code),
            field: String::new(),
            reason: reason.into(),
            advice: advice.into(),
        }
    }

    pub(crate) fn suspicious(reason: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            severity: Severity::Suspicious,
            code: None,
            field: String::new(),
            reason: reason.into(),
            advice: advice.into(),
        }
    }
}

/// `field: reason; advice`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}; {}", self.reason, self.advice)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The findings of one document: at most so many, the rejections before the others.
#[derive(Default)]
pub(super) struct Findings {
    rejected: Vec<Finding>,
    suspicious: Vec<Finding>,
    left_out: usize,
}

impl Findings {
    /// What a reader may be expected to read of one document.
    const MOST: usize = 20;

    /// `finding` is made where there may be room for it.
    pub(super) fn add(&mut self, at: &Place, finding: impl FnOnce() -> Finding) {
        if self.rejected.len() == Self::MOST {
            self.left_out += 1;
            return;
        }
        let finding = Finding { field: at.to_string(), ..finding() };
        let findings = if finding.is_rejection() { &mut self.rejected } else { &mut self.suspicious };
        if findings.len() < Self::MOST {
            findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        let mut findings = self.rejected;
        findings.extend(self.suspicious);
        let left_out = self.left_out + findings.len().saturating_sub(Self::MOST);
        findings.truncate(Self::MOST);
        if left_out > 0 {
            findings.push(Finding::suspicious(format!("{left_out} more findings are left out"), "mend these first"));
        }
        findings
    }
}
