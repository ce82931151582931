//! Filter expressions, which select traces. (X-Ray developer guide, "Use filter expressions".)

mod evaluate;
mod expression;
mod facts;
mod lexer;
mod nearest;
mod parser;
mod root_cause;
mod search;
mod selector;
mod value;
mod words;

use std::fmt;
use std::sync::Arc;

use expression::Condition;
pub use search::Search;
pub use selector::EntitySelector;
pub(crate) use words::WORDS;

use crate::trace::Trace;

/// A filter expression.
///
/// * A keyword outside braces describes the trace as its client saw it. Flags, times and the request are those of the
///   root segment. `throttle`, `inferred`, `remote`, `user`, `name`, `type`, `message` and annotations may come from
///   any segment.
/// * `service("name") { .. }` selects traces that have a matching segment of that service.
/// * `edge("caller", "callee") { .. }` selects traces that have a matching call between two services.
/// * `rootcause.fault.service { .. }` selects traces with a matching service on the path of a fault. Write `error`
///   instead of `fault` for errors and `responsetime` for response times, and `entity` or `exception` instead of
///   `service` for segments, subsegments or exceptions on the path. `rootcause.json = #[..]` selects traces with a
///   matching root cause.
/// * `group.name = ".."` selects the traces of a group.
/// * Conditions without a word between them are joined by `AND`.
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
/// assert_eq!(error.to_string(), "column 11: `duratio` is not a keyword; did you mean `duration`?");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// The condition on a trace. The filters that name a group share the condition of the group.
    condition: Arc<Condition>,
    /// The number of conditions, with those of groups.
    size: usize,
}

/// A group: a filter with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedFilter {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// The condition on traces.
    pub filter: Filter,
}

/// Why a text is not a valid filter expression.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterError {
    /// The position of the problem, in characters from 1.
    pub column: usize,
    /// The problem.
    pub message: String,
    /// The keyword to write instead of the word at the position.
    pub suggestion: Option<&'static str>,
}

impl Filter {
    /// Returns the filter that every trace matches.
    pub(crate) fn everything() -> Self {
        Self::of(Condition::All(Vec::new()))
    }

    /// Parses an expression. An empty expression matches every trace.
    ///
    /// # Errors
    ///
    /// The first problem in the text, and its position.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Self::parse_with(text, &[])
    }

    /// Parses an expression that may name groups.
    ///
    /// ```
    /// use xray_local::filter::{Filter, NamedFilter};
    ///
    /// let slow = NamedFilter {
    ///     name: "slow".to_owned(),
    ///     arn: "arn:aws:xray:us-east-1:000000000000:group/slow/1".to_owned(),
    ///     filter: Filter::parse("responsetime > 3")?,
    /// };
    /// assert!(Filter::parse_with(r#"group.name = "slow" AND fault"#, &[slow]).is_ok());
    /// assert!(Filter::parse(r#"group.name = "slow""#).is_err());
    /// # Ok::<(), xray_local::filter::FilterError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`parse`](Self::parse), and an error if the expression names an unknown group, or groups with too
    /// many conditions.
    pub fn parse_with(text: &str, groups: &[NamedFilter]) -> Result<Self, FilterError> {
        parser::parse(text, groups).map(Self::of)
    }

    fn of(condition: Condition) -> Self {
        Self { size: condition.size(), condition: Arc::new(condition) }
    }

    /// Returns whether a trace matches the expression.
    #[must_use]
    pub fn matches(&self, trace: &Trace) -> bool {
        evaluate::matches(&self.condition, trace)
    }
}

impl FilterError {
    fn at(column: usize, message: String) -> Self {
        Self { column, message, suggestion: None }
    }

    /// Returns the text with the suggested keyword, unless that text is not valid either.
    #[must_use]
    pub fn corrected(&self, text: &str) -> Option<String> {
        let suggestion = self.suggestion?;
        let (index, _) = text.char_indices().nth(self.column.checked_sub(1)?)?;
        let (before, rest) = text.split_at(index);
        let after = rest.trim_start_matches(|character: char| character.is_alphanumeric() || "_.".contains(character));
        let corrected = format!("{before}{suggestion}{after}");
        Filter::parse(&corrected).is_ok().then_some(corrected)
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)
    }
}

impl std::error::Error for FilterError {}
