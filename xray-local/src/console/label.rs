//! The label of a segment or subsegment on the timeline.

use serde_json::Value;

use super::format;
use crate::document::{Document, Http, Kind, Namespace};
use crate::url;

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
            (document.name.clone(), http.map(|http| served_request(document, http)).unwrap_or_default())
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
    Some((document.operation()?, document.name.clone()))
}

/// Returns the method and path of an HTTP call, and its host and status.
fn request(document: &Document) -> Option<(String, String)> {
    let http = document.http.as_ref()?;
    let (host, path) = url::split(http.url.as_deref()?);
    let path = if path.is_empty() { "/" } else { path };
    // The name of a call is often its host, which need not be shown twice. The port distinguishes services on one host.
    let name = Some(document.name.as_str()).filter(|name| !is_host(host, name));
    let host = Some(host).filter(|host| !host.is_empty());
    let detail = joined([name, host, status(http).as_deref()]);
    Some((joined([http.method.as_deref(), Some(path)]), detail))
}

/// Returns the method, URL and status of a request that a segment answers. The host is left out if it is the segment's
/// name.
fn served_request(document: &Document, http: &Http) -> String {
    let url = http.url.as_deref().map(url::split).map(|(host, path)| {
        let host = if is_host(host, &document.name) && !path.is_empty() { "" } else { host };
        format!("{host}{path}")
    });
    joined([http.method.as_deref(), url.as_deref(), status(http).as_deref()])
}

/// Returns whether a name is the host of a URL. The authority may have a port, and an IPv6 address has brackets there.
fn is_host(authority: &str, name: &str) -> bool {
    let host = url::host(authority);
    let bare = host.trim_matches(['[', ']']);
    !authority.is_empty() && [authority, host, bare].iter().any(|host| host.eq_ignore_ascii_case(name))
}

fn status(http: &Http) -> Option<String> {
    http.status.map(|status| status.to_string())
}

fn joined<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn texts(document: &Value) -> (String, String) {
        let mut whole = json!({ "id": "000000000000000a", "trace_id": "1-581cf771-000000000000000000000001", "start_time": 1, "end_time": 2 });
        whole.as_object_mut().unwrap().extend(document.as_object().unwrap().clone());
        let Label { name, detail } = Label::of(&Document::from_value(whole).unwrap());
        (name, detail)
    }

    #[test]
    fn a_host_is_shown_once() {
        for (name, url, detail) in [
            ("127.0.0.1", "http://127.0.0.1:3000/items", "127.0.0.1:3000 200"),
            ("::1", "http://[::1]:3000/items", "[::1]:3000 200"),
            ("[::1]", "http://[::1]/items", "[::1] 200"),
            ("stock.example.com", "https://Stock.example.com/items", "Stock.example.com 200"),
            ("stock", "http://127.0.0.1:3000/items", "stock 127.0.0.1:3000 200"),
            ("stock", "/items", "stock 200"),
            ("", "/items", " 200"),
        ] {
            let http = json!({ "request": { "method": "GET", "url": url }, "response": { "status": 200 } });
            let call = json!({ "type": "subsegment", "parent_id": "000000000000000b", "name": name, "namespace": "remote", "http": http });
            assert_eq!(texts(&call), ("GET /items".to_owned(), detail.to_owned()), "{url}");
        }
    }

    #[test]
    fn the_segment_of_a_request_shows_the_host_if_it_is_not_its_name() {
        for (name, url, detail) in [
            ("localhost", "http://localhost:3000/items", "GET /items 200"),
            ("localhost", "http://localhost:3000", "GET localhost:3000 200"),
            ("shop", "http://localhost:3000/items", "GET localhost:3000/items 200"),
        ] {
            let http = json!({ "request": { "method": "GET", "url": url }, "response": { "status": 200 } });
            let segment = json!({ "name": name, "http": http });
            assert_eq!(texts(&segment), (name.to_owned(), detail.to_owned()), "{url}");
        }
    }
}
