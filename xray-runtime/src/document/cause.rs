//! The `cause` block: the errors behind a fault.

use std::error::Error;
use std::{any, fmt, io};

use serde::{Deserialize, Serialize};

use super::StackFrame;
#[cfg(feature = "backtrace")]
use super::stack;
use crate::id::SegmentId;
use crate::support::guard::guard;
use crate::support::secrets;

/// Limit on the characters of an error message.
// X-Ray documents no limit for it. A chain of 32 such errors, the longest that is recorded, fills half of a document.
const MAX_MESSAGE_CHARS: usize = 1000;

/// The reason why a segment or subsegment has the flag `fault` set.
///
/// (Developer guide, "X-Ray segment documents", "Errors and exceptions".)
///
/// ```
/// use xray::document::Cause;
///
/// let ((), documents) = xray::testing::capture_blocking(|| {
///     let segment = xray::Segment::builder("shop").begin();
///     segment.record_error(&"cheap".parse::<u32>().unwrap_err());
/// });
/// assert!(documents[0].fault);
/// let Some(Cause::Exceptions(cause)) = &documents[0].cause else { unreachable!() };
/// assert_eq!(cause.exceptions[0].message.as_deref(), Some("invalid digit found in string"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Cause {
    /// The id of an [`Exception`] that another document of the trace records.
    Reference(SegmentId),
    /// The exceptions themselves.
    // Boxed, because most documents have no cause, and each would have the room for one.
    Exceptions(Box<Exceptions>),
}

/// The exceptions of a [`Cause`]: each recorded error, followed by its sources.
///
/// ```
/// use xray::document::Cause;
///
/// let ((), documents) = xray::testing::capture_blocking(|| {
///     let segment = xray::Segment::builder("shop").begin();
///     segment.record_error(&"cheap".parse::<u32>().unwrap_err());
///     segment.record_error(&"yes".parse::<bool>().unwrap_err());
/// });
/// let Some(Cause::Exceptions(cause)) = &documents[0].cause else { unreachable!() };
/// assert_eq!(cause.exceptions.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exceptions {
    /// The directory in which the program runs. This library leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// The paths of libraries or modules in use. This library leaves them out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The error, then its source, then the source of that, and so on. An entity with several errors has several such
    /// chains, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
}

/// One error of the `cause` block.
///
/// ```
/// use xray::document::Cause;
///
/// let ((), documents) = xray::testing::capture_blocking(|| {
///     let segment = xray::Segment::builder("shop").begin();
///     segment.record_error(&"cheap".parse::<u32>().unwrap_err());
/// });
/// let Some(Cause::Exceptions(cause)) = &documents[0].cause else { unreachable!() };
/// let exception = &cause.exceptions[0];
/// assert!(exception.kind.as_deref().is_some_and(|kind| kind.ends_with("ParseIntError")));
/// assert_eq!((exception.remote, exception.cause), (Some(false), None));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exception {
    /// The id of the exception, unique in the trace.
    // Not optional, although X-Ray's schema lets it be: the receiver of the OpenTelemetry collector loses a document in
    // which an exception has none.
    pub id: SegmentId,
    /// The message of the error, at most 1,000 characters. URLs in it have no credentials, query or fragment, and
    /// values whose names suggest a secret are removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The type of the error, if it is known. The type of a source behind `dyn Error` is known for errors of the
    /// standard library only.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `true` if a call to another service caused the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<bool>,
    /// The number of stack frames that were left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<u32>,
    /// The number of exceptions that were left out between this one and its cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u32>,
    /// The id of the exception that caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<SegmentId>,
    /// The stack of the thread that recorded the error, innermost frame first; see [`StackFrame`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<StackFrame>,
}

impl Exception {
    /// Creates an exception for an error without a message, of which only the type is known.
    pub(crate) fn opaque(kind: &str) -> Self {
        exception(String::new(), Some(kind.to_owned()), true).with_stack()
    }

