//! The page of problems: the documents that X-Ray would reject, or would accept in part.

use maud::{Markup, html};

use super::elements::{age, with_inline_code};
use super::page::{Page, Section};
use super::state::Console;
use super::{format, link};
use crate::check::Finding;
use crate::document::TraceId;
use crate::store::{Report, Source};

/// Renders the page.
pub(super) fn page(console: &Console) -> Markup {
    let revision = console.revision();
    let (reports, counters) = (console.store.reports(), console.store.counters());
    let content = html! {
        div.head {
            h1 { "Problems" }
            p {
                "Rejected: X-Ray would refuse the document. Suspicious: X-Ray would accept the document, but would drop a \
                 part of it, or another receiver would refuse it."
            }
        }
        div data-live {
            p.facts {
                (format::count(counters.rejected)) " rejected and " (format::count(counters.suspicious)) " suspicious of "
                (format::count_of(counters.received, "received document"))
            }
            div.card {
                @if reports.is_empty() {
                    div.empty {
                        h2 { "No problems" }
                        p { "X-Ray would accept every document received so far." }
                    }
                } @else {
                    ol.problems { @for (index, report) in reports.iter().enumerate() { (problem(index, report)) } }
                }
            }
        }
    };
    Page::new("Problems", Section::Problems, revision, content).render(console)
}

fn problem(index: usize, report: &Report) -> Markup {
    let is_rejected = report.is_rejection();
    // Parsed first: the text of a document must not reach the path of a link unless it is a trace id.
    let trace = report.trace_id.as_deref().and_then(TraceId::parse).map(|id| id.to_string());
    html! {
        li {
            header {
                @if is_rejected { span.tag.fault { "Rejected" } } @else { span.tag.error { "Suspicious" } }
                @if let Some(id) = &report.id { span { "document " b.mono { (id) } } }
                @if report.count > 1 { span.tag { (format::count(report.count)) " times" } }
                span.when { (age(format::unix_seconds(report.at))) ", " (source(report.source)) }
            }
            ul.findings { @for finding in &report.findings { (explanation(finding)) } }
            // A rejected document is in no trace.
            @if let Some(trace) = trace.filter(|_| !is_rejected) { a href=(link::trace(&trace)) { "Show the trace" } }
            details #{ "problem-" (index) } {
                summary { "Received text" }
                pre.text { (report.text) }
            }
        }
    }
}

fn explanation(finding: &Finding) -> Markup {
    html! {
        li {
            div.field {
                @if finding.field.is_empty() { "document" } @else { (finding.field) }
                @if let Some(code) = finding.code { div { span.tag { (code) } } }
            }
            div {
                div.reason { (with_inline_code(&finding.reason)) }
                div.advice { (with_inline_code(&finding.advice)) }
            }
        }
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Udp => "over UDP",
        Source::Http => "over HTTP",
        Source::Otlp => "as a span",
        Source::Replay => "from a recording",
    }
}
