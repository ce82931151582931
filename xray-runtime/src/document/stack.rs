//! The stack of the thread that records an error.
//!
//! `std::backtrace::Backtrace` captures the same stack, but on stable Rust it can only be printed: its frames are
//! private. So this module walks the stack with the `backtrace` crate, on which the standard library is built too.

use std::env;
use std::sync::LazyLock;

use backtrace::{Frame, Symbol};

use super::{MAX_STRING_CHARS, StackFrame};
use crate::support::guard::guard;
use crate::support::text::{BoundedText, first_chars};

/// Limit on the recorded frames of one stack.
///
/// Fifty frames with a path and a label of 250 characters each are about 28 KiB of JSON, less than half of the largest
/// document.
const MAX_FRAMES: usize = 50;
/// The label of a frame without a known function; `std::backtrace` prints the same text.
const UNKNOWN: &str = "<unknown>";

/// Prefixes of the standard library's function names.
// `__rust_try` is the intrinsic behind `catch_unwind`. It has no path.
const STANDARD_NAMES: [&str; 4] = ["std::", "core::", "alloc::", "__rust_try"];
/// Parts of the standard library's file names, as in `/rustc/<commit>/library/std/src/panic.rs`.
const STANDARD_DIRECTORIES: [&str; 3] = ["/library/std/src/", "/library/core/src/", "/library/alloc/src/"];

// Read once per process, as `std::backtrace` does: reading the environment takes a lock and allocates, and this is
// asked for every recorded error.
static BACKTRACE_SETTING: LazyLock<BacktraceSetting> =
    LazyLock::new(|| BacktraceSetting::read(|name| env::var(name).ok()));

/// How much of a stack the environment asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BacktraceSetting {
    /// No stack.
    Off,
    /// The frames of the program, without those of this library and of the start of the program or thread.
    Short,
    /// All frames.
    Full,
}

/// The recorded frames of a stack, innermost first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stack {
    pub(super) frames: Vec<StackFrame>,
    /// The number of outer frames that `MAX_FRAMES` left no room for.
    omitted: usize,
}

/// The code to which a stack frame belongs.
#[derive(Debug, PartialEq, Eq)]
enum FrameOrigin {
    /// This library.
    Ours,
    StandardLibrary,
    /// The boundary between the program and what starts it. All frames further out start the program or thread.
    StartUp,
    /// The program and the other libraries that it uses.
    Program,
}

/// Returns the stack of the current thread, if the environment asks for it and the program has function names.
///
/// This function reads files and waits for other threads that resolve a stack, so the caller must hold no lock.
// `Stack::of` drops the frames inside the first frame of this library: the walk itself. Inlined into another crate's
// function, this function would have no frame of its own in a build without debug information.
#[inline(never)]
pub(super) fn current() -> Option<Stack> {
    let is_full = match *BACKTRACE_SETTING {
        BacktraceSetting::Off => return None,
        BacktraceSetting::Short => false,
        BacktraceSetting::Full => true,
    };
    let stack = guard(|| {
        // Walk first and resolve later: resolving a frame costs far more than walking it, and frames beyond
        // `MAX_FRAMES` are never resolved.
        let mut frames = Vec::new();
        backtrace::trace(|frame| {
            frames.push(frame.clone());
            true
        });
        Stack::of(&frames, is_full, resolve)
    });
    // A stripped program has addresses only. Fifty times `<unknown>` would make the document larger and tell nothing.
    stack.filter(Stack::has_names)
}

impl BacktraceSetting {
    /// Reads `RUST_LIB_BACKTRACE`, or `RUST_BACKTRACE` if that is not set. (`std::backtrace`, "Environment Variables".)
    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        match variable("RUST_LIB_BACKTRACE").or_else(|| variable("RUST_BACKTRACE")).as_deref() {
            None | Some("0") => Self::Off,
            Some("full") => Self::Full,
            Some(_) => Self::Short,
        }
    }
}

impl Stack {
    /// Returns whether the function of a frame is known.
    fn has_names(&self) -> bool {
        self.frames.iter().any(|frame| frame.label.as_deref() != Some(UNKNOWN))
    }

    /// Returns the number of frames further out that were left out.
    pub(super) fn truncated(&self) -> Option<u32> {
        (self.omitted > 0).then(|| u32::try_from(self.omitted).unwrap_or(u32::MAX))
    }

