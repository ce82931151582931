//! Reads settings from environment variables.

use std::ffi::OsString;
use std::fmt;

use crate::support::secrets;

/// Reads and parses one variable. A value that is not valid Unicode or that `parse` refuses is added to `rejected`.
///
/// A blank variable counts as unset: deployment templates often define variables with an empty value. (OpenTelemetry
/// specification, "Environment Variable Specification".)
pub(crate) fn setting<T>(
    get: &impl Fn(&str) -> Option<OsString>,
    rejected: &mut Vec<RejectedSetting>,
    name: &'static str,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let value = get(name).filter(|value| !value.to_string_lossy().trim().is_empty())?;
    let parsed = value.to_str().and_then(parse);
    if parsed.is_none() {
        let value = value.to_string_lossy().into_owned();
        rejected.push(RejectedSetting { name, value, expected, outcome: Outcome::Ignored });
    }
    parsed
}

/// An invalid setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RejectedSetting {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) expected: &'static str,
    pub(crate) outcome: Outcome,
}

/// What becomes of an invalid setting.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ignored,
    /// This value is used instead.
    Altered(String),
    /// The setting is a pattern that is used, and that matches nothing.
    MatchesNothing,
}

impl fmt::Display for RejectedSetting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first characters are enough to recognize the value, and a variable may hold megabytes.
        const SHOWN_CHARS: usize = 100;
        // The text is cleaned before it is cut, because the cut may remove the `@` by which a password is recognized.
        let value = secrets::recorded(&self.value, SHOWN_CHARS);
        write!(formatter, "{} is {value:?}, expected {}; ", self.name, self.expected)?;
        match &self.outcome {
            Outcome::Ignored => formatter.write_str("the value is ignored"),
            Outcome::Altered(used) => write!(formatter, "{used:?} is used"),
            Outcome::MatchesNothing => formatter.write_str("no request matches it"),
        }
    }
}
