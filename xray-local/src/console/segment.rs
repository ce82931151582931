//! The details of one segment or subsegment, as a page and in the panel beside the timeline.

use maud::{Markup, html};
use serde::Serialize;
use serde_json::{Map, Value};

use super::elements::date_time;
use super::page::{Page, Section};
use super::state::Console;
use super::timeline::{PAGE_ROWS, View, times_within};
use super::{curl, entity, format, link, logs, status};
use crate::document::{Cause, Document, Exception, Http, StackFrame, StandIn, TraceId};
use crate::trace::Trace;

/// Renders the page. Returns `None` if the store does not hold the trace, or the trace has no such segment.
pub(super) fn page(console: &Console, trace: &str, id: &str) -> Option<Markup> {
    let trace = console.trace(trace)?;
    let document = trace.find(id)?;
    // The rows of a long trace are on several pages.
    let is_long = trace.entities().nth(PAGE_ROWS).is_some();
    let view = View::at(if is_long { &document.id } else { "" }, document.inferred);
    let timeline = link::at_row(&view.address(&trace.id), document);
    let content = html! {
        p.crumbs { a href="/" { "Traces" } " / " a href=(timeline) { span.mono { (trace.id) } } " / " (document.name) }
        // The script takes the content of this element into the panel beside the timeline.
        div.card data-segment { (card(&trace, document)) }
    };
    Some(Page::new(&document.name, Section::Traces, console.revision(), content).render(console))
}

fn card(trace: &Trace, document: &Document) -> Markup {
    html! {
        article.segment-card {
            header {
                h1 { (document.name) }
                p {
                    @if document.stand_in.is_none() { (status::label(document.state())) }
                    @if let Some(seconds) = document.duration() { b { (format::duration(seconds)) } }
                    (entity::tags(document))
                }
            }
            @if let Some(stand_in) = document.stand_in { p.note { (explanation(stand_in)) } }
            (overview(trace, document))
            @if let Some(http) = &document.http { (request(http)) }
            (sql(document.sql()))
            (block("AWS", &aws(document), None))
            (logs::logs(document))
            @if let Some(cause) = &document.cause { (self::cause(trace, cause)) }
            (links(document))
            (block("Annotations", document.annotations(), Some(annotation_filter)))
            (metadata(document.metadata()))
            @if document.stand_in.is_none() { (raw_json(document)) }
        }
    }
}

/// Returns the fields of the `aws` block, without the log groups, which have a block of their own.
fn aws(document: &Document) -> Map<String, Value> {
    let mut fields = flatten(document.aws());
    if fields.get(logs::FIELD).is_some_and(Value::is_array) {
        fields.remove(logs::FIELD);
    }
    fields
}

/// Returns why a segment was not received.
fn explanation(stand_in: StandIn) -> &'static str {
    match stand_in {
        StandIn::Lambda => {
            "AWS sends this segment. It was not received here, so only its subsegments are known: their parent was not \
             received, and they were sent as SDKs send the subsegments of a Lambda function."
        }
        StandIn::Rejected => "This segment was received, but X-Ray would reject it. The page of problems says why.",
        StandIn::Unknown => {
            "Subsegments name this segment as their parent, but it was not received. It has not ended, was lost, or \
             was sent with a different trace ID."
        }
    }
}

fn overview(trace: &Trace, document: &Document) -> Markup {
    html! {
        dl.pairs {
            (pair("Kind", &html! { (entity::kind(document)) }))
            (pair("ID", &html! {
                span.mono { (document.id) }
                button.copy type="button" data-copy=(document.id) hidden { "Copy" }
            }))
            @if let Some(id) = document.parent_id.as_deref() {
                (pair("Parent", &html! {
                    @match trace.find(id) {
                        Some(parent) => { a href=(link::segment(parent)) { (parent.name) } " " span.mono { (id) } }
                        None => { span.mono { (id) } " (not in this trace)" }
                    }
                }))
            }
            @if let Some(origin) = &document.origin { (pair("Origin", &html! { (origin) })) }
            @if let Some(user) = &document.user { (pair("User", &html! { (user) })) }
            (pair("Started", &html! {
                (date_time(document.start_time)) " (+" (format::duration(document.start_time - trace.start())) ")"
            }))
            (times(trace, document))
        }
        p.actions { a.small href=(zoomed(trace, document)) data-key="z" { "Zoom to this" } }
    }
}

