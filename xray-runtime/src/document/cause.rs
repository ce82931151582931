//! The `cause` block: the errors behind a fault.

use std::error::Error;
use std::{any, fmt, io};

use serde::{Deserialize, Serialize};

use super::Document;
#[cfg(feature = "backtrace")]
use super::stack;
use super::url::without_secrets;
use crate::id::SegmentId;
use crate::support::guard::guard;
use crate::support::text::{BoundedText, first_chars};

/// What of a message is recorded.
const MAX_MESSAGE_CHARS: usize = 1000;

/// Why an entity has a flag set. (Developer guide, "Errors and exceptions".)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Cause {
    /// The id of an exception recorded elsewhere in the trace.
    Reference(SegmentId),
    /// The exceptions themselves.
    Exceptions(Box<Exceptions>),
}

/// The exceptions of a [`Cause`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exceptions {
    /// Where the program runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Libraries or modules in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The error that came out first, then what caused it, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
}

/// One error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exception {
    /// Its id, unique in the trace.
    pub id: SegmentId,
    /// What the error says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Its type, where known.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether a downstream service is behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<bool>,
    /// How many stack frames were left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<u32>,
    /// How many exceptions were left out between this one and its cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u32>,
    /// The id of the exception that caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<SegmentId>,
    /// Where it was recorded, innermost frame first; see [`StackFrame`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<StackFrame>,
}

/// One frame of an [`Exception`]'s stack.
///
/// With the feature `backtrace` an error that is recorded has the stack of where it is recorded, if the environment asks
/// for it as it asks [`std::backtrace`]: by `RUST_LIB_BACKTRACE`, or by `RUST_BACKTRACE` if that is not set, with
/// anything but `0`. The variables are read once per process. Its sources have none, and neither has a panic, whose stack
/// is gone when it is caught.
///
/// * The 50 innermost frames are kept; `truncated` counts the others, each with what is inlined in it as one.
/// * Left out are the frames of this library with what they call of the standard library, and the start of the program
///   or thread; with `full` nothing is.
/// * The texts are cut to 250 characters, paths at their beginning. Paths are those of the machine that built the program.
/// * Functions have names where the program is not stripped, and lines where it has debug information.
///
/// The stack is read on the thread that records the error, one thread at a time. The first takes tens of milliseconds (in
/// an unoptimised program some hundred), since it reads the debug information, which stays in memory; a later one takes
/// less than one. In an asynchronous program that is time in which the thread does nothing else.
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
    /// The source file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl Document {
    /// Records exceptions, and the fault that they are.
    pub(crate) fn record_exceptions(&mut self, exceptions: Vec<Exception>) {
        match &mut self.cause {
            Some(Cause::Exceptions(recorded)) => recorded.exceptions.extend(exceptions),
            cause => *cause = Some(Cause::Exceptions(Box::new(Exceptions { exceptions, ..Exceptions::default() }))),
        }
        self.fault = true;
    }

    /// Records an error and its sources; from where the child that ended last recorded the same, by its id.
    pub(crate) fn record_error(&mut self, mut chain: Vec<Exception>) {
        let recorded = self.subsegments.last().map_or(&[][..], Self::exceptions);
        let shared = chain.iter().enumerate().find_map(|(position, exception)| {
            let known = recorded.iter().find(|known| known.is_same_error(exception))?;
            Some((position, known.clone()))
        });
        match (shared, &mut self.cause) {
            (Some((0, known)), cause @ None) => {
                *cause = Some(Cause::Reference(known.id));
                self.fault = true;
                return;
            }
            // Beside others it stands as an exception with the same id.
            (Some((0, known)), _) => chain = vec![known],
            (Some((position, known)), _) => {
                chain.truncate(position);
                if let Some(last) = chain.last_mut() {
                    last.cause = Some(known.id);
                }
            }
            (None, _) => {}
        }
        self.add_exceptions(chain);
    }

    /// Records a panic that passes, which is known by an id where it was recorded before; returns by which it is now.
    pub(crate) fn record_panic(&mut self, exception: Exception, known: Option<SegmentId>) -> Option<SegmentId> {
        let Some(id) = known else {
            self.record_error(vec![exception.clone()]);
            let recorded = self.exceptions().iter().rev().find(|recorded| recorded.is_same_error(&exception));
            return recorded.map(|recorded| recorded.id);
        };
        match &self.cause {
            None => self.cause = Some(Cause::Reference(id)),
            Some(Cause::Reference(own)) if *own == id => {}
            _ => self.add_exceptions(vec![Exception { id, ..exception }]),
        }
        self.fault = true;
        known
    }

    /// Records exceptions beside what is recorded, but none twice.
    fn add_exceptions(&mut self, mut chain: Vec<Exception>) {
        if let Some(Cause::Reference(id)) = self.cause {
            let referenced = self.subsegments.iter().rev().flat_map(Self::exceptions).find(|known| known.id == id);
            chain.insert(0, referenced.cloned().unwrap_or_else(|| Exception::elsewhere(id)));
            self.cause = None;
        }
        if let Some(Cause::Exceptions(own)) = &self.cause {
            chain.retain(|exception| own.exceptions.iter().all(|known| known.id != exception.id));
        }
        self.record_exceptions(chain);
    }

    /// The exceptions that it recorded, or that those below it did to which it refers.
    fn exceptions(&self) -> &[Exception] {
        match &self.cause {
            Some(Cause::Exceptions(cause)) => &cause.exceptions,
            Some(Cause::Reference(id)) => {
                let mut below = self.subsegments.iter().rev().map(Self::exceptions);
                below.find(|known| known.iter().any(|known| known.id == *id)).unwrap_or_default()
            }
            None => &[],
        }
    }
}

