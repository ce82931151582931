//! Forwards received datagrams and OTLP requests to another receiver: a real X-Ray daemon or a collector.

mod datagrams;
mod own;
#[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "requests with spans are refused"))]
mod spans;

pub(crate) use datagrams::ForwardedDatagrams;
pub(crate) use own::leads_to;
pub(crate) use spans::{ForwardThread, ForwardedSpans, endpoint};

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of datagrams or requests that could not be forwarded. Clones share one count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lost(Arc<AtomicU64>);

impl Lost {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts a loss, and returns `true` for the first one.
    fn add(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) == 0
    }

    fn add_many(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}