/// Renders the self time, and the part of the critical path.
fn times(trace: &Trace, document: &Document) -> Markup {
    let Some(times) = times_within(trace, document) else { return html! {} };
    let critical = times.critical_seconds();
    let all = trace.root().and_then(Document::duration).filter(|all| *all > 0.0);
    html! {
        @if let Some(own) = times.own { (pair("Self time", &html! { (format::duration(own)) })) }
        @if critical > 0.0 {
            (pair("Critical path", &html! {
                (format::duration(critical))
                @if let Some(all) = all { " (" (format_args!("{:.0}", (critical / all * 100.0).min(100.0))) " %)" }
            }))
        }
    }
}

/// Returns the address of the timeline of the time in which a segment or subsegment runs.
fn zoomed(trace: &Trace, document: &Document) -> String {
    let (start, last) = (trace.start(), trace.end().unwrap_or(document.start_time));
    let range = (document.start_time - start, document.end_time.unwrap_or(last) - start);
    let view = View::at("", document.inferred).with_range(Some(range));
    link::at_row(&view.address(&trace.id), document)
}

fn pair(name: &str, value: &Markup) -> Markup {
    html! { dt { (name) } dd { (value) } }
}

/// Renders the links to segments of other traces, such as those of the senders of messages.
fn links(document: &Document) -> Markup {
    // Text that is not a trace id is left out, because it would become part of an address.
    let ids = document.links().filter_map(|link| TraceId::parse(link.trace_id));
    let ids: Vec<_> = ids.map(|id| id.to_string()).collect();
    html! {
        @if !ids.is_empty() {
            section.block {
                h2 { "Linked traces" }
                ul { @for id in &ids { li { a.mono href=(link::trace(id)) { (id) } } } }
            }
        }
    }
}

fn request(http: &Http) -> Markup {
    html! {
        section.block {
            h2 { "HTTP" }
            dl.pairs {
                @if let Some(method) = &http.method { (pair("Method", &html! { (method) })) }
                // Not a link: the URL comes from the document, and its scheme may be `javascript:`.
                @if let Some(url) = &http.url {
                    (pair("URL", &html! {
                        (url)
                        @if let Some(command) = curl::command(http) {
                            button.copy #copy-curl type="button" data-copy=(command) hidden { "Copy as curl" }
                        }
                    }))
                }
                @if let Some(status) = http.status { (pair("Status", &html! { (status) })) }
                @if let Some(length) = http.content_length { (pair("Length", &content_length(length))) }
                @if let Some(agent) = &http.user_agent { (pair("User agent", &html! { (agent) })) }
                @if let Some(client) = &http.client_ip {
                    (pair("Client IP", &html! { (client) @if http.x_forwarded_for { " (X-Forwarded-For)" } }))
                }
            }
        }
    }
}

/// Renders the length of a response. Some SDKs send -1 for a response without a `Content-Length`.
fn content_length(length: i64) -> Markup {
    html! {
        @match usize::try_from(length) {
            Ok(length) => (format::bytes(length)),
            Err(_) => { "unknown (" (length) ")" },
        }
    }
}

/// The field of the `sql` block that holds the query.
const QUERY: &str = "sanitized_query";

fn sql(sql: &Map<String, Value>) -> Markup {
    let others = sql.iter().filter(|(field, _)| *field != QUERY);
    let others: Map<String, Value> = others.map(|(field, value)| (field.clone(), value.clone())).collect();
    html! {
        @if !sql.is_empty() {
            section.block {
                h2 { "SQL" }
                @if let Some(query) = sql.get(QUERY).and_then(Value::as_str) { pre.text { (query) } }
                (pairs(&others, None))
            }
        }
    }
}

/// A function that returns the filter expression for a field of a block and its value, or `None` if no expression can
/// find the value.
type FieldFilter = fn(&str, &Value) -> Option<String>;

fn block(title: &str, fields: &Map<String, Value>, filter: Option<FieldFilter>) -> Markup {
    html! {
        @if !fields.is_empty() {
            section.block { h2 { (title) } (pairs(fields, filter)) }
        }
    }
}

/// Replaces nested objects by their fields, each named by its path: `{"ecs": {"container": 1}}` becomes
/// `{"ecs.container": 1}`.
fn flatten(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut flat = Map::new();
    for (field, value) in fields {
        if let Value::Object(inner) = value {
            flat.extend(flatten(inner).into_iter().map(|(inner, value)| (format!("{field}.{inner}"), value)));
        } else {
            flat.insert(field.clone(), value.clone());
        }
    }
    flat
}

