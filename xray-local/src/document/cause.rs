//! The `cause` block.

use serde_json::Value;

use super::value;

/// The `cause` block: why a segment or subsegment has a fault, error or throttle flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The id of an exception in another segment or subsegment of the trace.
    Reference(String),
    /// The exceptions.
    Exceptions(Vec<Exception>),
}

/// An error or panic that a program recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exception {
    /// The exception's id, unique in the trace. Some SDKs send none.
    pub id: Option<String>,
    /// The exception's type, field `type` in the document.
    pub kind: Option<String>,
    /// The exception's message.
    pub message: Option<String>,
    /// `true` if the error came from a service that was called.
    pub remote: bool,
    /// The number of stack frames left out.
    pub truncated: Option<i64>,
    /// The number of exceptions left out between this one and its cause.
    pub skipped: Option<i64>,
    /// The id of the exception that caused this one.
    pub cause: Option<String>,
    /// The stack trace, innermost frame first.
    pub stack: Vec<StackFrame>,
}

/// A frame of an [`Exception`]'s stack trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackFrame {
    /// The path of the source file.
    pub path: Option<String>,
    /// The line in the source file.
    pub line: Option<i64>,
    /// The name of the function.
    pub label: Option<String>,
}

impl Cause {
    /// Returns the exceptions in this block; none if it refers to an exception elsewhere.
    #[must_use]
    pub fn exceptions(&self) -> &[Exception] {
        match self {
            Self::Exceptions(exceptions) => exceptions,
            Self::Reference(_) => &[],
        }
    }

    pub(super) fn read(block: &Value) -> Option<Self> {
        match block {
            Value::String(id) => Some(Self::Reference(id.clone())),
            Value::Object(block) => {
                Some(Self::Exceptions(value::list(block.get("exceptions")).map(Exception::read).collect()))
            }
            _ => None,
        }
    }
}

impl Exception {
    fn read(block: &Value) -> Self {
        Self {
            id: block.get("id").and_then(value::text),
            kind: block.get("type").and_then(value::text),
            message: block.get("message").and_then(value::text),
            remote: block.get("remote").is_some_and(value::flag),
            truncated: block.get("truncated").and_then(value::integer),
            skipped: block.get("skipped").and_then(value::integer),
            cause: block.get("cause").and_then(value::text),
            stack: value::list(block.get("stack")).map(StackFrame::read).collect(),
        }
    }
}

impl StackFrame {
    fn read(block: &Value) -> Self {
        Self {
            path: block.get("path").and_then(value::text),
            line: block.get("line").and_then(value::integer),
            label: block.get("label").and_then(value::text),
        }
    }
}
