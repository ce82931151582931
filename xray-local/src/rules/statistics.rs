//! The statistics that clients report about the requests of each rule, by time window.

use std::collections::VecDeque;

use serde::Serialize;

use super::targets::SamplingStatistics;

/// The length of a window in seconds, as in X-Ray. (API reference, `SamplingStatisticSummary`.)
const WINDOW: f64 = 10.0;

/// The most windows of a rule that are kept: ten minutes.
const MAX_WINDOWS: usize = 60;

/// The requests of one rule, by window, oldest first.
#[derive(Debug, Default)]
pub(super) struct Windows(VecDeque<Window>);

#[derive(Debug)]
struct Window {
    start: f64,
    requests: u64,
    borrowed: u64,
    sampled: u64,
}

/// The requests of a rule in a window, in the form of the API.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SamplingStatisticSummary {
    rule_name: String,
    timestamp: f64,
    request_count: u64,
    borrow_count: u64,
    sampled_count: u64,
}

impl SamplingStatisticSummary {
    /// Returns the sort key of the summary: its time, followed by its rule.
    pub(crate) fn key(&self) -> String {
        format!("{:020.3}:{}", self.timestamp, self.rule_name)
    }
}

impl Windows {
    /// Adds a client's report to the current window.
    pub(super) fn add(&mut self, report: &SamplingStatistics, now: f64) {
        let start = (now / WINDOW).floor() * WINDOW;
        if self.0.back().is_none_or(|window| window.start < start) {
            self.0.push_back(Window { start, requests: 0, borrowed: 0, sampled: 0 });
        }
        if self.0.len() > MAX_WINDOWS {
            self.0.pop_front();
        }
        if let Some(window) = self.0.back_mut() {
            window.requests = window.requests.saturating_add(report.request_count);
            window.borrowed = window.borrowed.saturating_add(report.borrow_count);
            window.sampled = window.sampled.saturating_add(report.sampled_count);
        }
    }

    /// Returns the windows of the last ten minutes.
    pub(super) fn summaries(&self, rule: &str, now: f64) -> impl Iterator<Item = SamplingStatisticSummary> {
        #[expect(clippy::cast_precision_loss, reason = "60 is exact")]
        let oldest = now - WINDOW * MAX_WINDOWS as f64;
        self.0.iter().filter(move |window| window.start > oldest).map(move |window| SamplingStatisticSummary {
            rule_name: rule.to_owned(),
            timestamp: window.start,
            request_count: window.requests,
            borrow_count: window.borrowed,
            sampled_count: window.sampled,
        })
    }
}