fn pairs(fields: &Map<String, Value>, filter: Option<FieldFilter>) -> Markup {
    html! {
        dl.pairs {
            @for (field, value) in fields {
                @let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                @let traces = filter.and_then(|filter| filter(field, value)).map(|filter| link::traces(&filter));
                (pair(field, &html! {
                    @match traces {
                        Some(traces) => a href=(traces) title="Show traces with this annotation" { (text) },
                        None => (text),
                    }
                }))
            }
        }
    }
}

/// Returns the filter expression for an annotation. Returns `None` for a key that X-Ray does not allow: it could not be
/// written in an expression.
fn annotation_filter(key: &str, value: &Value) -> Option<String> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let value = match value {
        Value::String(text) => link::quote(text),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    key.chars().all(is_allowed).then(|| format!("annotation.{key} = {value}"))
}

fn metadata(metadata: &Map<String, Value>) -> Markup {
    html! {
        @if !metadata.is_empty() {
            section.block {
                h2 { "Metadata" }
                @for (namespace, values) in metadata {
                    h3 { (namespace) }
                    pre.text { (pretty_json(values)) }
                }
            }
        }
    }
}

fn raw_json(document: &Document) -> Markup {
    let subsegments = document.subsegments.len() as u64;
    html! {
        details.block #{ "raw-" (document.id) } {
            summary {
                "Raw JSON"
                @if subsegments > 0 { small { " without its " (format::count_of(subsegments, "subsegment")) } }
            }
            button.copy type="button" data-copy-of={ "json-" (document.id) } hidden { "Copy JSON" }
            pre.text #{ "json-" (document.id) } { (pretty_json(&document.raw)) }
        }
    }
}

fn pretty_json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Renders the exceptions that explain an error or a fault.
fn cause(trace: &Trace, cause: &Cause) -> Markup {
    html! {
        section.block {
            h2 { "Cause" }
            @match cause {
                Cause::Exceptions(exceptions) => (exception_chain(exceptions)),
                Cause::Reference(id) => (referenced_cause(trace, id)),
            }
        }
    }
}

/// Renders the exceptions that an id refers to. An exception that passes through several subsegments is sent once, and
/// the other documents hold only its id. (X-Ray developer guide, "Segment documents".)
fn referenced_cause(trace: &Trace, id: &str) -> Markup {
    let is_referenced = |exception: &Exception| exception.id.as_deref() == Some(id);
    let recorded = trace.entities().find_map(|entity| {
        let exceptions = entity.cause.as_ref()?.exceptions();
        exceptions.iter().any(is_referenced).then_some((entity, exceptions))
    });
    html! {
        @match recorded {
            Some((entity, exceptions)) => {
                p.note { "Recorded in " a href=(link::segment(entity)) { (entity.name) } ":" }
                (exception_chain(exceptions))
            }
            None => p { "No segment of this trace records the exception " span.mono { (id) } "." }
        }
    }
}

fn exception_chain(exceptions: &[Exception]) -> Markup {
    let is_cause = |id: Option<&str>| id.is_some() && exceptions.iter().any(|other| other.cause.as_deref() == id);
    html! {
        ol.exceptions {
            @for exception in exceptions {
                li {
                    @if is_cause(exception.id.as_deref()) { p.note { "caused by" } }
                    p.kind {
                        (exception.kind.as_deref().unwrap_or("Exception"))
                        @if exception.remote { " " span.tag { "remote" } }
                    }
                    @if let Some(message) = &exception.message { p.message { (message) } }
                    (stack(&exception.stack))
                    (omitted(exception.truncated, "more stack frame"))
                    (omitted(exception.skipped, "more exception"))
                }
            }
        }
    }
}

/// Renders how many frames or exceptions the SDK left out to keep the document small.
fn omitted(number: Option<i64>, noun: &str) -> Markup {
    let number = number.and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0);
    html! {
        @if let Some(number) = number { p.note { (format::count_of(number, noun)) " not recorded" } }
    }
}

fn stack(frames: &[StackFrame]) -> Markup {
    html! {
        @if !frames.is_empty() {
            ol.stack {
                @for frame in frames {
                    li {
                        (frame.label.as_deref().unwrap_or("?")) " "
                        span.place {
                            (frame.path.as_deref().unwrap_or_default()) @if let Some(line) = frame.line { ":" (line) }
                        }
                    }
                }
            }
        }
    }
}
