//! The `cause` block.

use serde_json::Value;

use super::value;

/// Why an entity has a flag set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The id of an exception that is recorded elsewhere in the trace.
    Reference(String),
    /// The exceptions themselves.
    Exceptions(Vec<Exception>),
}

/// One error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exception {
    /// Its id, unique in the trace; absent in what some SDKs send.
    pub id: Option<String>,
    /// Its type.
    pub kind: Option<String>,
    /// What it says.
    pub message: Option<String>,
    /// Whether a downstream service is behind it.
    pub remote: bool,
    /// How many stack frames were left out.
    pub truncated: Option<i64>,
    /// How many exceptions were left out between this one and its cause.
    pub skipped: Option<i64>,
    /// The id of the exception that caused it.
    pub cause: Option<String>,
    /// Where it arose, innermost frame first.
    pub stack: Vec<StackFrame>,
}

/// One frame of an [`Exception`]'s stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackFrame {
    /// The source file.
    pub path: Option<String>,
    /// The line in it.
    pub line: Option<i64>,
    /// The function.
    pub label: Option<String>,
}

impl Cause {
    /// The exceptions that stand here.
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
