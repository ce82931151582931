//! Stack traces of recorded errors. The environment is read once per process, so each case runs in a child process.
//!
//! In the X-Ray SDK for Python 2.15.0, which end of a deep stack is cut depends on how the subsegment was made. Here
//! the outer end is always cut: `of_a_deep_stack_the_innermost_frames_are_kept`.

use std::backtrace::Backtrace;
use std::error::Error;
use std::fmt;
use std::hint::black_box;
use std::num::ParseIntError;
use std::panic::catch_unwind;
use std::thread;

use support::documents::{capture, capture_blocking, checked};
use support::refused_url;
use support::subsegments::exceptions;
use support::{Always, child};
use xray::document::{Exception, StackFrame};
use xray::emitter::MemoryEmitter;
use xray::http::Call;
use xray::{Instrument as _, Recorder, Segment};

/// The number of frames that are recorded of a stack at most.
const MAX_FRAMES: usize = 50;

/// Runs a case in a child process in which only these of the variables that ask for a stack are set.
fn run(case: &str, variables: &[(&str, &str)]) {
    let output = child::command(module_path!(), "case_in_a_child_process", case)
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LIB_BACKTRACE")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    child::assert_done(&format!("{case} with {variables:?}"), &output);
}

#[test]
fn case_in_a_child_process() {
    let Some(case) = child::case() else { return };
    match case.as_str() {
        "asked" => asked(),
        "not asked" => not_asked(),
        "full" => full(),
        "deep" => deep(),
        "each way" => each_way(),
        "panic" => panicking(),
        "status of gRPC" => status_of_grpc(),
        _ => panic!("{case}"),
    }
    child::done();
}

fn label(frame: &StackFrame) -> &str {
    frame.label.as_deref().unwrap_or_default()
}

/// Returns whether a frame is in this function of this file, and at this line if the program has line numbers.
fn is_at(frame: &StackFrame, function: &str, line: impl Into<Option<u32>>) -> bool {
    let line = line.into();
    let is_in_line = || {
        let is_in_file =
            frame.path.as_ref().is_some_and(|path| path.replace('\\', "/").ends_with("tests/it/backtrace.rs"));
        is_in_file && (line.is_none() || frame.line == line)
    };
    // With little debug information, some names come without their path.
    let is_in_function = label(frame).starts_with('{') || label(frame).split("::").any(|part| part == function);
    is_in_function && (!has_lines() || is_in_line())
}

/// Returns whether the standard library finds debug information in this program.
fn has_lines() -> bool {
    Backtrace::force_capture().to_string().replace('\\', "/").contains("tests/it/backtrace.rs")
}

fn is_ours(frame: &StackFrame) -> bool {
    let path = frame.path.as_deref().unwrap_or_default();
    let label = label(frame).trim_start_matches(['<', '&']);
    path.contains("xray-runtime/") || label.starts_with("xray::") || label.starts_with("backtrace::backtrace::")
}

fn is_start_up(frame: &StackFrame) -> bool {
    let label = label(frame);
    label.contains("__rust_begin_short_backtrace") || label.starts_with("std::rt::") || label.starts_with("test::")
}

#[derive(Debug)]
struct Wrong(ParseIntError);

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("wrong")
    }
}

impl Error for Wrong {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn wrong() -> Wrong {
    Wrong("x".parse::<u32>().unwrap_err())
}

/// Records an error, and returns the line of the call that records it.
#[inline(never)]
fn records(segment: &Segment) -> u32 {
    (line!(), segment.record_error(&wrong())).0
}

/// Runs `work` in a segment on a thread with a short stack, and returns the exceptions of the segment.
fn recorded(happens: impl FnOnce(&Segment) + Send) -> Vec<Exception> {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Always).emitter(emitter.clone()).build();
    let segment = Segment::builder("s").recorder(&recorder).begin();
    thread::scope(|scope| scope.spawn(|| happens(&segment)).join().unwrap());
    segment.end();
    exceptions(&checked(emitter.take())[0]).to_vec()
}

#[test]
fn the_environment_asks_for_a_stack_as_it_asks_the_standard_library() {
    run("asked", &[("RUST_BACKTRACE", "1")]);
    run("asked", &[("RUST_BACKTRACE", "")]);
    run("asked", &[("RUST_BACKTRACE", "0"), ("RUST_LIB_BACKTRACE", "1")]);
    run("not asked", &[]);
    run("not asked", &[("RUST_BACKTRACE", "0")]);
    run("not asked", &[("RUST_BACKTRACE", "1"), ("RUST_LIB_BACKTRACE", "0")]);
}

fn asked() {
    let mut line = 0;
    let (outer_line, exceptions) = (line!(), recorded(|segment| line = records(segment)));
    let [first, source] = &exceptions[..] else { panic!("{exceptions:#?}") };
    assert!(is_at(&first.stack[0], "records", line), "{line} of {first:#?}");
    assert!(is_at(&first.stack[1], "asked", outer_line), "{first:#?}");
    assert!(!first.stack.iter().any(|frame| is_ours(frame) || is_start_up(frame)), "{first:#?}");
    assert_eq!(first.truncated, None);
    assert!(source.stack.is_empty(), "both errors have the same stack");
}

fn not_asked() {
    let exceptions = recorded(|segment| _ = records(segment));
    assert!(exceptions.len() == 2 && exceptions.iter().all(|exception| exception.stack.is_empty()), "{exceptions:#?}");
}

