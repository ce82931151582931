//! Who called whom.

use std::collections::HashMap;

use super::Trace;
use crate::document::{Document, Kind};

/// The entities of a trace by id, to ask who called a segment.
pub(crate) struct Calls<'a> {
    /// Each with the segment, or orphan, that it is embedded in.
    owners: HashMap<&'a str, (&'a Document, &'a Document)>,
}

/// Who called a segment.
pub(crate) enum Caller<'a> {
    /// Nobody in the trace: it begins here.
    Nobody,
    /// Somebody whose segment is not there.
    Unknown,
    /// A segment of the trace.
    Segment {
        /// The caller's.
        segment: &'a Document,
        /// Its subsegment; the called segment itself where that names the caller's segment as its parent.
        call: &'a Document,
    },
}

impl Trace {
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
    /// What an entity is embedded in, or the caller of a segment; with the segment that this is embedded in.
    pub(crate) fn parent(&self, entity: &Document) -> Option<(&'a Document, &'a Document)> {
        self.owners.get(entity.parent_id.as_deref()?).copied()
    }

    /// The segment that an entity is embedded in; an inferred one is by itself.
    pub(crate) fn owner(&self, entity: &'a Document) -> &'a Document {
        self.owners.get(entity.id.as_str()).map_or(entity, |(_, owner)| owner)
    }

    pub(crate) fn caller(&self, segment: &'a Document) -> Caller<'a> {
        match self.parent(segment) {
            None => Caller::Nobody,
            Some((_, owner)) if owner.kind == Kind::Subsegment => Caller::Unknown,
            Some((call, owner)) => {
                let call = if call.kind == Kind::Subsegment { call } else { segment };
                Caller::Segment { segment: owner, call }
            }
        }
    }
}
