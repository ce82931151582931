//! The stack of the thread on which an error is recorded.

use std::env;
use std::sync::LazyLock;

use backtrace::{Frame, Symbol};

use super::{MAX_STRING_CHARS, StackFrame};
use crate::support::guard::guard;
use crate::support::text::{BoundedText, first_chars};

/// With the longest texts these are less than half of what a document may measure.
const MAX_FRAMES: usize = 50;
/// The label of a frame of which nothing is known, as the standard library has it.
const UNKNOWN: &str = "<unknown>";

const STANDARD_NAMES: [&str; 4] = ["std::", "core::", "alloc::", "__rust_try"];
const STANDARD_DIRECTORIES: [&str; 3] = ["/library/std/src/", "/library/core/src/", "/library/alloc/src/"];

/// What the environment asks for. The standard library reads it once per process too.
static ASKED: LazyLock<Asked> = LazyLock::new(|| Asked::read(|name| env::var(name).ok()));

/// What of a stack is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    /// Without the frames of this library and of the start of the program or thread.
    Short,
    Full,
}

/// The frames of a stack, innermost first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stack {
    pub(super) frames: Vec<StackFrame>,
    omitted: usize,
}

/// Whose a frame is.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    Ours,
    StandardLibrary,
    /// From here outward all is the start of the program or thread.
    StartUp,
    Program,
}

/// The stack from here, if the environment asks for it and the program has names of its functions.
///
/// This reads files and waits for other threads that do, so no record may be locked.
#[inline(never)] // In any build with names it has a frame with its own, the first of those that are ours.
pub(super) fn current() -> Option<Stack> {
    let is_full = match *ASKED {
        Asked::Nothing => return None,
        Asked::Short => false,
        Asked::Full => true,
    };
    let stack = guard(|| {
        let mut frames = Vec::new();
        backtrace::trace(|frame| {
            frames.push(frame.clone());
            true
        });
        Stack::of(&frames, is_full, resolve)
    });
    stack.filter(|stack| stack.frames.iter().any(|frame| frame.label.as_deref() != Some(UNKNOWN)))
}

impl Asked {
    /// As `std::backtrace` has it.
    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        match variable("RUST_LIB_BACKTRACE").or_else(|| variable("RUST_BACKTRACE")).as_deref() {
            None | Some("0") => Self::Nothing,
            Some("full") => Self::Full,
            Some(_) => Self::Short,
        }
    }
}

impl Stack {
    /// How many more frames there are further out.
    pub(super) fn truncated(&self) -> Option<u32> {
        (self.omitted > 0).then(|| u32::try_from(self.omitted).unwrap_or(u32::MAX))
    }

