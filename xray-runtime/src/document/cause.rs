//! The `cause` block: the errors behind a fault.

use std::error::Error;
use std::{any, io};

use serde::{Deserialize, Serialize};

use super::url::without_secrets;
use super::{Document, first_chars};
use crate::id::SegmentId;

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
    /// Where it happened, innermost frame first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<StackFrame>,
}

/// One frame of an [`Exception`]'s stack.
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
}

impl Exception {
    /// An error of which only the type is known.
    pub(crate) fn opaque(kind: &str) -> Self {
        exception("", Some(kind.to_owned()), true)
    }

    /// An error of this program's of which only its text is known.
    pub(crate) fn text(message: &str, kind: &str) -> Self {
        exception(message, Some(kind.to_owned()), false)
    }

    /// A panic.
    pub(crate) fn panic(message: &str) -> Self {
        exception(message, Some("panic".to_owned()), false)
    }
}

/// An exception for the error and for each source, linked by their ids.
///
/// This runs the error's own code, so no record may be locked.
pub(crate) fn chain<E: Error + ?Sized>(error: &E, remote: bool) -> Vec<Exception> {
    /// More than any real chain; a `source` that returns its own kind for ever ends here.
    const MAX_DEPTH: usize = 32;

    let mut exceptions = vec![exception(&error.to_string(), Some(type_name::<E>()), remote)];
    let mut source = error.source();
    while let (Some(error), true) = (source, exceptions.len() < MAX_DEPTH) {
        let next = exception(&error.to_string(), known_type(error), remote);
        if let Some(last) = exceptions.last_mut() {
            last.cause = Some(next.id);
        }
        exceptions.push(next);
        source = error.source();
    }
    exceptions
}

fn exception(message: &str, kind: Option<String>, remote: bool) -> Exception {
    const MAX_MESSAGE_CHARS: usize = 1000;
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

fn type_name<E: ?Sized>() -> String {
    any::type_name::<E>().to_owned()
}

/// The type of an error behind `dyn Error`, if it is one of the standard library's.
fn known_type(error: &(dyn Error + 'static)) -> Option<String> {
    error.is::<io::Error>().then(type_name::<io::Error>)
}