impl Exception {
    /// An error of which only the type is known.
    pub(crate) fn opaque(kind: &str) -> Self {
        exception("", Some(kind.to_owned()), true).with_stack()
    }

    /// One that is recorded in another document.
    fn elsewhere(id: SegmentId) -> Self {
        Self { id, remote: None, ..exception("", None, false) }
    }

    /// Whether it says the same and is of the same type, where both are known.
    pub(crate) fn is_same_error(&self, other: &Self) -> bool {
        let is_same_kind = self.kind.is_none() || other.kind.is_none() || self.kind == other.kind;
        self.message.is_some() && self.message == other.message && is_same_kind
    }

    /// An error of this program's of which only its text is known.
    pub(crate) fn text(message: &str, kind: &str) -> Self {
        exception(message, Some(kind.to_owned()), false).with_stack()
    }

    /// A panic that was caught, by which time its stack is gone.
    pub(crate) fn panic(message: &str) -> Self {
        exception(message, Some("panic".to_owned()), false)
    }

    /// The same with the stack from here, where that is asked for. No record may be locked.
    #[cfg(feature = "backtrace")]
    fn with_stack(self) -> Self {
        let Some(stack) = stack::current() else { return self };
        Self { truncated: stack.truncated(), stack: stack.frames, ..self }
    }

    #[cfg(not(feature = "backtrace"))]
    fn with_stack(self) -> Self {
        self
    }
}

