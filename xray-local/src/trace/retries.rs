//! Marks of retries: calls that repeat a failed call, and calls that an AWS SDK repeated itself.

use std::collections::HashMap;

use serde_json::Value;

use super::{Row, signature};
use crate::document::{Document, Kind, Namespace};

/// Returns the mark of each row, or `None` for a row without one.
///
/// A call repeats another if both have one parent, name and request, the other failed, and it had ended before this
/// call started. The documents do not say so, so this is concluded from them.
#[must_use]
pub fn retries(rows: &[Row<'_>]) -> Vec<Option<String>> {
    // For each depth, the latest call of each request below the current parent, and how many calls it repeats.
    let mut levels = Vec::<HashMap<u64, (&Document, u64)>>::new();
    let mut marks = Vec::with_capacity(rows.len());
    for row in rows {
        levels.truncate(row.depth + 1);
        levels.resize_with(row.depth + 1, HashMap::new);
        let call = row.document;
        if !is_call(call) {
            marks.push(None);
            continue;
        }
        let latest = &mut levels[row.depth];
        let request = signature(call);
        let is_cause = |before: &Document| {
            before.state().is_failure() && before.end_time.is_some_and(|end| end <= call.start_time)
        };
        let repeated = latest.get(&request).filter(|(before, _)| is_cause(before)).map_or(0, |(_, number)| number + 1);
        latest.insert(request, (call, repeated));
        marks.push(match (repeated, call.aws().get("retries").and_then(Value::as_u64)) {
            (0, None | Some(0)) => None,
            (0, Some(1)) => Some("1 retry".to_owned()),
            (0, Some(number)) => Some(format!("{number} retries")),
            (repeated, _) => Some(format!("retry {repeated}")),
        });
    }
    marks
}

fn is_call(document: &Document) -> bool {
    document.kind == Kind::Subsegment && matches!(document.namespace, Some(Namespace::Aws | Namespace::Remote))
}
