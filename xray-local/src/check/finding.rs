//! Findings: the problems of a document.

use std::fmt;

use serde::Serialize;

use super::field::FieldPath;

/// A problem of a document, and how to fix it. Displayed as `field: reason; advice`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The severity of the problem.
    pub severity: Severity,
    /// The `ErrorCode` of X-Ray's response. `None` if X-Ray accepts the document, or if the daemon drops it first.
    pub code: Option<Code>,
    /// The path of the field, such as `subsegments[0].http.response.status`. Empty if the problem concerns the whole
    /// document.
    pub field: String,
    /// The problem, such as `is missing`.
    pub reason: String,
    /// How to fix the problem.
    pub advice: String,
}

/// The severity of a [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Severity {
    /// X-Ray accepts the document, but drops the field, or another receiver rejects the document.
    Suspicious,
    /// X-Ray rejects the document.
    Rejected,
}

/// The `ErrorCode` of an unprocessed segment.
///
/// X-Ray does not document these codes. The codes for names, ids and a missing end time are known from users' reports;
/// the others are named after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Code {
    /// The document is not valid JSON.
    ParseError,
    /// The id is not 16 hexadecimal digits.
    InvalidId,
    /// The name is too long, or contains characters that X-Ray does not accept.
    InvalidName,
    /// The document or its trace exceeds a size limit.
    InvalidSegment,
    /// The trace id is malformed.
    InvalidTraceId,
    /// The document has neither an `end_time` nor `"in_progress": true`.
    MissingEndTime,
    /// The document has no id.
    MissingId,
    /// The document has no name.
    MissingName,
    /// The document has no start time.
    MissingStartTime,
    /// The document has no trace id.
    MissingTraceId,
}

impl Finding {
    /// Returns whether X-Ray rejects the document because of this finding.
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

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}; {}", self.reason, self.advice)
    }
}

/// Writes the first three findings in one line. If there are more, the line ends with their number and `page`, the
/// address where all are listed.
///
/// ```
/// use xray_local::check::{check, one_line};
///
/// let line = one_line(&check("{}").findings, "http://127.0.0.1:2000/problems");
/// assert!(line.ends_with(" more: http://127.0.0.1:2000/problems"), "{line}");
/// ```
#[must_use]
pub fn one_line<'a>(findings: impl IntoIterator<Item = &'a Finding>, page: &str) -> String {
    let mut findings = findings.into_iter();
    let mut parts: Vec<String> = findings.by_ref().take(3).map(ToString::to_string).collect();
    match findings.count() {
        0 => {}
        more => parts.push(format!("and {more} more: {page}")),
    }
    parts.join(" | ")
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Returns a path for a finding. A long path is cut at its start, because its end is the most specific part.
fn shown(path: &FieldPath) -> String {
    /// The path of a hostile document may have thousands of characters, and findings are kept in reports.
    const MAX_CHARS: usize = 300;

    let path = path.to_string();
    match path.char_indices().rev().nth(MAX_CHARS - 1) {
        Some((start, _)) if start > 0 => format!("..{}", &path[start..]),
        _ => path,
    }
}

/// The findings of one document, at most [`MAX`](Self::MAX): rejections first.
#[derive(Default)]
pub(super) struct Findings {
    rejected: Vec<Finding>,
    suspicious: Vec<Finding>,
    left_out: usize,
}

impl Findings {
    /// More findings of one document would bury the important ones, and a hostile document could have thousands.
    const MAX: usize = 20;

    /// Adds a finding about the field at a path. Calls `finding` only if the result may be kept.
    pub(super) fn add(&mut self, at: &FieldPath, finding: impl FnOnce() -> Finding) {
        if self.rejected.len() == Self::MAX {
            self.left_out += 1;
            return;
        }
        let finding = Finding { field: shown(at), ..finding() };
        let findings = if finding.is_rejection() { &mut self.rejected } else { &mut self.suspicious };
        if findings.len() < Self::MAX {
            findings.push(finding);
        } else {
            self.left_out += 1;
        }
    }

    /// Returns the findings. If some were left out, the last element says how many.
    pub(super) fn into_vec(self) -> Vec<Finding> {
        let mut findings = self.rejected;
        findings.extend(self.suspicious);
        let left_out = self.left_out + findings.len().saturating_sub(Self::MAX);
        findings.truncate(Self::MAX);
        if left_out > 0 {
            findings.push(Finding::suspicious(
                format!("{left_out} more findings are not shown"),
                "fix the findings above first",
            ));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_cut_at_its_start() {
        let name = "k".repeat(60);
        let outer = FieldPath::DOCUMENT.field("metadata");
        let inner = outer.field(&name);
        assert_eq!(shown(&inner), format!("metadata.{name}"));
        let third = inner.field(&name);
        let fourth = third.field(&name);
        let fifth = fourth.field(&name);
        let deep = fifth.field(&name);
        assert!(deep.to_string().len() > 300);
        assert_eq!(shown(&deep).len(), 302);
        assert!(deep.to_string().ends_with(&shown(&deep)[2..]), "{}", shown(&deep));
    }
}
