//! Filter expressions: which traces are meant. (X-Ray developer guide, "Use filter expressions".)

mod evaluate;
mod expression;
mod lexer;
mod parser;
mod root_cause;
mod value;

use std::fmt;

use expression::Condition;

use crate::trace::Trace;

/// A filter expression.
///
/// A keyword outside of braces is about the trace as its caller saw it: flags, times and the request are those of the root
/// segment; `throttle`, `user`, `name`, `type`, `message` and annotations are found in any segment. `service("name") { .. }`
/// asks for a segment, `edge("caller", "callee") { .. }` for a call, and `rootcause.fault.service { .. }` for what is on the
/// way from the caller to where a fault began (`error` instead of `fault`; `entity` or `exception` instead of `service`).
/// Conditions beside each other must all be met.
///
/// Groups and root causes of the response time are not known here.
///
/// ```
/// use xray_local::filter::Filter;
///
/// for expression in [
///     "",
///     "ok !partial duration < 3",
///     r#"http.url BEGINSWITH "http://api.example.com/" AND !service("api.example.com")"#,
///     r#"service(id(name: "shop", type: "AWS::ECS::Container")) { fault OR responsetime > 2.5 } AND annotation.account = "12345""#,
///     r#"edge("shop", "names.example.com") { http.status = 404 }"#,
/// ] {
///     assert!(Filter::parse(expression).is_ok());
/// }
/// let error = Filter::parse("fault AND duratio > 3").unwrap_err();
/// assert_eq!(error.to_string(), "column 11: `duratio` is no keyword; is `duration` meant?");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    condition: Condition,
}

/// Why a text is no filter expression.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl Filter {
    /// Reads an expression; an empty one matches every trace.
    ///
    /// # Errors
    ///
    /// What is wrong first, and where.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parser::parse(text).map(|condition| Self { condition })
    }

    /// Whether a trace is meant.
    #[must_use]
    pub fn matches(&self, trace: &Trace) -> bool {
        evaluate::matches(&self.condition, trace)
    }
}

impl FilterError {
    fn at(column: usize, message: String) -> Self {
        Self { column, message }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)
    }
}

impl std::error::Error for FilterError {}