    /// Selects the frames to record.
    ///
    /// A frame is one machine call; `resolve` returns the functions in it, innermost first: those that the compiler
    /// inlined, then the one that they are inlined into. Frames beyond the last recorded one are not resolved, so a
    /// deep stack costs little more than a flat one.
    ///
    /// ```text
    /// Input:  backtrace::trace, xray::stack::current, core::call, xray::record_error, app::pay, app::main,
    ///         std::__rust_begin_short_backtrace, std::rt, ..
    /// Output: app::pay, app::main
    /// ```
    fn of<F>(frames: &[F], is_full: bool, resolve: impl Fn(&F) -> Vec<StackFrame>) -> Self {
        let mut stack = Self::default();
        // All frames inside the first frame of this library belong to the stack walk and are dropped. A later frame of
        // this library is a scope around the program's code, such as `in_segment`. It is dropped together with the
        // standard library's frames between it and the program's frame inside it, because this library called those:
        // `app::pay, core::call_once, xray::in_scope` becomes `app::pay`. `after_program` is where these frames begin.
        let (mut is_walk, mut after_program) = (true, 0);
        for (position, frame) in frames.iter().enumerate() {
            for function in resolve(frame) {
                match FrameOrigin::of(&function) {
                    _ if is_full => {}
                    FrameOrigin::StartUp => return stack,
                    FrameOrigin::Ours => {
                        stack.frames.truncate(if is_walk { 0 } else { after_program });
                        is_walk = false;
                        continue;
                    }
                    FrameOrigin::Program if !is_walk => after_program = stack.frames.len() + 1,
                    FrameOrigin::Program | FrameOrigin::StandardLibrary => {}
                }
                if stack.frames.len() < MAX_FRAMES {
                    stack.frames.push(function);
                } else {
                    stack.omitted += 1;
                }
            }
            if stack.frames.len() == MAX_FRAMES {
                let rest = &frames[position + 1..];
                stack.omitted += if is_full { rest.len() } else { before_start_up(rest, resolve) };
                return stack;
            }
        }
        stack
    }
}

/// Returns the number of frames inside the start of the program or thread, without resolving all of them.
fn before_start_up<F>(frames: &[F], resolve: impl Fn(&F) -> Vec<StackFrame>) -> usize {
    /// More frames than the start of a program or thread has. The start of a test under libtest is the longest.
    const MAX_START_UP: usize = 64;

    let first = frames.len().saturating_sub(MAX_START_UP);
    let is_start_up = |frame| resolve(frame).iter().any(|function| FrameOrigin::of(function) == FrameOrigin::StartUp);
    // A thread that C code started has no such boundary; then all frames count.
    frames[first..].iter().position(is_start_up).map_or(frames.len(), |position| first + position)
}

impl FrameOrigin {
    /// Determines the origin of a frame by its function's name, or by its source file.
    fn of(frame: &StackFrame) -> Self {
        let label = frame.label.as_deref().unwrap_or(UNKNOWN);
        // A trait method has the name `<&mut path::Type as path::Trait>::method`. The path of the type comes first and
        // names the crate: an implementation of our trait for a user's type is the user's code.
        let name = label.trim_start_matches(['<', '&', '*']);
        let name = name.strip_prefix("mut ").unwrap_or(name);
        // Some debug information (DWARF without linkage names) names an inlined function without its path: `start` or
        // `catch_unwind<(), app::C>`. Then only the source file names the crate.
        let path = frame.path.as_deref().unwrap_or_default();
        // The standard library calls `main`, and the closure of a thread, through `__rust_begin_short_backtrace`; its
        // own printer of panics cuts the stack at this name too.
        if label.contains("__rust_begin_short_backtrace") {
            Self::StartUp
        // The two colons keep a user's crate `xray_demo` apart, and the start of the name a user's module `app::xray`.
        // Only a user's crate that is itself called `xray` is taken for this library.
        } else if name.starts_with("xray::") || path.contains(our_directory()) {
            Self::Ours
        } else if label == UNKNOWN
            || STANDARD_NAMES.iter().any(|start| name.starts_with(start))
            || STANDARD_DIRECTORIES.iter().any(|part| path.contains(part))
        {
            Self::StandardLibrary
        } else {
            Self::Program
        }
    }
}

/// Returns the directory of this library's source files, as debug information names it.
fn our_directory() -> &'static str {
    // `file!()` is the path that rustc was given, as in debug information: absolute for a crate from a registry, and
    // relative to the workspace for a member. `env!("CARGO_MANIFEST_DIR")` would not do: `--remap-path-prefix` changes
    // the paths of debug information and of `file!()`, but no environment variable.
    directory_of(file!())
}

