//! The subject of a log line about a document.

use std::fmt;

use crate::id::TraceId;
use crate::record::FinishedSegment;

/// Names a document in the log: `segment `todo-app` of trace 1-6b031e14-9bc0c4e9a7c3750d6dec2af9`.
//
// Owns its parts, because sending consumes the segment.
pub(crate) struct Subject {
    what: &'static str,
    name: String,
    trace: Option<TraceId>,
    in_progress: bool,
}

impl Subject {
    pub(crate) fn of(segment: &FinishedSegment) -> Self {
        let record = segment.record();
        Self {
            what: if record.is_independent_subsegment() { "subsegment" } else { "segment" },
            name: record.name().to_owned(),
            trace: segment.trace_id(),
            in_progress: record.in_progress,
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
