//! Facades: segments that Lambda sends, as far as they are known in the function.

use std::env;
use std::fs::{self, File};
use std::io;
use std::sync::Once;

use crate::header::trace_header::TraceHeader;
use crate::id::{SegmentId, TraceId};
use crate::live::context::{self, Context};
use crate::live::entity::{Entity, Trace};
use crate::recorder::Recorder;

/// Holds the header of the invocation, where there is one at a time.
const TRACE_HEADER_VARIABLE: &str = "_X_AMZN_TRACE_ID";

/// The facade of the segment that a header names; nothing is open below one that names no trace.
pub(crate) fn of(recorder: &Recorder, header: &str) -> Context {
    if !recorder.is_enabled() {
        return Context::default();
    }
    if recorder.is_in_lambda() {
        announce();
    }
    let value = header;
    let header = TraceHeader::parse(value);
    if header.root.is_none() {
        return Context::of_recorder(recorder.clone());
    }
    let id = header.parent.unwrap_or_else(SegmentId::random);
    let trace = Trace::of_facade(recorder.clone(), value, &header, id);
    Context::of_entity(Entity::segment(trace, id, None))
}

/// What a segment is to be a part of because Lambda sends the segments: the invocation that is current, or the one that
/// the environment names. None for a segment of another trace, and outside Lambda.
pub(crate) fn invocation(current: &Context, recorder: &Recorder, trace: Option<TraceId>) -> Option<Context> {
    let facade = current.entity().map(|entity| entity.trace()).filter(|trace| trace.is_facade());
    if let Some(facade) = facade {
        return trace.is_none_or(|trace| trace == facade.id()).then(|| current.clone());
    }
    if !recorder.is_in_lambda() || trace.is_some() {
        return None;
    }
    let invocation = of(recorder, &header_of_environment());
    if invocation.entity().is_none() {
        context::report_missing();
    }
    Some(invocation)
}

/// The header of the invocation, by the environment. Empty outside any, and where Lambda lets several run at a time.
pub(crate) fn header_of_environment() -> String {
    env::var(TRACE_HEADER_VARIABLE).unwrap_or_default()
}

/// Tells Lambda that an X-Ray SDK is at work, by an empty file, as all of them do.
pub(crate) fn announce() {
    static ANNOUNCED: Once = Once::new();
    ANNOUNCED.call_once(|| {
        let write = || -> io::Result<()> {
            let directory = env::temp_dir().join(".aws-xray");
            fs::create_dir_all(&directory)?;
            File::create(directory.join("initialized")).map(drop)
        };
        if let Err(error) = write() {
            log::debug!(target: "xray::lambda", "the file .aws-xray/initialized is not there: {error}");
        }
    });
}