/// Returns the directory of this library's source files, given the path of this file.
fn directory_of(file: &'static str) -> &'static str {
    let directory = &file[..file.len() - "document/stack.rs".len()];
    // In an unpacked archive of this crate, which is a workspace by itself, `file!()` is `src/document/stack.rs`. The
    // paths of most programs contain `src/`.
    if directory.len() == "src/".len() { concat!(env!("CARGO_MANIFEST_DIR"), "/src/") } else { directory }
}

/// Returns the functions of a frame, innermost first; at least one.
fn resolve(frame: &Frame) -> Vec<StackFrame> {
    let mut functions = Vec::new();
    backtrace::resolve_frame(frame, |symbol| functions.push(function(symbol)));
    if functions.is_empty() {
        functions.push(unknown());
    }
    functions
}

/// Returns a frame without a known function.
fn unknown() -> StackFrame {
    StackFrame { label: Some(UNKNOWN.to_owned()), ..StackFrame::default() }
}

fn function(symbol: &Symbol) -> StackFrame {
    /// Enough for any `MAX_STRING_CHARS` characters: one takes at most four bytes.
    const MAX_BYTES: usize = 4 * MAX_STRING_CHARS;

    // The alternate form leaves out the hash at the end of a symbol (`::h0123456789abcdef`), which is different in each
    // build. A name of nested generic types can be megabytes long, so writing it is bounded.
    let label = symbol.name().and_then(|name| BoundedText::of(&format_args!("{name:#}"), MAX_BYTES));
    StackFrame {
        path: symbol.filename().map(|path| last_chars(&path.to_string_lossy(), MAX_STRING_CHARS).to_owned()),
        line: symbol.lineno(),
        label: label.map(|(label, _)| first_chars(&label, MAX_STRING_CHARS).to_owned()),
    }
}

/// Returns at most `limit` characters from the end of a text. The end of a path, the file name, tells most.
fn last_chars(text: &str, limit: usize) -> &str {
    match limit.checked_sub(1).and_then(|last| text.char_indices().nth_back(last)) {
        Some((start, _)) => &text[start..],
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(label: &str, path: Option<&str>) -> StackFrame {
        StackFrame { path: path.map(str::to_owned), label: Some(label.to_owned()), line: None }
    }

    /// Returns the recorded labels of frames, each given as the functions in it, and the number of frames left out.
    fn recorded(frames: &[&[&str]], is_full: bool) -> (Vec<String>, Option<u32>) {
        let stack = Stack::of(frames, is_full, |labels| labels.iter().map(|label| frame(label, None)).collect());
        (stack.frames.iter().filter_map(|frame| frame.label.clone()).collect(), stack.truncated())
    }

    #[test]
    fn variables_are_read_as_the_standard_library_reads_them() {
        for (libraries, all, asked) in [
            (None, None, BacktraceSetting::Off),
            (None, Some("0"), BacktraceSetting::Off),
            (Some("0"), Some("1"), BacktraceSetting::Off),
            (None, Some("1"), BacktraceSetting::Short),
            (None, Some(""), BacktraceSetting::Short),
            (Some("1"), Some("full"), BacktraceSetting::Short),
            (Some("full"), Some("0"), BacktraceSetting::Full),
        ] {
            let value = |name: &str| if name == "RUST_LIB_BACKTRACE" { libraries } else { all };
            assert_eq!(BacktraceSetting::read(|name| value(name).map(str::to_owned)), asked, "{libraries:?} {all:?}");
        }
    }

    #[test]
    fn a_frame_belongs_to_the_crate_that_its_name_or_file_names() {
        const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/clients/reqwest.rs");
        for (label, path, origin) in [
            ("xray::context::Context::record_error", None, FrameOrigin::Ours),
            ("<xray::context::Context>::record_error::<app::Error>", None, FrameOrigin::Ours),
            ("<&mut xray::http::Traced<F,S> as core::future::future::Future>::poll", None, FrameOrigin::Ours),
            ("<reqwest::RequestBuilder as xray::http::Traceable>::start", Some(OURS), FrameOrigin::Ours),
            ("start", Some(OURS), FrameOrigin::Ours),
            ("<app::Client as xray::http::answer::Answer>::read", Some("/app/src/main.rs"), FrameOrigin::Program),
            ("app::main", None, FrameOrigin::Program),
            ("run<xray::http::Call>", None, FrameOrigin::Program),
            ("<&mut F as core::future::future::Future>::poll", None, FrameOrigin::Program),
            (
                "<alloc::boxed::Box<F> as core::ops::function::FnOnce<()>>::call_once",
                None,
                FrameOrigin::StandardLibrary,
            ),
            (
                "catch_unwind<(), app::C>",
                Some("/rustc/59807616e1/library/std/src/panic.rs"),
                FrameOrigin::StandardLibrary,
            ),
            (UNKNOWN, None, FrameOrigin::StandardLibrary),
            ("std::sys::backtrace::__rust_begin_short_backtrace", None, FrameOrigin::StartUp),
            ("__rust_begin_short_backtrace<fn(), ()>", None, FrameOrigin::StartUp),
        ] {
            assert_eq!(FrameOrigin::of(&frame(label, path)), origin, "{label}");
        }
    }

    #[test]
    fn a_crate_or_module_with_a_similar_name_belongs_to_the_program() {
        for label in [
            "xray_demo::main",
            "xrays::run",
            "my_xray::run",
            "xray",
            "xray<xray::live::context::Context>",
            "app::xray::record_error",
            "<app::xray::Client>::send",
            "<app::xray::Client as xray::http::Traceable>::start",
            "<&mut xray_demo::Pay<F> as core::future::future::Future>::poll",
        ] {
            assert_eq!(FrameOrigin::of(&frame(label, Some("/app/src/xray/main.rs"))), FrameOrigin::Program, "{label}");
        }
    }

    #[test]
    fn frames_of_this_library_are_left_out_with_the_frames_that_it_called() {
        let frames: [&[&str]; 8] = [
            &["trace", "walk"],
            &["xray::inner"],
            &["core::call", "xray::outer", "core::each"],
            &["app::records", "std::again"],
            &["app::runs"],
            &["std::catch", "xray::scope", "std::with", "xray::scope"],
            &["app::main", "core::call"],
            &["std::__rust_begin_short_backtrace", "std::rt"],
        ];
        let short = ["core::each", "app::records", "std::again", "app::runs", "app::main", "core::call"];
        assert_eq!(recorded(&frames, false), (short.map(str::to_owned).to_vec(), None));
        assert_eq!(recorded(&frames, true), (frames.concat().into_iter().map(str::to_owned).collect(), None));
        assert_eq!(recorded(&[], false), (vec![], None));
    }

    #[test]
    fn the_innermost_frames_are_kept_and_the_others_counted() {
        let start: &[&str] = &["std::__rust_begin_short_backtrace"];
        for (own, depth, outer, truncated) in [(3, 50, 9, None), (3, 51, 9, Some(1)), (0, 1000, 40, Some(950))] {
            let frames = [vec![&["xray::x"][..]; own], vec![&["app::a"]; depth], vec![start], vec![&["o"]; outer]];
            let (labels, omitted) = recorded(&frames.concat(), false);
            assert_eq!((labels.len(), omitted), (50, truncated), "{depth}");
            assert_eq!(labels[0], "app::a");
        }
        let mut frames: Vec<&[&str]> = vec![&["app::inlined", "app::a"]; 26];
        assert_eq!(recorded(&frames, false).1, Some(1), "a frame that is not resolved counts as one function");
        frames.insert(0, &["app::first"]);
        let (labels, omitted) = recorded(&frames, false);
        assert_eq!((labels.len(), omitted), (50, Some(2)), "one function of the last resolved frame is left out");
        assert_eq!(recorded(&vec![&["xray::x"][..]; 60], true).1, Some(10));
        assert_eq!(recorded(&vec![&["app::a"][..]; 1000], false).1, Some(950), "a thread that Rust did not start");
    }

    #[test]
    fn a_stack_of_a_stripped_program_has_no_names() {
        let has_names = |frames| Stack { frames, ..Stack::default() }.has_names();
        assert!(!has_names(vec![unknown(); 3]));
        assert!(has_names(vec![unknown(), frame("app::main", None)]));
    }

    #[test]
    fn the_files_of_this_library_are_found_however_it_is_built() {
        for (file, directory) in [
            ("xray-runtime/src/document/stack.rs", "xray-runtime/src/"),
            ("/registry/xray-sdk-1.0.0/src/document/stack.rs", "/registry/xray-sdk-1.0.0/src/"),
            ("src/document/stack.rs", concat!(env!("CARGO_MANIFEST_DIR"), "/src/")),
        ] {
            assert_eq!(directory_of(file), directory);
        }
    }

    #[test]
    fn a_long_path_keeps_its_end() {
        for (limit, end) in [(1, "b"), (2, "/b"), (3, "\u{e9}/b"), (9, "\u{e9}/b")] {
            assert_eq!(last_chars("\u{e9}/b", limit), end, "{limit}");
        }
    }
}
