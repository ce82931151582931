//! Makes calls on one path, for a tool that counts instructions. `instructions.py` runs this program.
//!
//! ```text
//! instructions unsampled 2000
//! ```
//!
//! The calls are made in segments of 100 calls, as in `overhead.rs`.

use std::env;
use std::process::ExitCode;

use xray::sampling::Always;
use xray::{Recorder, Sampled, TRACE_HEADER_NAME};
use xray_benches::by_hand;
use xray_benches::calls::{Calls, time};
use xray_benches::client::{Held, Request};
use xray_benches::floor;
use xray_benches::paths::{DropHere, WriteHere, bare, in_segment, traced, traced_in_segment};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [path, count] = &arguments[..] else { return usage() };
    let Ok(count) = count.parse() else { return usage() };
    let recorder = |builder: xray::RecorderBuilder| builder.sampler(Always).emitter(DropHere).build();
    let enabled = recorder(Recorder::builder());
    match path.as_str() {
        "untraced_floor" => make(count, |calls: &mut Calls<Box<Request>>| calls.make(bare)),
        "by_hand" => make(count, |calls: &mut Calls<Box<Request>>| calls.make(by_hand::unrecorded)),
        "no_context" => make(count, |calls: &mut Calls<Box<Request>>| calls.make(traced)),
        "untraced_floor_224_bytes" => make(count, |calls: &mut Calls<Request>| calls.make(bare)),
        "by_hand_224_bytes" => make(count, |calls: &mut Calls<Request>| calls.make(by_hand::unrecorded)),
        "no_context_224_bytes" => make(count, |calls: &mut Calls<Request>| calls.make(traced)),
        "disabled" => {
            let disabled = recorder(Recorder::builder().enabled(false));
            make(count, |calls: &mut Calls<Box<Request>>| {
                in_segment(&disabled, Sampled::Yes, || calls.make(traced));
            });
        }
        "unsampled_floor" => {
            let value = floor::unsampled_header();
            make(count, |calls| {
                calls.make(|mut request: Box<Request>| {
                    request.headers_mut().insert(TRACE_HEADER_NAME, value.clone());
                    bare(request)
                });
            });
        }
        "unsampled_by_hand" => make(count, |calls: &mut Calls<Box<Request>>| {
            by_hand::in_unsampled_trace(|| calls.make(by_hand::unrecorded));
        }),
        "unsampled" => make(count, |calls| traced_in_segment(&enabled, Sampled::No, calls)),
        "sampled_floor" => make(count, |calls| floor::segment(|| calls.make(floor::call))),
        "sampled_by_hand" => make(count, |calls| by_hand::in_segment(|| calls.make(by_hand::recorded))),
        "sampled" => make(count, |calls| traced_in_segment(&enabled, Sampled::Yes, calls)),
        // The JSON of the segment is written at its end.
        "written" => {
            let writing = Recorder::builder().sampler(Always).emitter(WriteHere::default()).build();
            make(count, |calls| traced_in_segment(&writing, Sampled::Yes, calls));
        }
        // The calls leave their open segment, as soon as it has more than 100.
        "streamed" => drop(time(count, 1_000, |calls| traced_in_segment(&enabled, Sampled::Yes, calls))),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn make<R: Held>(count: u64, segment: impl FnMut(&mut Calls<R>)) {
    time(count, 100, segment);
}

fn usage() -> ExitCode {
    eprintln!("usage: instructions <path> <calls>");
    ExitCode::FAILURE
}
