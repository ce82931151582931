//! The size of trees of subsegments.

/// The size of a tree of subsegments, or a limit on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The number of subsegments.
    pub(crate) subsegments: usize,
    /// The estimated bytes of their JSON.
    pub(crate) bytes: usize,
    /// The bytes of memory that they hold.
    pub(crate) held: usize,
}

impl Extent {
    pub(super) fn add(&mut self, other: Self) {
        self.subsegments += other.subsegments;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.held = self.held.saturating_add(other.held);
    }

    /// Returns whether the extent exceeds the limit in any of its numbers.
    pub(super) fn exceeds(self, limit: Self) -> bool {
        self.subsegments > limit.subsegments || self.bytes > limit.bytes || self.held > limit.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(subsegments: usize, bytes: usize, held: usize) -> Extent {
        Extent { subsegments, bytes, held }
    }

    #[test]
    fn an_extent_exceeds_a_limit_in_any_of_its_numbers() {
        let limit = extent(5, 6, 7);
        assert!(!limit.exceeds(limit) && !extent(0, 0, 0).exceeds(limit));
        for larger in [extent(6, 0, 0), extent(0, 7, 0), extent(0, 0, 8), extent(9, 9, 9)] {
            assert!(larger.exceeds(limit), "{larger:?}");
        }
    }

    #[test]
    fn extents_are_added_up_to_the_largest_number() {
        let mut sum = extent(1, 2, 3);
        sum.add(extent(10, 20, 30));
        assert_eq!(sum, extent(11, 22, 33));
        sum.add(extent(0, usize::MAX, usize::MAX));
        assert_eq!(sum, extent(11, usize::MAX, usize::MAX));
    }
}