/// An exception for the error and for each source, linked by their ids; and whether one of them failed as it was asked
/// what it says or what is behind it.
///
/// This runs the error's own code, so no record may be locked.
pub(crate) fn chain<E: Error + ?Sized>(error: &E, remote: bool) -> (Vec<Exception>, bool) {
    /// More than any real chain; a `source` that makes a new one for ever ends here.
    const MAX_DEPTH: usize = 32;

    let mut has_failed = false;
    let mut message = |text: Option<String>| {
        has_failed |= text.is_none();
        text.unwrap_or_default()
    };
    let mut exceptions = vec![exception(&message(says(error)), own_type::<E>(), remote).with_stack()];
    let mut seen = Vec::<&(dyn Error + 'static)>::new();
    let mut next = guard(|| error.source());
    while let Some(Some(source)) = next {
        // One that is its own source, at whatever remove, ends where it comes again.
        if exceptions.len() == MAX_DEPTH || seen.iter().any(|seen| std::ptr::eq(*seen, source)) {
            break;
        }
        seen.push(source);
        let cause = exception(&message(says(source)), known_type(source), remote);
        if let Some(last) = exceptions.last_mut() {
            last.cause = Some(cause.id);
        }
        exceptions.push(cause);
        next = guard(|| source.source());
    }
    (exceptions, has_failed || next.is_none())
}

/// What an error says; `None` where it panics or fails.
fn says<E: Error + ?Sized>(error: &E) -> Option<String> {
    const MAX_BYTES: usize = 64 * 1024;

    let (mut message, is_cut) = guard(|| BoundedText::of(error, MAX_BYTES)).flatten()?;
    if is_cut {
        // Of a URL that is cut in two it cannot be told where its credentials end.
        let end = message.rfind(char::is_whitespace).or_else(|| message.find("//"));
        message.truncate(end.unwrap_or(message.len()));
    }
    Some(message)
}

fn exception(message: &str, kind: Option<String>, remote: bool) -> Exception {
    let message = first_chars(&without_secrets(message), MAX_MESSAGE_CHARS).to_owned();
    Exception {
        id: SegmentId::random(),
        message: (!message.is_empty()).then_some(message),
        kind,
        remote: Some(remote),
        truncated: None,
        skipped: None,
        cause: None,
        stack: Vec::new(),
    }
}

/// The type of an error, where it is more than a `dyn Error`.
fn own_type<E: ?Sized>() -> Option<String> {
    let name = any::type_name::<E>();
    (!name.starts_with("dyn ")).then(|| name.to_owned())
}

/// The type of an error behind `dyn Error`, if it is one of the standard library's.
fn known_type(error: &(dyn Error + 'static)) -> Option<String> {
    macro_rules! first_of {
        ($($type:ty),* $(,)?) => {
            None$(.or_else(|| error.is::<$type>().then(any::type_name::<$type>)))*
        };
    }

    let name: Option<&str> = first_of![
        io::Error,
        fmt::Error,
        std::num::ParseIntError,
        std::num::ParseFloatError,
        std::num::TryFromIntError,
        std::str::Utf8Error,
        std::str::ParseBoolError,
        std::string::FromUtf8Error,
        std::char::ParseCharError,
        std::array::TryFromSliceError,
        std::env::VarError,
        std::net::AddrParseError,
        std::sync::mpsc::RecvError,
        std::sync::mpsc::RecvTimeoutError,
        std::time::SystemTimeError,
    ];
    name.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error that goes wrong in each of the ways in which one can.
    #[derive(Debug)]
    enum Hostile {
        Says(String),
        SayPanics,
        SayFails,
        SourcePanics,
        IsItsOwnSource,
        Wraps(Box<dyn Error>),
    }

    impl fmt::Display for Hostile {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::Says(message) => formatter.write_str(message),
                Self::SayPanics => panic!("no word"),
                Self::SayFails => Err(fmt::Error),
                other => write!(formatter, "{}", format!("{other:?}").split('(').next().unwrap()),
            }
        }
    }

    impl Error for Hostile {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            match self {
                Self::SourcePanics => panic!("no source"),
                Self::IsItsOwnSource => Some(self),
                Self::Wraps(source) => Some(&**source),
                _ => None,
            }
        }
    }

    fn messages(error: &Hostile) -> (Vec<Option<String>>, bool) {
        let (exceptions, has_failed) = chain(error, false);
        assert!(exceptions.iter().zip(&exceptions[1..]).all(|(one, next)| one.cause == Some(next.id)));
        assert!(exceptions[0].kind.as_ref().is_some_and(|kind| kind.ends_with("::Hostile")));
        (exceptions.into_iter().map(|exception| exception.message).collect(), has_failed)
    }

    #[test]
    fn an_error_that_goes_wrong_is_recorded_as_far_as_it_went() {
        assert_eq!(messages(&Hostile::SayPanics), (vec![None], true));
        assert_eq!(messages(&Hostile::SayFails), (vec![None], true));
        assert_eq!(messages(&Hostile::SourcePanics), (vec![Some("SourcePanics".to_owned())], true));
        let wraps = Hostile::Wraps(Box::new(Hostile::SayPanics));
        assert_eq!(messages(&wraps), (vec![Some("Wraps".to_owned()), None], true));
    }

    #[test]
    fn an_endless_chain_ends() {
        assert_eq!(messages(&Hostile::IsItsOwnSource).0.len(), 2);
        let wraps = Hostile::Wraps(Box::new(Hostile::IsItsOwnSource));
        assert_eq!(messages(&wraps).0.len(), 2);
        let long = (0..100).fold(Hostile::SayFails, |source, _| Hostile::Wraps(Box::new(source)));
        assert_eq!(messages(&long), (vec![Some("Wraps".to_owned()); 32], false));
    }

    #[test]
    fn a_long_message_is_cut_and_no_secret_with_it() {
        let cut = |message: String| messages(&Hostile::Says(message)).0.remove(0);
        assert_eq!(cut("\u{e9}".repeat(5_000_000)), Some("\u{e9}".repeat(1000)));
        assert_eq!(cut(format!("at http://me:{}@h/", "p".repeat(100_000))).as_deref(), Some("at"));
        assert_eq!(cut(format!("http://me:{}@h/", "p".repeat(100_000))).as_deref(), Some("http:"));
    }

    #[test]
    fn a_panic_that_is_known_is_referred_to_beside_what_there_is() {
        let (mut document, panic) =
            (Document::new(SegmentId::random(), "outer".to_owned(), 1.0), Exception::panic("out"));
        assert_eq!(document.record_panic(Exception::panic("out"), Some(panic.id)), Some(panic.id));
        assert_eq!(document.record_panic(Exception::panic("out"), Some(panic.id)), Some(panic.id), "twice");
        assert_eq!((&document.cause, document.fault), (&Some(Cause::Reference(panic.id)), true));

        document.cause = None;
        document.record_exceptions(vec![Exception::text("before", "String")]);
        for _ in 0..2 {
            document.record_panic(Exception::panic("out"), Some(panic.id));
            assert_eq!(document.exceptions()[1..], *std::slice::from_ref(&panic));
        }
        let new = document.record_panic(Exception::panic("another"), None);
        assert_eq!(document.exceptions().last().map(|last| last.id), new);
        assert_eq!(document.record_panic(Exception::panic(""), None), None, "what says nothing is not known again");
    }

    #[test]
    fn types_of_the_standard_library_are_known_behind_dyn() {
        for (error, kind) in [
            (Box::new("x".parse::<u8>().unwrap_err()) as Box<dyn Error>, Some("ParseIntError")),
            (Box::new(String::from_utf8(vec![0xff]).unwrap_err()), Some("FromUtf8Error")),
            (Box::new(io::Error::other("x")), Some("io::error::Error")),
            (Box::new(fmt::Error), Some("fmt::Error")),
            (Box::new(Hostile::Says("x".to_owned())), None),
        ] {
            let (exceptions, _) = chain(&Hostile::Wraps(error), false);
            let found = exceptions[1].kind.as_deref();
            assert_eq!(found.is_some(), kind.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().ends_with(kind.unwrap_or_default()), "{found:?}");
        }
        let error: &dyn Error = &fmt::Error;
        assert_eq!(chain(error, false).0[0].kind, None, "`dyn Error` says nothing");
    }
}
