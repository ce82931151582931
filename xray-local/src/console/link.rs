//! Addresses of pages, and the filter expressions in them.
//!
//! Names, annotations and the ids of segments come from documents and may hold any character. In an address, such a
//! value is a parameter of the query, so the query serializer escapes it. A string of a filter expression goes through
//! [`quote`] first. Only trace ids, whose characters are known, are in the path.

use form_urlencoded::Serializer;

use crate::document::Document;

/// Returns the address of the traces that match a filter expression.
pub(super) fn traces(filter: &str) -> String {
    with_query("/", &[("filter", filter)])
}

/// Returns the address of the next page of the list: the traces older than the trace with the id `before`.
pub(super) fn older_traces(filter: &str, before: &str) -> String {
    with_query("/", &[("filter", filter), ("before", before)])
}

/// Returns the address of a trace's timeline. A trace id holds only hexadecimal digits and hyphens, so the id needs no
/// escaping.
pub(super) fn trace(id: &str) -> String {
    format!("/traces/{id}")
}

/// The value of the parameter `inferred` that shows inferred segments in the timeline.
pub(super) const SHOW_INFERRED: &str = "show";

/// Like [`trace`], but the timeline shows inferred segments.
pub(super) fn trace_with_inferred(id: &str) -> String {
    with_query(&trace(id), &[("inferred", SHOW_INFERRED)])
}

/// Returns the address of the details of a segment or subsegment.
pub(super) fn segment(document: &Document) -> String {
    with_query(&format!("/traces/{}/segment", document.trace_id), &[("id", &document.id)])
}

/// Returns the address of the service map. `minutes` restricts the map to the traces of the last minutes. `zoom` is a
/// percentage; without it the map fits the window.
pub(super) fn map(minutes: Option<u32>, zoom: Option<u32>) -> String {
    let text = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
    with_query("/map", &[("minutes", &text(minutes)), ("zoom", &text(zoom))])
}

/// Returns the `id` attribute of a segment's row in the timeline. Its prefix prevents a document with the id `main`,
/// for instance, from taking the `id` of another element of the page.
pub(super) fn row_id(document: &Document) -> String {
    format!("s-{}", document.id)
}

/// Returns the address of the traces in which a service takes part.
pub(super) fn traces_through_service(name: &str) -> String {
    traces(&format!("service({})", quote(name)))
}

/// Returns the address of the traces in which one service calls another.
pub(super) fn traces_through_edge(from: &str, to: &str) -> String {
    traces(&format!("edge({}, {})", quote(from), quote(to)))
}

/// Writes a text as a string of a filter expression.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Appends a query with the parameters whose value is not empty.
fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut serializer = Serializer::new(String::new());
    serializer.extend_pairs(parameters.iter().filter(|(_, value)| !value.is_empty()));
    match serializer.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::TraceId;
    use crate::filter::Filter;
    use crate::trace::Trace;

    #[test]
    fn a_filter_stays_within_its_parameter() {
        assert_eq!(traces(""), "/");
        assert_eq!(traces("a&b=c#d"), "/?filter=a%26b%3Dc%23d");
        assert_eq!(older_traces("fault", "1-2"), "/?filter=fault&before=1-2");
    }

    #[test]
    fn a_filter_finds_a_service_whatever_characters_its_name_holds() {
        assert_eq!(traces_through_service("shop"), "/?filter=service%28%22shop%22%29");
        let name = r#"a "b" \ ' c"#;
        let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
        let trace_of = |name: &str| {
            let document = serde_json::json!({
                "id": "a1", "trace_id": id.to_string(), "name": name, "start_time": 1, "end_time": 2
            });
            Trace::of(id, Document::from_value(document))
        };
        let filter = Filter::parse(&format!("service({})", quote(name))).unwrap();
        assert!(filter.matches(&trace_of(name)));
        assert!(!filter.matches(&trace_of("a")));
    }
}