    /// What is recorded of `frames`. Each may be several functions, one inlined in the next; beyond the last that is kept
    /// none is looked for, so that a deep stack costs little more than a flat one.
    fn of<F>(frames: &[F], is_full: bool, resolve: impl Fn(&F) -> Vec<StackFrame>) -> Self {
        let mut stack = Self::default();
        // Inside the first frame of ours all is what walks the stack. Later a frame of ours stands with what it called of
        // the standard library, which is between it and the last frame of the program.
        let (mut is_walk, mut after_program) = (true, 0);
        for (position, frame) in frames.iter().enumerate() {
            for function in resolve(frame) {
                match Origin::of(&function) {
                    _ if is_full => {}
                    Origin::StartUp => return stack,
                    Origin::Ours => {
                        stack.frames.truncate(if is_walk { 0 } else { after_program });
                        is_walk = false;
                        continue;
                    }
                    Origin::Program if !is_walk => after_program = stack.frames.len() + 1,
                    Origin::Program | Origin::StandardLibrary => {}
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

/// How many of the frames are the program's.
fn before_start_up<F>(frames: &[F], resolve: impl Fn(&F) -> Vec<StackFrame>) -> usize {
    /// More than the start of a program or a thread ever is; that of a test is the longest.
    const MAX_START_UP: usize = 64;

    let first = frames.len().saturating_sub(MAX_START_UP);
    let is_start_up = |frame| resolve(frame).iter().any(|function| Origin::of(function) == Origin::StartUp);
    frames[first..].iter().position(is_start_up).map_or(frames.len(), |position| first + position)
}

impl Origin {
    fn of(frame: &StackFrame) -> Self {
        let label = frame.label.as_deref().unwrap_or(UNKNOWN);
        // `<&mut path::Type as path::Trait>::method` is of the crate of the type, as far as the name tells.
        let name = label.trim_start_matches(['<', '&', '*']);
        let name = name.strip_prefix("mut ").unwrap_or(name);
        // Of what is inlined some debug information has names without a path.
        let path = frame.path.as_deref().unwrap_or_default();
        if label.contains("__rust_begin_short_backtrace") {
            Self::StartUp
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

fn our_directory() -> &'static str {
    let file = file!();
    &file[..file.len() - "document/stack.rs".len()]
}

/// The functions of a frame, innermost first.
fn resolve(frame: &Frame) -> Vec<StackFrame> {
    let mut functions = Vec::new();
    backtrace::resolve_frame(frame, |symbol| functions.push(function(symbol)));
    if functions.is_empty() {
        functions.push(StackFrame { label: Some(UNKNOWN.to_owned()), ..StackFrame::default() });
    }
    functions
}

fn function(symbol: &Symbol) -> StackFrame {
    /// Of any `MAX_STRING_CHARS` characters.
    const MAX_BYTES: usize = 4 * MAX_STRING_CHARS;

    // In the alternate form without the hash.
    let label = symbol.name().and_then(|name| BoundedText::of(&format_args!("{name:#}"), MAX_BYTES));
    StackFrame {
        path: symbol.filename().map(|path| last_chars(&path.to_string_lossy(), MAX_STRING_CHARS).to_owned()),
        line: symbol.lineno(),
        label: label.map(|(label, _)| first_chars(&label, MAX_STRING_CHARS).to_owned()),
    }
}

/// At most `limit` characters from the end: there a path says most.
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

    /// What is kept of frames, each the functions that it is.
    fn kept(frames: &[&[&str]], is_full: bool) -> (Vec<String>, Option<u32>) {
        let stack = Stack::of(frames, is_full, |labels| labels.iter().map(|label| frame(label, None)).collect());
        (stack.frames.iter().filter_map(|frame| frame.label.clone()).collect(), stack.truncated())
    }

    #[test]
    fn variables_are_read_as_the_standard_library_reads_them() {
        for (of_libraries, of_all, asked) in [
            (None, None, Asked::Nothing),
            (None, Some("0"), Asked::Nothing),
            (Some("0"), Some("1"), Asked::Nothing),
            (None, Some("1"), Asked::Short),
            (None, Some(""), Asked::Short),
            (Some("1"), Some("full"), Asked::Short),
            (Some("full"), Some("0"), Asked::Full),
        ] {
            let value = |name: &str| if name == "RUST_LIB_BACKTRACE" { of_libraries } else { of_all };
            assert_eq!(Asked::read(|name| value(name).map(str::to_owned)), asked, "{of_libraries:?} {of_all:?}");
        }
    }

    #[test]
    fn origins_are_told_by_name_or_file() {
        const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/clients/reqwest.rs");
        for (label, path, origin) in [
            ("xray::context::Context::record_error", None, Origin::Ours),
            ("<xray::context::Context>::record_error::<app::Error>", None, Origin::Ours),
            ("<&mut xray::http::DeferredCall<F,S> as core::future::future::Future>::poll", None, Origin::Ours),
            ("<reqwest::RequestBuilder as xray::http::Traceable>::start", Some(OURS), Origin::Ours),
            ("start", Some(OURS), Origin::Ours),
            (
                "<app::Client as xray::http::read_response::ReadResponse>::read",
                Some("/app/src/main.rs"),
                Origin::Program,
            ),
            ("app::main", None, Origin::Program),
            ("run<xray::http::Call>", None, Origin::Program),
            ("<&mut F as core::future::future::Future>::poll", None, Origin::Program),
            ("<alloc::boxed::Box<F> as core::ops::function::FnOnce<()>>::call_once", None, Origin::StandardLibrary),
            ("catch_unwind<(), app::C>", Some("/rustc/59807616e1/library/std/src/panic.rs"), Origin::StandardLibrary),
            (UNKNOWN, None, Origin::StandardLibrary),
            ("std::sys::backtrace::__rust_begin_short_backtrace", None, Origin::StartUp),
            ("__rust_begin_short_backtrace<fn(), ()>", None, Origin::StartUp),
        ] {
            assert_eq!(Origin::of(&frame(label, path)), origin, "{label}");
        }
    }

    #[test]
    fn ends_of_ours_are_left_out_and_what_they_call() {
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
        assert_eq!(kept(&frames, false), (short.map(str::to_owned).to_vec(), None));
        assert_eq!(kept(&frames, true), (frames.concat().into_iter().map(str::to_owned).collect(), None));
        assert_eq!(kept(&[], false), (vec![], None));
    }

    #[test]
    fn the_innermost_frames_are_kept_and_the_others_counted() {
        let start: &[&str] = &["std::__rust_begin_short_backtrace"];
        for (own, depth, outer, truncated) in [(3, 50, 9, None), (3, 51, 9, Some(1)), (0, 1000, 40, Some(950))] {
            let frames = [vec![&["xray::x"][..]; own], vec![&["app::a"]; depth], vec![start], vec![&["o"]; outer]];
            let (labels, omitted) = kept(&frames.concat(), false);
            assert_eq!((labels.len(), omitted), (50, truncated), "{depth}");
            assert_eq!(labels[0], "app::a");
        }
        let frames: Vec<&[&str]> = vec![&["app::inlined", "app::a"]; 26];
        assert_eq!(kept(&frames, false).1, Some(1), "of the last frame that is looked at both are known");
        assert_eq!(kept(&vec![&["xray::x"][..]; 60], true).1, Some(10));
        assert_eq!(kept(&vec![&["app::a"][..]; 1000], false).1, Some(950), "a thread that Rust did not start");
    }

    #[test]
    fn of_a_path_the_end_is_kept() {
        for (limit, end) in [(1, "b"), (2, "/b"), (3, "\u{e9}/b"), (9, "\u{e9}/b")] {
            assert_eq!(last_chars("\u{e9}/b", limit), end, "{limit}");
        }
    }
}
