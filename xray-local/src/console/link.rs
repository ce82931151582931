//! Addresses of pages, and the filter expressions in them.

use form_urlencoded::Serializer;

use crate::document::Document;

/// The list by a filter expression.
pub(super) fn filtered(filter: &str) -> String {
    with_query("/", &[("filter", filter)])
}

/// The list by a filter expression, from after a trace on.
pub(super) fn older(filter: &str, before: &str) -> String {
    with_query("/", &[("filter", filter), ("before", before)])
}

/// The timeline of a trace. Trace ids hold nothing that an address must escape.
pub(super) fn trace(id: &str) -> String {
    format!("/traces/{id}")
}

/// All of one segment or subsegment.
pub(super) fn segment(document: &Document) -> String {
    with_query(&format!("/traces/{}/segment", document.trace_id), &[("id", &document.id)])
}

/// The map of the last minutes (of all time without), at a size in hundredths (as it fits without).
pub(super) fn map(minutes: Option<u32>, zoom: Option<u32>) -> String {
    let text = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
    with_query("/map", &[("minutes", &text(minutes)), ("zoom", &text(zoom))])
}

/// The element of a segment's row in the timeline. The prefix keeps ids of documents apart from the page's own.
pub(super) fn row_id(document: &Document) -> String {
    format!("s-{}", document.id)
}

/// Traces in which a service takes part.
pub(super) fn through_service(name: &str) -> String {
    filtered(&format!("service({})", quoted(name)))
}

/// Traces in which one service calls another.
pub(super) fn through_edge(from: &str, to: &str) -> String {
    filtered(&format!("edge({}, {})", quoted(from), quoted(to)))
}

/// A string of a filter expression.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut written = Serializer::new(String::new());
    written.extend_pairs(query.iter().filter(|(_, value)| !value.is_empty()));
    match written.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_document_says_stays_within_its_parameter() {
        assert_eq!(filtered(""), "/");
        assert_eq!(filtered("a&b=c#d"), "/?filter=a%26b%3Dc%23d");
        assert_eq!(older("fault", "1-2"), "/?filter=fault&before=1-2");
    }

    #[test]
    fn names_are_strings_of_the_filter_whatever_they_hold() {
        assert_eq!(through_service("shop"), "/?filter=service%28%22shop%22%29");
        let name = r#"a "b" \ ' c"#;
        let filter = format!("service({})", quoted(name));
        let trace = crate::document::TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
        let document = |name: &str| {
            let document = serde_json::json!({"id": "a1", "trace_id": trace.to_string(), "name": name, "start_time": 1, "end_time": 2});
            crate::trace::Trace::of(trace, crate::document::Document::from_value(document))
        };
        let filter = crate::filter::Filter::parse(&filter).unwrap();
        assert!(filter.matches(&document(name)));
        assert!(!filter.matches(&document("a")));
    }
}
