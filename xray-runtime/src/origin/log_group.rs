//! Log groups of CloudWatch Logs, in which the console looks for the log lines of a trace.

use serde_json::{Map, Value};

use crate::document::MAX_STRING_CHARS;
use crate::support::text::first_chars;

/// The key of the log groups in the `aws` block. (Developer guide, "AWS resource data".)
pub(crate) const CLOUDWATCH_LOGS: &str = "cloudwatch_logs";

/// A log group. Each text is cut at 250 characters.
pub(crate) struct LogGroup {
    name: String,
    arn: Option<String>,
}

impl LogGroup {
    /// Creates a log group from its name, such as `/ecs/shop`, or from its ARN.
    pub(crate) fn new(name_or_arn: &str) -> Self {
        // Input:  `arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shop:*`
        // Output: name `/ecs/shop`, ARN `arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/shop`
        let cut = |text: &str| first_chars(text, MAX_STRING_CHARS).to_owned();
        let arn = name_or_arn.trim_end_matches(":*");
        match arn.split_once(":log-group:") {
            Some((start, name)) if start.starts_with("arn:") => Self { name: cut(name), arn: Some(cut(arn)) },
            _ => Self { name: cut(name_or_arn), arn: None },
        }
    }

    /// Returns the log group with the ARN that it has in an account and region.
    #[cfg(feature = "origin")]
    pub(crate) fn in_account(self, partition: &str, region: &str, account: &str) -> Self {
        let arn = format!("arn:{partition}:logs:{region}:{account}:log-group:{}", self.name);
        Self { arn: Some(first_chars(&arn, MAX_STRING_CHARS).to_owned()), ..self }
    }
}

impl From<LogGroup> for Value {
    fn from(LogGroup { name, arn }: LogGroup) -> Self {
        let arn = arn.map(|arn| ("arn".to_owned(), arn.into()));
        Value::Object([("log_group".to_owned(), name.into())].into_iter().chain(arn).collect::<Map<_, _>>())
    }
}
