//! The state that all pages are made from.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use crate::store::Store;

/// What the pages are made from.
#[derive(Debug, Clone)]
pub(super) struct Console {
    pub(super) store: Store,
    pub(super) address: SocketAddr,
    pub(super) dropped: Arc<AtomicU64>,
    pub(super) started: Instant,
}

impl Console {
    pub(super) fn revision(&self) -> u64 {
        *self.store.changes().borrow()
    }
}
