//! The ids of the HTTP calls of a segment that are open.
//!
//! A request may pass two mechanisms, such as an annotated function and a middleware. The second mechanism finds the
//! first one's id in the header, looks the id up in this set, and does not record the request again.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::id::SegmentId;
use crate::support::lock::lock;

/// A set of ids. The first four need neither a lock nor an allocation, because most segments have few open calls.
//
// All accesses are relaxed: an id reaches another thread only inside a request, and handing the request over orders the
// two threads already.
#[derive(Debug, Default)]
pub(crate) struct OpenCalls {
    /// Zero, which is never an id, marks a free slot.
    few: [AtomicU64; 4],
    /// The ids that found no free slot: a segment may have thousands of open calls.
    more: Mutex<HashSet<u64, BuildHasherDefault<IdentityHasher>>>,
}

impl OpenCalls {
    #[inline]
    pub(crate) fn insert(&self, id: SegmentId) {
        // The load comes first because a failed compare-and-exchange takes the cache line from other threads.
        let claim = |slot: &AtomicU64| {
            slot.load(Ordering::Relaxed) == 0
                && slot.compare_exchange(0, id.bits(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        if !self.few.iter().any(claim) {
            self.more().insert(id.bits());
        }
    }

    #[inline]
    pub(crate) fn remove(&self, id: SegmentId) {
        match self.slot_of(id) {
            Some(slot) => slot.store(0, Ordering::Relaxed),
            None => drop(self.more().remove(&id.bits())),
        }
    }

    pub(crate) fn contains(&self, id: SegmentId) -> bool {
        self.slot_of(id).is_some() || self.more().contains(&id.bits())
    }

    fn slot_of(&self, id: SegmentId) -> Option<&AtomicU64> {
        self.few.iter().find(|slot| slot.load(Ordering::Relaxed) == id.bits())
    }

    fn more(&self) -> MutexGuard<'_, HashSet<u64, BuildHasherDefault<IdentityHasher>>> {
        lock(&self.more)
    }
}

/// A hasher that returns the id itself: ids in the set are random and made here, so nobody can choose colliding ones.
#[derive(Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("an id is one number");
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = id;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_ids_and_many_are_found_until_they_are_removed() {
        let ids: Vec<_> = (0..20).map(|_| SegmentId::random()).collect();
        let open = OpenCalls::default();
        for round in 0..3 {
            for id in &ids {
                open.insert(*id);
            }
            assert!(ids.iter().all(|id| open.contains(*id)));
            let (ended, rest) = ids.split_at(round * 7);
            for id in ended {
                open.remove(*id);
            }
            assert!(!ended.iter().any(|id| open.contains(*id)) && rest.iter().all(|id| open.contains(*id)));
            open.remove(SegmentId::random());
            for id in rest {
                open.remove(*id);
            }
            assert!(!ids.iter().any(|id| open.contains(*id)) && open.more().is_empty());
        }
    }

    #[test]
    fn threads_share_the_set() {
        // Miri is a thousand times slower.
        const ROUNDS: usize = if cfg!(miri) { 4 } else { 1000 };

        let open = OpenCalls::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let ids: [_; 2] = std::array::from_fn(|_| SegmentId::random());
                        for id in ids {
                            open.insert(id);
                        }
                        assert!(ids.iter().all(|id| open.contains(*id)));
                        for id in ids {
                            open.remove(id);
                        }
                        assert!(!ids.iter().any(|id| open.contains(*id)));
                    }
                });
            }
        });
        assert!(open.few.iter().all(|slot| slot.load(Ordering::Relaxed) == 0) && open.more().is_empty());
    }
}
