//! The HTTP calls of a segment that are open, by id: those that a request on its way may name.

use std::collections::HashSet;

use crate::id::SegmentId;

/// Mostly few at a time, for which nothing is allocated.
#[derive(Debug, Default)]
pub(crate) struct OpenCalls {
    few: [Option<SegmentId>; 4],
    /// The others: a segment may have thousands.
    more: HashSet<SegmentId>,
}

impl OpenCalls {
    pub(crate) fn insert(&mut self, id: SegmentId) {
        match self.few.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(id),
            None => drop(self.more.insert(id)),
        }
    }

    pub(crate) fn remove(&mut self, id: SegmentId) {
        match self.few.iter_mut().find(|place| **place == Some(id)) {
            Some(place) => *place = None,
            None => drop(self.more.remove(&id)),
        }
    }

    pub(crate) fn contains(&self, id: SegmentId) -> bool {
        self.few.contains(&Some(id)) || self.more.contains(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many() {
        let ids: Vec<_> = (0..20).map(|_| SegmentId::random()).collect();
        let mut open = OpenCalls::default();
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
            assert!(!ids.iter().any(|id| open.contains(*id)) && open.more.is_empty());
        }
    }
}
