//! Filter expressions: which traces are meant. (X-Ray developer guide, "Use filter expressions".)

use std::fmt;

use crate::trace::Trace;

/// A filter expression.
///
/// ```
/// use xray_local::filter::Filter;
///
/// assert!(Filter::parse("").is_ok());
/// assert_eq!(Filter::parse("faul").unwrap_err().column, 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    keyword: Option<&'static str>,
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
        match text.trim() {
            "" => Ok(Self { keyword: None }),
            "fault" => Ok(Self { keyword: Some("fault") }),
            "error" => Ok(Self { keyword: Some("error") }),
            other => Err(FilterError { column: 1, message: format!("`{other}` is no keyword") }),
        }
    }

    /// Whether a trace is meant.
    #[must_use]
    pub fn matches(&self, trace: &Trace) -> bool {
        match self.keyword {
            Some("fault") => trace.entities().any(|entity| entity.fault),
            Some(_) => trace.entities().any(|entity| entity.error),
            None => true,
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)
    }
}

impl std::error::Error for FilterError {}
