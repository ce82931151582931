//! The label of a segment or subsegment on the timeline.

use serde_json::Value;

use super::format;
use crate::document::{Document, Http, Kind, Namespace};

/// The two texts of a row. Both are cut to the width of their column by the style sheet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// The text that distinguishes the row from others: the request of a call, or the name of a service or a function.
    pub(super) name: String,
    /// The rest, such as the host and the status of a call.
    pub(super) detail: String,
}

/// The longest text of a label.
const MAX_CHARS: usize = 90;

impl Label {
    /// Returns the label of a segment or subsegment.
    ///
    /// The name of a call is its host or AWS service, which many calls share. So a call is labelled by its request, AWS
    /// operation or query.
    pub(super) fn of(document: &Document) -> Self {
        let is_call =
            document.kind == Kind::Subsegment && matches!(document.namespace, Some(Namespace::Aws | Namespace::Remote));
        let call =
            if is_call { query(document).or_else(|| operation(document)).or_else(|| request(document)) } else { None };
        let (name, detail) = call.unwrap_or_else(|| {
            // An inferred segment repeats the request of its call.
            let http = document.http.as_ref().filter(|_| !document.inferred);
            (document.name.clone(), http.map(served_request).unwrap_or_default())
        });
        Self { name: format::truncate(&name, MAX_CHARS), detail: format::truncate(&detail, MAX_CHARS) }
    }
}

fn query(document: &Document) -> Option<(String, String)> {
    let query = document.sql().get("sanitized_query").and_then(Value::as_str).filter(|query| !query.is_empty())?;
    Some((query.to_owned(), document.name.clone()))
}

/// Returns the operation and the resource of a call to an AWS service.
fn operation(document: &Document) -> Option<(String, String)> {
    let aws = document.aws();
    let operation = aws.get("operation").and_then(Value::as_str)?;
    let resources = ["table_name", "bucket_name", "queue_url", "topic_arn", "function_name"];
    let resource = resources.into_iter().find_map(|field| aws.get(field)).and_then(Value::as_str);
    Some((joined([Some(operation), resource]), document.name.clone()))
}

/// Returns the method and path of an HTTP call, and its host and status.
fn request(document: &Document) -> Option<(String, String)> {
    let http = document.http.as_ref()?;
    let (host, path) = format::split_url(http.url.as_deref()?);
    let path = if path.is_empty() { "/" } else { path };
    // The name of a call is often its host, which need not be shown twice.
    let host = Some(host).filter(|host| *host != document.name && !host.is_empty());
    let detail = joined([Some(document.name.as_str()), host, status(http).as_deref()]);
    Some((joined([http.method.as_deref(), Some(path)]), detail))
}

/// Returns the method, URL and status of a request that a segment answers.
fn served_request(http: &Http) -> String {
    let url = http.url.as_deref().map(format::split_url).map(|(host, path)| format!("{host}{path}"));
    joined([http.method.as_deref(), url.as_deref(), status(http).as_deref()])
}

fn status(http: &Http) -> Option<String> {
    http.status.map(|status| status.to_string())
}

fn joined<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
