//! Documents that X-Ray would refuse, or take and not fully keep.

use maud::{Markup, html};

use super::elements::{age_of, worded};
use super::page::{Page, Section};
use super::state::Console;
use super::{format, link};
use crate::check::Finding;
use crate::document::TraceId;
use crate::store::{Report, Source};

pub(super) fn page(console: &Console) -> Markup {
    let revision = console.revision();
    let (reports, counters) = (console.store.reports(), console.store.counters());
    let content = html! {
        div.head {
            h1 { "Problems" }
            p { "Documents that X-Ray would refuse, and documents that it would take but that other receivers refuse or cut." }
        }
        div data-live {
            p.facts { (format::count(counters.rejected)) " rejected, " (format::count(counters.suspicious)) " suspicious of "
                (format::count(counters.received)) " received" }
            div.card {
                @if reports.is_empty() {
                    div.empty {
                        h2 { "No problems" }
                        p { "Every document so far is one that X-Ray takes as it is." }
                    }
                } @else {
                    ol.problems { @for (place, report) in reports.iter().enumerate() { (problem(place, report)) } }
                }
            }
        }
    };
    Page::new("Problems", Section::Problems, revision, content).render(console)
}

fn problem(place: usize, report: &Report) -> Markup {
    let is_rejected = report.findings.iter().any(Finding::is_rejection);
    let trace = report.trace_id.as_deref().and_then(TraceId::parse).map(|id| id.to_string());
    html! {
        li {
            header {
                @if is_rejected { span.tag.fault { "Rejected" } } @else { span.tag.error { "Suspicious" } }
                @if let Some(id) = &report.id { span { "document " b.mono { (id) } } }
                @if report.count > 1 { span.tag { (format::count(report.count)) " times" } }
                span.when { (age_of(format::seconds_of(report.at))) ", " (way(report.source)) }
            }
            ul.findings { @for finding in &report.findings { (explained(finding)) } }
            @if let Some(trace) = trace.filter(|_| !is_rejected) { a href=(link::trace(&trace)) { "Its trace" } }
            details #{ "problem-" (place) } {
                summary { "What arrived" }
                pre.text { (report.text) }
            }
        }
    }
}

fn explained(finding: &Finding) -> Markup {
    html! {
        li {
            div.field {
                @if finding.field.is_empty() { "document" } @else { (finding.field) }
                @if let Some(code) = finding.code { div { span.tag { (code) } } }
            }
            div {
                div.reason { (worded(&finding.reason)) }
                div.advice { (worded(&finding.advice)) }
            }
        }
    }
}

fn way(source: Source) -> &'static str {
    match source {
        Source::Udp => "over UDP",
        Source::Http => "over HTTP",
        Source::Replay => "from a recording",
    }
}