    /// Creates a placeholder for an exception that another document records.
    pub(crate) fn elsewhere(id: SegmentId) -> Self {
        Self { id, remote: None, ..exception(String::new(), None, false) }
    }

    /// Returns whether both exceptions have the same message, and the same type if both types are known.
    // Two exceptions without a message may have nothing in common, so they count as different.
    pub(crate) fn is_same_error(&self, other: &Self) -> bool {
        let is_same_kind = self.kind.is_none() || other.kind.is_none() || self.kind == other.kind;
        self.message.is_some() && self.message == other.message && is_same_kind
    }

    /// Creates an exception from the text of an error that does not implement `Error`.
    pub(crate) fn text(message: &str, kind: &str) -> Self {
        Self::without_stack(message, kind).with_stack()
    }

    /// Creates an exception from the text of an error that did not happen on the current stack.
    pub(crate) fn without_stack(message: &str, kind: &str) -> Self {
        exception(recorded(message), Some(kind.to_owned()), false)
    }

    /// Creates an exception for a panic that was caught. It has no stack: `catch_unwind` has unwound it.
    pub(crate) fn panic(message: &str) -> Self {
        Self::without_stack(message, "panic")
    }

    /// Adds the stack of the current thread, if the environment asks for it. The caller must hold no lock.
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

/// Returns an exception for an error and one for each of its sources, linked by their ids.
///
/// The second value is whether `Display` or `source` of one of the errors panicked or failed.
///
/// This function runs the error's own code, so the caller must hold no lock.
pub(crate) fn chain<E: Error + ?Sized>(error: &E, remote: bool) -> (Vec<Exception>, bool) {
    /// Limit on the errors of a chain. A `source` that returns a new error at each call has no end.
    const MAX_DEPTH: usize = 32;

    let mut has_failed = false;
    let mut message = |text: Option<String>| {
        has_failed |= text.is_none();
        text.unwrap_or_default()
    };
    let mut exceptions = vec![exception(message(message_of(error)), static_type::<E>(), remote).with_stack()];
    let mut seen = Vec::<&(dyn Error + 'static)>::new();
    let mut next = guard(|| error.source());
    while let Some(Some(source)) = next {
        // An error that is its own source, directly or through others, ends at its second visit.
        if exceptions.len() == MAX_DEPTH || seen.iter().any(|seen| std::ptr::eq(*seen, source)) {
            break;
        }
        seen.push(source);
        let cause = exception(message(message_of(source)), standard_type(source), remote);
        if let Some(last) = exceptions.last_mut() {
            last.cause = Some(cause.id);
        }
        exceptions.push(cause);
        next = guard(|| source.source());
    }
    (exceptions, has_failed || next.is_none())
}

/// Returns the recorded form of an error's message, or `None` if the error's `Display` implementation panics or fails.
fn message_of<E: Error + ?Sized>(error: &E) -> Option<String> {
    guard(|| secrets::recorded_display(error, MAX_MESSAGE_CHARS)).flatten()
}

/// Returns the recorded form of a message.
fn recorded(message: &str) -> String {
    secrets::recorded(message, MAX_MESSAGE_CHARS).into_owned()
}

/// Returns an exception with a message that has no secrets.
fn exception(message: String, kind: Option<String>, remote: bool) -> Exception {
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

/// Returns the name of a type; `None` for `dyn Error`, which names no type.
fn static_type<E: ?Sized>() -> Option<String> {
    // `type_name` is for diagnostics: its form may change with the compiler. That is what it is used for here.
    let name = any::type_name::<E>();
    (!name.starts_with("dyn ")).then(|| name.to_owned())
}

/// Returns the name of the type behind a `dyn Error`, if it is a type of the standard library.
// A trait object has no type name, and `Error` can only be compared with types that are named here. The standard
// library's are the most frequent ends of a chain.
pub(crate) fn standard_type(error: &(dyn Error + 'static)) -> Option<String> {
    // Input:  first_of![io::Error, fmt::Error]
    // Output: None.or_else(|| error.is::<io::Error>().then(any::type_name::<io::Error>))
    //             .or_else(|| error.is::<fmt::Error>().then(any::type_name::<fmt::Error>))
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

    /// An error whose methods misbehave in every possible way.
    #[derive(Debug)]
    enum Hostile {
        HasMessage(String),
        MessagePanics,
        MessageFails,
        SourcePanics,
        IsItsOwnSource,
        Wraps(Box<dyn Error>),
    }

    impl fmt::Display for Hostile {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self {
                Self::HasMessage(message) => formatter.write_str(message),
                Self::MessagePanics => panic!("no message"),
                Self::MessageFails => Err(fmt::Error),
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
    fn exceptions_of_one_message_are_the_same_unless_their_types_differ() {
        let of = |message: &str, kind: Option<&str>| {
            let exception = Exception::panic(message);
            Exception { kind: kind.map(str::to_owned), ..exception }
        };
        let error = of("refused", Some("Error"));
        assert!(error.is_same_error(&of("refused", Some("Error"))));
        assert!(error.is_same_error(&of("refused", None)) && of("refused", None).is_same_error(&error));
        assert!(!error.is_same_error(&of("refused", Some("Other"))));
        assert!(!error.is_same_error(&of("other", Some("Error"))));
        let without_message = Exception { message: None, ..error };
        assert!(!without_message.is_same_error(&without_message));
    }

    #[test]
    fn an_error_whose_methods_fail_is_recorded_as_far_as_they_succeed() {
        assert_eq!(messages(&Hostile::MessagePanics), (vec![None], true));
        assert_eq!(messages(&Hostile::MessageFails), (vec![None], true));
        assert_eq!(messages(&Hostile::SourcePanics), (vec![Some("SourcePanics".to_owned())], true));
        let wraps = Hostile::Wraps(Box::new(Hostile::MessagePanics));
        assert_eq!(messages(&wraps), (vec![Some("Wraps".to_owned()), None], true));
    }

    #[test]
    fn a_circular_or_very_long_chain_of_sources_is_cut() {
        assert_eq!(messages(&Hostile::IsItsOwnSource).0.len(), 2);
        let wraps = Hostile::Wraps(Box::new(Hostile::IsItsOwnSource));
        assert_eq!(messages(&wraps).0.len(), 2);
        let long = (0..100).fold(Hostile::MessageFails, |source, _| Hostile::Wraps(Box::new(source)));
        assert_eq!(messages(&long), (vec![Some("Wraps".to_owned()); 32], false));
    }

    #[test]
    fn a_long_message_is_cut_without_cutting_a_url_in_two() {
        let cut = |message: String| messages(&Hostile::HasMessage(message)).0.remove(0);
        assert_eq!(cut("\u{e9}".repeat(5_000_000)), Some("\u{e9}".repeat(1000)));
        assert_eq!(cut(format!("at http://me:{}@h/", "p".repeat(100_000))).as_deref(), Some("at http"));
        assert_eq!(cut(format!("at me:{}@h/", "p".repeat(100_000))).as_deref(), Some("at me"));
    }

    #[test]
    fn types_of_the_standard_library_are_known_behind_dyn() {
        for (error, kind) in [
            (Box::new("x".parse::<u8>().unwrap_err()) as Box<dyn Error>, Some("ParseIntError")),
            (Box::new(String::from_utf8(vec![0xff]).unwrap_err()), Some("FromUtf8Error")),
            (Box::new(io::Error::other("x")), Some("io::error::Error")),
            (Box::new(fmt::Error), Some("fmt::Error")),
            (Box::new(Hostile::HasMessage("x".to_owned())), None),
        ] {
            let (exceptions, _) = chain(&Hostile::Wraps(error), false);
            let found = exceptions[1].kind.as_deref();
            assert_eq!(found.is_some(), kind.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().ends_with(kind.unwrap_or_default()), "{found:?}");
        }
        let error: &dyn Error = &fmt::Error;
        assert_eq!(chain(error, false).0[0].kind, None, "`dyn Error` names no type");
    }
}