#[test]
fn the_environment_can_ask_for_the_full_stack() {
    run("full", &[("RUST_BACKTRACE", "full")]);
    run("asked", &[("RUST_BACKTRACE", "full"), ("RUST_LIB_BACKTRACE", "1")]);
}

fn full() {
    let exceptions = recorded(|segment| _ = records(segment));
    let stack = &exceptions[0].stack;
    let position = stack.iter().position(|frame| label(frame).ends_with("records")).unwrap();
    assert!(stack[..position].iter().any(is_ours), "{stack:#?}");
    assert!(stack[position..].iter().any(is_start_up), "{stack:#?}");
}

#[test]
fn of_a_deep_stack_the_innermost_frames_are_kept() {
    run("deep", &[("RUST_BACKTRACE", "1")]);
}

fn deep() {
    #[inline(never)]
    fn descend(levels: usize, segment: &Segment) {
        if levels == 0 {
            segment.record_error(&wrong());
        } else {
            descend(levels - 1, segment);
        }
        black_box(levels);
    }

    let at = |levels| recorded(|segment| descend(levels, segment)).remove(0);
    let outer = at(0).stack.len();
    assert!((2..MAX_FRAMES).contains(&outer), "{outer}");
    for levels in [0, MAX_FRAMES - outer, MAX_FRAMES - outer + 1, 300, 5000] {
        let Exception { stack, truncated, .. } = at(levels);
        let omitted = (outer + levels).saturating_sub(MAX_FRAMES);
        let omitted = (omitted > 0).then(|| u32::try_from(omitted).unwrap());
        assert_eq!((stack.len(), truncated), ((outer + levels).min(MAX_FRAMES), omitted), "{levels} levels");
        let inner = &stack[..stack.len().min(levels + 1)];
        assert!(inner.iter().all(|frame| label(frame).ends_with("descend")), "{inner:#?}");
    }
}

#[test]
fn every_way_of_recording_an_error_records_its_stack() {
    run("each way", &[("RUST_BACKTRACE", "1")]);
}

#[tokio::main(flavor = "current_thread")]
async fn each_way() {
    #[xray::traced(err)]
    fn own_error() -> Result<(), Wrong> {
        Err(wrong())
    }

    #[xray::traced(err)]
    async fn boxed_error() -> Result<(), Box<dyn Error>> {
        Err(wrong())?
    }

    #[xray::traced(err)]
    fn shown_error() -> Result<(), String> {
        Err("shown".to_owned())
    }

    #[xray::traced_http]
    async fn request(url: &str) -> (u32, reqwest::Result<reqwest::Response>) {
        (line!(), reqwest::Client::new().get(url).send().await)
    }

    async fn by_hand(url: &str) -> u32 {
        let read = |(): &(), call: &mut Call| call.error(&wrong());
        let line = line!() - 1;
        xray::http::call("GET", url).run_async(async {}, read).await;
        line
    }

    let mut lines = (0, 0);
    let work = async {
        assert!(own_error().is_err() && boxed_error().await.is_err() && shown_error().is_err());
        let (line, result) = request(&refused_url()).await;
        assert!(result.is_err());
        lines = (line, by_hand(&refused_url()).await);
    };
    let ((), documents) = capture(work.in_segment("s")).await;
    let subsegments = &documents[0].subsegments;
    let expected = [
        ("own_error", None),
        ("boxed_error", None),
        ("shown_error", None),
        ("request", Some(lines.0)),
        ("by_hand", Some(lines.1)),
    ];
    assert_eq!(subsegments.len(), expected.len(), "{documents:#?}");
    for ((function, line), subsegment) in expected.iter().zip(subsegments) {
        let stack = &exceptions(subsegment)[0].stack;
        assert!(is_at(&stack[0], function, *line), "{function} {line:?}: {stack:#?}");
        // The frames of this crate that polled the future are left out, and so are those of `catch_unwind` that it
        // called.
        let is_left_out = |frame| is_ours(frame) || label(frame).contains("catch_unwind");
        let of_the_program = stack.iter().take_while(|frame| !label(frame).starts_with("tokio::"));
        assert!(!of_the_program.into_iter().any(is_left_out), "{function}: {stack:#?}");
    }
}

#[test]
fn a_panic_has_no_stack() {
    run("panic", &[("RUST_BACKTRACE", "1")]);
}

fn panicking() {
    #[xray::traced]
    fn panics() {
        panic!("at a loss");
    }

    let (result, documents) = capture_blocking(|| catch_unwind(|| Segment::builder("s").begin().in_scope(panics)));
    assert!(result.is_err());
    let exceptions = exceptions(&documents[0].subsegments[0]);
    assert_eq!((exceptions[0].message.as_deref(), exceptions[0].stack.len()), (Some("at a loss"), 0));
}

/// The stack would be that of the code that polls the response.
#[test]
fn a_status_of_grpc_has_no_stack() {
    run("status of gRPC", &[("RUST_BACKTRACE", "1")]);
}

fn status_of_grpc() {
    let exceptions = recorded(|segment| segment.set_grpc_status(5, "no todo 7"));
    let [exception] = &exceptions[..] else { panic!("{exceptions:#?}") };
    assert_eq!((exception.message.as_deref(), exception.stack.len()), (Some("no todo 7"), 0));
}
