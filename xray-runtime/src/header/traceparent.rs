//! The form of the header `traceparent` of W3C Trace Context.

use std::ops::Range;

use crate::id::{SegmentId, TraceId};

/// Length of a `traceparent` of version 00 in bytes.
pub(crate) const TRACEPARENT_LENGTH: usize = 55;
/// Position of the parent's id in a `traceparent`.
pub(crate) const TRACEPARENT_PARENT: Range<usize> = 36..36 + SegmentId::TEXT_LENGTH;

/// Writes a `traceparent`; `None` if one of the ids is all zeros, which W3C Trace Context forbids.
// Into an array: each recorded call has one with its own id in it.
pub(crate) fn traceparent(root: TraceId, parent: SegmentId, sampled: bool) -> Option<[u8; TRACEPARENT_LENGTH]> {
    let mut value = *b"00-................................-................-0.";
    value[3..35].copy_from_slice(&root.to_w3c());
    value[TRACEPARENT_PARENT].copy_from_slice(&parent.to_ascii());
    value[TRACEPARENT_LENGTH - 1] = b'0' + u8::from(sampled);
    (!root.is_zero() && !parent.is_zero()).then_some(value)
}
