//! Retrievals of traces. X-Ray reads the traces from the log group of Transaction Search. `xray-local` reads them from
//! its store, so a retrieval is complete at once.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};

use super::AccountError;
use crate::document::TraceId;
use crate::time::TimeRange;

/// The most retrievals that are kept. A new retrieval beyond this limit replaces the oldest.
const MAX_KEPT: usize = 1_000;

/// The retrievals, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Retrievals {
    kept: VecDeque<(String, Retrieval)>,
    started: u64,
}

/// The traces that a retrieval asks for.
#[derive(Debug, Clone)]
pub(crate) struct Retrieval {
    pub(crate) ids: Vec<TraceId>,
    pub(crate) range: TimeRange,
    pub(crate) is_cancelled: bool,
}

impl Retrievals {
    /// Starts a retrieval, and returns its token.
    pub(crate) fn start(&mut self, retrieval: Retrieval) -> String {
        self.started += 1;
        let token = format!("{:016x}{:08x}", RandomState::new().hash_one(self.started), self.started);
        if self.kept.len() == MAX_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((token.clone(), retrieval));
        token
    }

    pub(crate) fn find(&self, token: &str) -> Result<&Retrieval, AccountError> {
        let found = self.kept.iter().find(|(kept, _)| kept == token);
        found.map(|(_, retrieval)| retrieval).ok_or_else(|| not_found(token))
    }

    pub(crate) fn cancel(&mut self, token: &str) -> Result<(), AccountError> {
        let found = self.kept.iter_mut().find(|(kept, _)| kept == token);
        found.map(|(_, retrieval)| retrieval.is_cancelled = true).ok_or_else(|| not_found(token))
    }
}

fn not_found(token: &str) -> AccountError {
    AccountError::NotFound(format!("there is no retrieval with the token {token:?}"))
}
