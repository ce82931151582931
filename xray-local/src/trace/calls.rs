//! Finds the callers of segments.

use std::collections::HashMap;

use super::Trace;
use crate::document::{Document, Kind};

/// An index of a trace's entities by id, to find callers and parents.
pub(crate) struct Calls<'a> {
    /// Each entity with its owner: the segment or orphan that contains it.
    owners: HashMap<&'a str, (&'a Document, &'a Document)>,
}

/// The caller of a segment.
pub(crate) enum Caller<'a> {
    /// The caller is not part of the trace, so the trace starts here.
    Outside,
    /// The caller's subsegment is an orphan, so the calling segment is unknown.
    Unknown,
    /// A segment of the trace.
    Segment {
        /// The calling segment.
        segment: &'a Document,
        /// The subsegment of the call. If the called segment names a segment as its parent, there is no such
        /// subsegment, and this is the called segment itself.
        call: &'a Document,
    },
}

impl Trace {
    /// Indexes the entities, without inferred segments: nothing is called from those.
    pub(crate) fn calls(&self) -> Calls<'_> {
        let real = self.segments.iter().filter(|segment| !segment.inferred);
        Calls {
            owners: real
                .flat_map(|owner| owner.walk().map(move |entity| (entity.id.as_str(), (entity, owner))))
                .collect(),
        }
    }
}

impl<'a> Calls<'a> {
    /// Returns the entity that a `parent_id` refers to, and that entity's owner.
    pub(crate) fn parent(&self, entity: &Document) -> Option<(&'a Document, &'a Document)> {
        self.owners.get(entity.parent_id.as_deref()?).copied()
    }

    /// Returns the segment or orphan that contains an entity. An inferred segment is its own owner.
    pub(crate) fn owner(&self, entity: &'a Document) -> &'a Document {
        self.owners.get(entity.id.as_str()).map_or(entity, |(_, owner)| owner)
    }

    /// Returns the caller of a segment.
    pub(crate) fn caller(&self, segment: &'a Document) -> Caller<'a> {
        match self.parent(segment) {
            None => Caller::Outside,
            Some((_, owner)) if owner.kind == Kind::Subsegment => Caller::Unknown,
            Some((call, owner)) => {
                let call = if call.kind == Kind::Subsegment { call } else { segment };
                Caller::Segment { segment: owner, call }
            }
        }
    }
}
