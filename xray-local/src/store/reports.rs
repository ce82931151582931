//! What was wrong with documents.

use std::collections::VecDeque;
use std::time::SystemTime;

use serde::Serialize;

use super::Source;
use crate::check::Finding;

/// A document that was rejected or that is suspicious. The next one with the same findings takes its place, and both are
/// counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// How many there were.
    pub count: u64,
    /// When the latest one came.
    pub at: SystemTime,
    /// The way on which it came.
    pub source: Source,
    /// Its id.
    pub id: Option<String>,
    /// The trace that it says it belongs to.
    pub trace_id: Option<String>,
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
    /// Its text, or the beginning of it.
    pub text: String,
}

/// The latest reports.
#[derive(Debug, Default)]
pub(super) struct Reports(VecDeque<(String, Report)>);

/// What is kept of a text.
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
}

impl Reports {
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

    /// The latest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = &Report> {
        self.0.iter().rev().map(|(_, report)| report)
    }
}

/// What findings have in common, whatever the document's numbers and ids: they are left out.
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
    fn the_same_again_is_counted() {
        let mut reports = Reports::default();
        for (reason, field) in [
            ("`Vec<T>` has `<`", "subsegments[0].name"),
            ("`1234567890abcdefff` is no id", "parent_id"),
            ("`Vec<T>` has `<`", "subsegments[17].name"),
            ("`Vec<U>` has `<`", "subsegments[17].name"),
            ("`ffffff0` is no id", "parent_id"),
        ] {
            reports.add(report(reason, field), 10);
        }
        let latest: Vec<_> = reports.latest().map(|report| (report.count, report.text.as_str())).collect();
        assert_eq!(latest, [(2, "`ffffff0` is no id"), (1, "`Vec<U>` has `<`"), (2, "`Vec<T>` has `<`")]);
    }

    #[test]
    fn the_latest_are_kept() {
        let mut reports = Reports::default();
        for reason in ["a?", "b?", "c?"] {
            reports.add(report(reason, ""), 2);
        }
        assert_eq!(reports.latest().map(|report| report.text.as_str()).collect::<Vec<_>>(), ["c?", "b?"]);
    }

    #[test]
    fn texts_are_cut() {
        assert_eq!(report(&"\u{e9}".repeat(5000), "").text.chars().count(), MAX_CHARS);
    }
}
