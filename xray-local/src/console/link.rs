//! Addresses of pages, and the filter expressions in them.
//!
//! Names, annotations and the ids of segments come from documents and may hold any character. In an address, such a
//! value is a parameter of the query, so the query serializer escapes it. A string of a filter expression goes through
//! [`quote`] first. Only trace ids, whose characters are known, are in the path.

use form_urlencoded::Serializer;

use crate::document::{Document, State};

/// Returns the address of the traces that match a filter expression.
pub(super) fn traces(filter: &str) -> String {
    with_query("/", &[("filter", filter)])
}

/// Like [`traces`], but only the traces in a range of time. `range` has the parameters of the range.
pub(super) fn traces_in(filter: &str, range: &[(&str, &str)]) -> String {
    with_query("/", &[&[("filter", filter)], range].concat())
}

/// Returns the address of the statistics of the traces that match a filter expression: by `by`, sorted by `sort`.
pub(super) fn statistics(filter: &str, by: &str, sort: &str, range: &[(&str, &str)]) -> String {
    with_query("/", &[&[("filter", filter), ("by", by), ("sort", sort)], range].concat())
}

/// The value of the parameter `read` with which the statistics cover all traces, however long that takes.
pub(super) const READ_ALL: &str = "all";

/// Returns the address of a page of the list whose statistics cover all traces.
pub(super) fn with_all_read(filter: &str, before: &str, by: &str, sort: &str, range: &[(&str, &str)]) -> String {
    let own = [("filter", filter), ("before", before), ("by", by), ("sort", sort), ("read", READ_ALL)];
    with_query("/", &[&own, range].concat())
}

/// Returns the address of the next page of the list: the traces older than the trace with the id `before`.
pub(super) fn older_traces(filter: &str, before: &str, range: &[(&str, &str)]) -> String {
    with_query("/", &[&[("filter", filter), ("before", before)], range].concat())
}

/// Returns the address of a trace's timeline. A trace id holds only hexadecimal digits and hyphens, so the id needs no
/// escaping.
pub(super) fn trace(id: &str) -> String {
    format!("/traces/{id}")
}

/// The value of the parameter `inferred` that shows inferred segments in the timeline.
pub(super) const SHOW_INFERRED: &str = "show";

/// Returns the address of a trace's flame graph.
pub(super) fn flame(id: &str) -> String {
    format!("/traces/{id}/flame")
}

/// Returns the address of the comparison of two traces. With an empty `other` the page offers traces to compare with.
pub(super) fn compare(id: &str, other: &str) -> String {
    with_query("/compare", &[("a", id), ("b", other)])
}

/// Returns the address of a trace as a file. `format` is `otlp`, or empty for the form of `BatchGetTraces`.
pub(super) fn download(id: &str, format: &str) -> String {
    with_query(&format!("/traces/{id}.json"), &[("format", format)])
}

/// Returns the address of the traces through a service that end in a state.
pub(super) fn traces_like(service: &str, state: State) -> String {
    let flag = match state {
        State::Ok => "ok",
        State::Error => "error",
        State::Throttle => "throttle",
        State::Fault => "fault",
        State::InProgress => "partial",
    };
    traces(&format!("service({}) AND {flag}", quote(service)))
}

/// Returns the address of the details of a segment or subsegment.
pub(super) fn segment(document: &Document) -> String {
    with_query(&format!("/traces/{}/segment", document.trace_id), &[("id", &document.id)])
}

/// Returns the address of the service map with these parameters.
pub(super) fn map(parameters: &[(&str, &str)]) -> String {
    with_query("/map", parameters)
}

/// Returns the `id` attribute of a segment's row in the timeline. Its prefix prevents a document with the id `main`,
/// for instance, from taking the `id` of another element of the page.
pub(super) fn row_id(document: &Document) -> String {
    format!("s-{}", document.id)
}

/// Returns the condition on the traces in which a service takes part. `selector` is its quoted name or an `id(..)`.
/// `condition` describes its segments and may be empty.
pub(super) fn service_condition(selector: &str, condition: &str) -> String {
    format!("service({selector}){}", in_braces(condition))
}

/// Returns the condition on the traces in which one service calls another. `from` and `to` are like the selector of
/// [`service_condition`]. `condition` describes the calls and may be empty.
pub(super) fn edge_condition(from: &str, to: &str, condition: &str) -> String {
    format!("edge({from}, {to}){}", in_braces(condition))
}

/// Appends the segment's row in the timeline to the address of a page. An id may hold any character, so it is escaped.
pub(super) fn at_row(address: &str, document: &Document) -> String {
    let fragment: String = form_urlencoded::byte_serialize(row_id(document).as_bytes()).collect();
    // Only a query has `+` in place of a space.
    format!("{address}#{}", fragment.replace('+', "%20"))
}

fn in_braces(condition: &str) -> String {
    if condition.is_empty() { String::new() } else { format!(" {{ {condition} }}") }
}

/// Writes a text as a string of a filter expression.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Appends a query with the parameters whose value is not empty.
pub(super) fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
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
        assert_eq!(older_traces("fault", "1-2", &[("minutes", "5")]), "/?filter=fault&before=1-2&minutes=5");
    }

    #[test]
    fn the_row_of_any_id_is_escaped() {
        for (id, address) in [("70de5b6f19ff9a0a", "/a#s-70de5b6f19ff9a0a"), ("100% +é#", "/a#s-100%25%20%2B%C3%A9%23")]
        {
            let document = serde_json::json!({ "id": id, "trace_id": "1-2-3", "name": "n", "start_time": 1 });
            assert_eq!(at_row("/a", &Document::from_value(document).unwrap()), address);
        }
    }

    #[test]
    fn a_filter_finds_a_service_whatever_characters_its_name_holds() {
        assert_eq!(service_condition(&quote("shop"), ""), "service(\"shop\")");
        assert_eq!(edge_condition(&quote("shop"), &quote("a"), "fault"), "edge(\"shop\", \"a\") { fault }");
        let name = r#"a "b" \ ' c"#;
        let id = TraceId::parse("1-5880168b-fd5153bb58284b67678aa78c").unwrap();
        let trace_of = |name: &str| {
            let document = serde_json::json!({
                "id": "a1", "trace_id": id.to_string(), "name": name, "start_time": 1, "end_time": 2
            });
            Trace::of(id, Document::from_value(document))
        };
        let filter = Filter::parse(&service_condition(&quote(name), "")).unwrap();
        assert!(filter.matches(&trace_of(name)));
        assert!(!filter.matches(&trace_of("a")));
    }
}
