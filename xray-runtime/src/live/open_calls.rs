//! The HTTP calls of a segment that are open, by id: those that a request on its way may name.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::id::SegmentId;

/// Mostly few at a time, for which there is neither lock nor allocation. Whoever has an id from a request was told of it
/// after the call began, so nothing else has to be ordered by these.
#[derive(Debug, Default)]
pub(crate) struct OpenCalls {
    /// Zero, which is nobody's id, where there is none.
    few: [AtomicU64; 4],
    /// The others: a segment may have thousands.
    more: Mutex<HashSet<u64, BuildHasherDefault<OwnHash>>>,
}

impl OpenCalls {
    pub(crate) fn insert(&self, id: SegmentId) {
        let takes = |place: &AtomicU64| {
            place.load(Ordering::Relaxed) == 0
                && place.compare_exchange(0, id.bits(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
        };
        if !self.few.iter().any(takes) {
            self.more().insert(id.bits());
        }
    }

    pub(crate) fn remove(&self, id: SegmentId) {
        match self.place_of(id) {
            Some(place) => place.store(0, Ordering::Relaxed),
            None => drop(self.more().remove(&id.bits())),
        }
    }

    pub(crate) fn contains(&self, id: SegmentId) -> bool {
        self.place_of(id).is_some() || self.more().contains(&id.bits())
    }

    fn place_of(&self, id: SegmentId) -> Option<&AtomicU64> {
        self.few.iter().find(|place| place.load(Ordering::Relaxed) == id.bits())
    }

    fn more(&self) -> MutexGuard<'_, HashSet<u64, BuildHasherDefault<OwnHash>>> {
        self.more.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ids that are kept are our own and random: each is its own hash.
#[derive(Default)]
struct OwnHash(u64);

impl Hasher for OwnHash {
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
    fn few_and_many() {
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
    fn many_threads() {
        let open = OpenCalls::default();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..1000 {
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
        assert!(open.few.iter().all(|place| place.load(Ordering::Relaxed) == 0) && open.more().is_empty());
    }
}
