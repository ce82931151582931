//! How often, how long, how well.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::document::State;

/// Of requests that have ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Statistics {
    /// Those that went well.
    pub ok_count: u64,
    /// Those in which the caller erred.
    pub error_statistics: ErrorStatistics,
    /// Those that failed.
    pub fault_statistics: FaultStatistics,
    /// All.
    pub total_count: u64,
    /// The sum of their times, in seconds.
    pub total_response_time: f64,
}

/// Of requests in which the caller erred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ErrorStatistics {
    /// Those that were throttled.
    pub throttle_count: u64,
    /// The others.
    pub other_count: u64,
    /// All.
    pub total_count: u64,
}

/// Of requests that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct FaultStatistics {
    /// All of them: X-Ray does not tell kinds apart.
    pub other_count: u64,
    /// All.
    pub total_count: u64,
}

/// How many requests took a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct HistogramEntry {
    /// Seconds, rounded to a thousandth.
    pub value: f64,
    /// How many.
    pub count: u64,
}

impl Statistics {
    /// Counts a request that has ended.
    pub(super) fn add(&mut self, state: State, seconds: f64) {
        match state {
            State::Fault => {
                self.fault_statistics.other_count += 1;
                self.fault_statistics.total_count += 1;
            }
            State::Throttle => {
                self.error_statistics.throttle_count += 1;
                self.error_statistics.total_count += 1;
            }
            State::Error => {
                self.error_statistics.other_count += 1;
                self.error_statistics.total_count += 1;
            }
            State::Ok | State::InProgress => self.ok_count += 1,
        }
        self.total_count += 1;
        self.total_response_time += seconds;
    }
}

/// Times, counted by the millisecond.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram(BTreeMap<u64, u64>);

impl Histogram {
    pub(super) fn add(&mut self, seconds: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a duration, which saturates")]
        let milliseconds = (seconds * 1000.0).round() as u64;
        *self.0.entry(milliseconds).or_default() += 1;
    }

    pub(super) fn entries(&self) -> Vec<HistogramEntry> {
        #[expect(clippy::cast_precision_loss, reason = "no duration is that long")]
        let entry = |(milliseconds, count): (&u64, &u64)| HistogramEntry {
            value: *milliseconds as f64 / 1000.0,
            count: *count,
        };
        self.0.iter().map(entry).collect()
    }
}
