//! One frame of a recorded stack.

use serde::{Deserialize, Serialize};

/// One frame of an [`Exception`](super::Exception)'s stack.
///
/// With the feature `backtrace`, an error is recorded with the stack of the thread that records it. The environment
/// switches stacks on by the variables of [`std::backtrace`]: `RUST_LIB_BACKTRACE`, or `RUST_BACKTRACE` if that is not
/// set, with any value but `0`. The variables are read once per process.
///
/// * The sources of an error have no stack. A panic has none either: its stack is gone when the panic is caught.
/// * The 50 innermost frames are recorded. `truncated` is the number of the others, in which a frame with inlined
///   functions counts as one.
/// * The frames of this library are left out, and so are the standard library's frames that it calls and the frames
///   that start the program or thread. With the value `full` all frames are recorded.
/// * Labels are cut after 250 characters; paths keep their last 250. Paths are those of the machine that built the
///   program.
/// * A stripped program has no stacks. A program without debug information has function names, but neither paths nor
///   lines.
///
/// The stack is read on the thread that records the error, by one thread at a time. The first stack takes tens of
/// milliseconds (a few hundred in an unoptimised program), because the debug information is read; it stays in memory.
/// Each later stack takes less than a millisecond. In an asynchronous program, no other task runs on the thread
/// meanwhile.
///
/// ```
/// let ((), documents) = xray::testing::capture_blocking(|| {
///     let segment = xray::Segment::builder("shop").begin();
///     segment.record_error(&"cheap".parse::<u32>().unwrap_err());
/// });
/// let Some(xray::document::Cause::Exceptions(cause)) = &documents[0].cause else { unreachable!() };
/// for frame in &cause.exceptions[0].stack {
///     println!("{:?} at {:?}:{:?}", frame.label, frame.path, frame.line);
/// }
/// # assert!(cause.exceptions[0].stack.len() <= 50);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StackFrame {
    /// The path of the source file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line in the source file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The name of the function, with its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}
