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
