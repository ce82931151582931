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
    let mut levels = Vec::<HashMap<(u64, Option<&str>), (&Document, u64)>>::new();
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
        // Another page of a list is another request, although its signature is equal.
        let url = call.http.as_ref().and_then(|http| http.url.as_deref());
        let request = (signature(call), url);
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::trace::Trace;

    #[test]
    fn a_call_with_another_query_is_no_retry() {
        let call = |number: u32, url: &str| {
            json!({"id": format!("c{number}"), "name": "stock", "namespace": "remote", "start_time": number, "end_time": number + 1,
                "fault": true, "http": {"request": {"method": "GET", "url": url}}})
        };
        let calls = [
            call(1, "http://stock/items?page=1"),
            call(2, "http://stock/items?page=2"),
            call(3, "http://stock/items?page=2"),
        ];
        let trace = Trace::of_values([
            json!({"id": "a", "name": "shop", "start_time": 0, "end_time": 9, "subsegments": calls}),
        ]);
        assert_eq!(retries(&trace.rows(false)), [None, None, None, Some("retry 1".to_owned())]);
    }
}
