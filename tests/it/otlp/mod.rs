//! Documents that are sent as spans to a real server, over HTTP.

mod answers;
mod batches;
mod settings;
mod spans;

use std::time::Duration;

use support::Always;
use xray::emitter::{OtlpEmitter, OtlpEmitterBuilder};
use xray::{Recorder, Segment, Stats};

/// A limit that no successful operation of a test reaches.
const LONG: Duration = Duration::from_secs(60);

/// Returns a builder for a server at this base URL. The delay is unlimited, so only `flush` or a full batch sends a
/// request.
fn to(url: impl AsRef<str>) -> OtlpEmitterBuilder {
    OtlpEmitter::builder().endpoint(url).max_delay(Duration::MAX)
}

fn recorder(builder: OtlpEmitterBuilder) -> Recorder {
    Recorder::builder().sampler(Always).emitter(builder.build().unwrap()).build()
}

fn record(recorder: &Recorder, name: &str) {
    Segment::builder(name).recorder(recorder).begin().end();
}

/// Waits until every document was delivered or dropped, and returns the counts.
#[track_caller]
fn settled(recorder: &Recorder) -> Stats {
    support::settled(recorder, LONG)
}
