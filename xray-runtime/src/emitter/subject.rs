//! The subject of a log line about a document.

use std::fmt;

use crate::document::Document;
use crate::id::TraceId;

/// Names a document in the log: `segment `todo-app` of trace 1-6b031e14-9bc0c4e9a7c3750d6dec2af9`.
//
// An owner of its parts: the document itself is consumed by the way that it is sent.
pub(crate) struct Subject {
    what: &'static str,
    name: String,
    trace: Option<TraceId>,
    in_progress: bool,
}

impl Subject {
    pub(crate) fn of(document: &Document) -> Self {
        Self {
            // A `kind` of `None` is a segment.
            what: if document.kind.is_none() { "segment" } else { "subsegment" },
            name: document.name.clone(),
            trace: document.trace_id,
            in_progress: document.in_progress,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, trace, in_progress } = self;
        write!(formatter, "{what} `{name}`")?;
        if let Some(trace) = trace {
            write!(formatter, " of trace {trace}")?;
        }
        if *in_progress { formatter.write_str(" (in progress)") } else { Ok(()) }
    }
}
