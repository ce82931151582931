//! All of one segment or subsegment.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::elements::moment;
use super::page::{Page, Section};
use super::state::Console;
use super::{entity, format, link, status};
use crate::document::{Cause, Document, Exception, Http, StackFrame};
use crate::trace::Trace;

pub(super) fn page(console: &Console, trace: &str, id: &str) -> Option<Markup> {
    let trace = console.store.trace(trace)?;
    let document = trace.find(id)?;
    let back = format!("{}#{}", link::trace(&trace.id), link::row_id(document));
    let content = html! {
        p.crumbs { a href="/" { "Traces" } " / " a href=(back) { span.mono { (trace.id) } } " / " (document.name) }
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
                    (status::label(document.state()))
                    @if let Some(took) = document.duration() { b { (format::duration(took)) } }
                    (entity::tags(document))
                }
            }
            (overview(trace, document))
            @if let Some(http) = &document.http { (request(http)) }
            (sql(document.sql()))
            (block("AWS", &flat(document.aws()), None))
            @if let Some(cause) = &document.cause { (why(trace, cause)) }
            (block("Annotations", document.annotations(), Some(annotation_filter)))
            (metadata(document.metadata()))
            (raw(document))
        }
    }
}

fn overview(trace: &Trace, document: &Document) -> Markup {
    let parent = document.parent_id.as_deref();
    html! {
        dl.pairs {
            (pair("Kind", &html! { (entity::kind(document)) }))
            (pair("Id", &html! { span.mono { (document.id) } }))
            @if let Some(id) = parent {
                (pair("Parent", &html! {
                    @match trace.find(id) {
                        Some(parent) => { a href=(link::segment(parent)) { (parent.name) } " " span.mono { (id) } }
                        None => { span.mono { (id) } " (not here)" }
                    }
                }))
            }
            @if let Some(origin) = &document.origin { (pair("Origin", &html! { (origin) })) }
            @if let Some(user) = &document.user { (pair("User", &html! { (user) })) }
            (pair("Started", &html! {
                (moment(document.start_time)) " (+" (format::duration(document.start_time - trace.start())) ")"
            }))
        }
    }
}

fn pair(name: &str, value: &Markup) -> Markup {
    html! { dt { (name) } dd { (value) } }
}

fn request(http: &Http) -> Markup {
    html! {
        section.block {
            h2 { "HTTP" }
            dl.pairs {
                @if let Some(method) = &http.method { (pair("Method", &html! { (method) })) }
                // A text, not a link: its scheme may be any.
                @if let Some(url) = &http.url { (pair("URL", &html! { (url) })) }
                @if let Some(status) = http.status { (pair("Status", &html! { (status) })) }
                @if let Some(length) = http.content_length {
                    (pair("Length", &html! {
                        @match usize::try_from(length) {
                            Ok(length) => (format::bytes(length)),
                            Err(_) => { "unknown (" (length) ")" },
                        }
                    }))
                }
                @if let Some(agent) = &http.user_agent { (pair("User agent", &html! { (agent) })) }
                @if let Some(client) = &http.client_ip {
                    (pair("Client", &html! { (client) @if http.x_forwarded_for { " (X-Forwarded-For)" } }))
                }
            }
        }
    }
}

fn sql(sql: &Map<String, Value>) -> Markup {
    let others: Map<String, Value> = sql
        .iter()
        .filter(|(field, _)| *field != "sanitized_query")
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect();
    html! {
        @if !sql.is_empty() {
            section.block {
                h2 { "SQL" }
                @if let Some(query) = sql.get("sanitized_query").and_then(Value::as_str) { pre.text { (query) } }
                (pairs(&others, None))
            }
        }
    }
}

/// An expression that finds traces by a field of a block and its value.
type FilterOf = fn(&str, &Value) -> Option<String>;

fn block(title: &str, fields: &Map<String, Value>, filter: Option<FilterOf>) -> Markup {
    html! {
        @if !fields.is_empty() {
            section.block { h2 { (title) } (pairs(fields, filter)) }
        }
    }
}

/// Fields of objects within objects by their path: `ecs.container`.
fn flat(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for (field, value) in fields {
        if let Value::Object(inner) = value {
            all.extend(flat(inner).into_iter().map(|(inner, value)| (format!("{field}.{inner}"), value)));
        } else {
            all.insert(field.clone(), value.clone());
        }
    }
    all
}

fn pairs(fields: &Map<String, Value>, filter: Option<FilterOf>) -> Markup {
    html! {
        dl.pairs {
            @for (field, value) in fields {
                @let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                @let traces = filter.and_then(|filter| filter(field, value)).map(|filter| link::filtered(&filter));
                (pair(field, &html! {
                    @match traces {
                        Some(traces) => a href=(traces) title="Traces with this annotation" { (text) },
                        None => (text),
                    }
                }))
            }
        }
    }
}

fn annotation_filter(key: &str, value: &Value) -> Option<String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let value = match value {
        Value::String(text) => link::quoted(text),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    key.chars().all(is_plain).then(|| format!("annotation.{key} = {value}"))
}

fn metadata(metadata: &Map<String, Value>) -> Markup {
    html! {
        @if !metadata.is_empty() {
            section.block {
                h2 { "Metadata" }
                @for (namespace, values) in metadata {
                    h3 { (namespace) }
                    pre.text { (pretty(values)) }
                }
            }
        }
    }
}

fn raw(document: &Document) -> Markup {
    let parts = document.subsegments.len();
    html! {
        details.block #{ "raw-" (document.id) } {
            summary { "Raw JSON" @if parts > 0 { small { " without its " (format::counted(parts, "subsegment")) } } }
            pre.text { (pretty(&document.raw)) }
        }
    }
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// The exceptions behind the flags, or where they stand.
fn why(trace: &Trace, cause: &Cause) -> Markup {
    html! {
        section.block {
            h2 { "Cause" }
            @match cause {
                Cause::Exceptions(exceptions) => (chain(exceptions)),
                Cause::Reference(id) => (elsewhere(trace, id)),
            }
        }
    }
}

fn elsewhere(trace: &Trace, id: &str) -> Markup {
    let is_meant = |exception: &Exception| exception.id.as_deref() == Some(id);
    let recorded = trace.entities().find_map(|entity| {
        let exceptions = entity.cause.as_ref()?.exceptions();
        exceptions.iter().any(is_meant).then_some((entity, exceptions))
    });
    html! {
        @match recorded {
            Some((entity, exceptions)) => {
                p.because { "As recorded in " a href=(link::segment(entity)) { (entity.name) } ":" }
                (chain(exceptions))
            }
            None => p { "Exception " span.mono { (id) } ", which is recorded nowhere in this trace." }
        }
    }
}

fn chain(exceptions: &[Exception]) -> Markup {
    let is_cause = |id: Option<&str>| id.is_some() && exceptions.iter().any(|other| other.cause.as_deref() == id);
    html! {
        ol.exceptions {
            @for exception in exceptions {
                li {
                    @if is_cause(exception.id.as_deref()) { p.because { "caused by" } }
                    p.kind { (exception.kind.as_deref().unwrap_or("Exception")) @if exception.remote { " " span.tag { "remote" } } }
                    @if let Some(message) = &exception.message { p.message { (message) } }
                    (stack(&exception.stack))
                    @if let Some(truncated) = exception.truncated.filter(|count| *count > 0) {
                        p.because { (truncated) " more frames were left out" }
                    }
                    @if let Some(skipped) = exception.skipped.filter(|count| *count > 0) {
                        p.because { (skipped) " exceptions were left out here" }
                    }
                }
            }
        }
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
