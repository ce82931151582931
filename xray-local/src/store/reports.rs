//! Reports about documents with findings.

use std::collections::VecDeque;
use std::time::SystemTime;

use serde::Serialize;

use super::Source;
use crate::check::Finding;

/// A report about a rejected or suspicious document.
///
/// A later document with the same findings replaces an earlier one, and `count` increases.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The number of documents with these findings.
    pub count: u64,
    /// The arrival of the latest document.
    pub at: SystemTime,
    /// How the latest document was received.
    pub source: Source,
    /// The latest document's id.
    pub id: Option<String>,
    /// The latest document's trace id; it may be malformed.
    pub trace_id: Option<String>,
    /// The findings: rejections first.
    pub findings: Vec<Finding>,
    /// The first 4000 characters of the latest document.
    pub text: String,
}

/// The latest reports, each with the key by which equal findings are recognized.
#[derive(Debug, Default)]
pub(super) struct Reports(VecDeque<(String, Report)>);

/// The most characters kept of a document's text.
const MAX_CHARS: usize = 4000;

impl Report {
    pub(super) fn new(
        source: Source,
        id: Option<String>,
        trace_id: Option<String>,
        findings: Vec<Finding>,
        text: &str,
    ) -> Self {
        let bound = |id: String| id.chars().take(60).collect();
        let text = text.chars().take(MAX_CHARS).collect();
        let (id, trace_id) = (id.map(bound), trace_id.map(bound));
        Self { count: 1, at: SystemTime::now(), source, id, trace_id, findings, text }
    }

    /// Returns whether X-Ray would reject the documents.
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        self.findings.iter().any(Finding::is_rejection)
    }
}

impl Reports {
    /// Adds a report. Replaces a report with the same findings, or else drops the oldest reports beyond `limit`.
    pub(super) fn add(&mut self, mut report: Report, limit: usize) {
        let key = key(&report.findings);
        if let Some(position) = self.0.iter().position(|(known, _)| *known == key) {
            let before = self.0.remove(position);
            report.count += before.map_or(0, |(_, before)| before.count);
        }
        while self.0.len() >= limit.max(1) {
            self.0.pop_front();
        }
        self.0.push_back((key, report));
    }

    /// Returns the reports, latest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = &Report> {
        self.0.iter().rev().map(|(_, report)| report)
    }
}

/// Returns a text that is equal for findings with the same problem: the fields and reasons without numbers and ids,
/// which differ between documents.
fn key(findings: &[Finding]) -> String {
    let is_digit = |character: char| character.is_ascii_hexdigit() || character == '-';
    let mut key = String::new();
    for finding in findings {
        for text in [&finding.field, &finding.reason] {
            for word in text.split_inclusive(|character| !is_digit(character)) {
                let digits = word.trim_end_matches(|character| !is_digit(character));
                let has_digit = digits.bytes().any(|byte| byte.is_ascii_digit());
                key.push_str(if has_digit { &word[digits.len()..] } else { word });
            }
            key.push('\n');
        }
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(reason: &str, field: &str) -> Report {
        let finding = Finding { field: field.to_owned(), ..Finding::suspicious(reason, "") };
        Report::new(Source::Udp, None, None, vec![finding], reason)
    }

    #[test]
    fn documents_with_equal_findings_are_counted_in_one_report() {
        let mut reports = Reports::default();
        for (reason, field) in [
            ("`Vec<T>` has `<`", "subsegments[0].name"),
            ("`1234567890abcdefff` is not an id", "parent_id"),
            ("`Vec<T>` has `<`", "subsegments[17].name"),
            ("`Vec<U>` has `<`", "subsegments[17].name"),
            ("`ffffff0` is not an id", "parent_id"),
        ] {
            reports.add(report(reason, field), 10);
        }
        let latest: Vec<_> = reports.latest().map(|report| (report.count, report.text.as_str())).collect();
        assert_eq!(latest, [(2, "`ffffff0` is not an id"), (1, "`Vec<U>` has `<`"), (2, "`Vec<T>` has `<`")]);
    }

    #[test]
    fn only_the_latest_reports_are_kept() {
        let mut reports = Reports::default();
        for reason in ["a?", "b?", "c?"] {
            reports.add(report(reason, ""), 2);
        }
        assert_eq!(reports.latest().map(|report| report.text.as_str()).collect::<Vec<_>>(), ["c?", "b?"]);
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(report(&"\u{e9}".repeat(5000), "").text.chars().count(), MAX_CHARS);
    }
}
