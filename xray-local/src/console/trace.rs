//! The page of one trace: the summary of the trace, its timeline, and the details of the selected segment.

use std::collections::HashSet;

use maud::{Markup, html};

use super::elements::{date_time, with_inline_code};
use super::page::{Page, Section};
use super::state::Console;
use super::timeline::View;
use super::{entity, format, link, status, timeline};
use crate::document::{Document, Kind, StandIn};
use crate::service::ServiceId;
use crate::trace::Trace;
use crate::url;

/// The longest title. A URL may be thousands of characters long.
const MAX_TITLE_CHARS: usize = 300;

/// Renders the page. Returns `None` if the store does not hold the trace.
pub(super) fn page(console: &Console, id: &str, view: &View) -> Option<Markup> {
    let trace = console.trace(id)?;
    let title = title(&trace);
    let changes = format!("/changes?trace={}", trace.id);
    let content = html! {
        p.crumbs {
            a href="/" { "Traces" } " / " span.mono { (trace.id) }
            button.copy type="button" data-copy=(trace.id) hidden { "Copy" }
        }
        div data-live {
            (facts(&trace, &title))
            (notices(&trace))
            (others(&trace))
        }
        div.trace {
            div {
                (timeline::tools(&trace, view))
                div data-live { (timeline::timeline(&trace, view)) }
            }
            // Not `data-live`: an update must not remove the details that the user is reading.
            aside.card aria-label="Selected segment" data-details {
                p.aside-empty { "Select a bar to see its request, cause, annotations, metadata and raw JSON." }
            }
        }
    };
    let page = Page { title: &title, section: Some(Section::Traces), changes: (&changes, trace.revision), content };
    Some(page.render(console))
}

/// Returns the method and URL of the trace's request. Returns the name of the main segment if there is no request, and
/// the trace id if there is no segment.
pub(super) fn title(trace: &Trace) -> String {
    let main = entity::main_segment(trace);
    let http = main.and_then(|main| main.http.as_ref());
    let request = http.and_then(|http| Some((http.method.as_deref()?, http.url.as_deref()?)));
    match (request, main) {
        (Some((method, url)), _) => format::truncate(&format!("{method} {url}"), MAX_TITLE_CHARS),
        (None, Some(main)) => main.name.clone(),
        (None, None) => trace.id.clone(),
    }
}

/// Renders the title as a heading. Shows the path before the host, because the path says more about the request.
fn heading(title: &str) -> Markup {
    let (method, url) = title.split_once(' ').unwrap_or_default();
    let (host, path) = url::split(url);
    html! {
        h1 {
            @if host.is_empty() || path.len() < 2 { (title) } @else { (method) " " (path) " " span.host { (host) } }
        }
    }
}

fn facts(trace: &Trace, title: &str) -> Markup {
    let main = entity::main_segment(trace);
    let http = main.and_then(|main| main.http.as_ref());
    let is_of_service = |segment: &&Document| matches!(segment.stand_in, None | Some(StandIn::Lambda));
    let services: HashSet<ServiceId> = trace.segments.iter().filter(is_of_service).map(ServiceId::of).collect();
    let inferred = trace.segments.iter().filter(|segment| segment.inferred).count();
    let is_received = |segment: &&Document| segment.kind == Kind::Segment && segment.stand_in.is_none();
    let segments = trace.segments.iter().filter(is_received).count();
    let subsegments = trace.entities().filter(|entity| entity.kind == Kind::Subsegment).count();
    let response_time = trace.response_time().map(format::duration);
    // Work that goes on after the response makes the duration longer than the response time. Equal texts are shown
    // once.
    let duration = trace.duration().map(format::duration).filter(|duration| response_time.as_ref() != Some(duration));
    html! {
        div.head { (heading(title)) }
        dl.facts {
            (fact("Status", &status::label(trace.state())))
            @if let Some(code) = http.and_then(|http| http.status) { (fact("Code", &html! { (code) })) }
            @if let Some(response_time) = &response_time { (fact("Response time", &html! { (response_time) })) }
            @if let Some(duration) = &duration { (fact("Duration", &html! { (duration) })) }
            (fact("Started", &date_time(trace.start())))
            (fact("Segments", &html! {
                (segments) @if inferred > 0 { small { " (" (inferred) " inferred)" } } ", "
                (format::count_of(subsegments as u64, "subsegment"))
            }))
            (fact("Services", &html! { (services.len()) }))
            @if let Some(user) = main.and_then(|main| main.user.as_deref()) { (fact("User", &html! { (user) })) }
            @if let Some(client) = http.and_then(|http| http.client_ip.as_deref()) {
                (fact("Client IP", &html! { (client) }))
            }
        }
    }
}

fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// Renders the links to other traces and to the files of this one.
fn others(trace: &Trace) -> Markup {
    let root = entity::main_segment(trace);
    html! {
        nav.others aria-label="This trace and others" {
            a href=(link::flame(&trace.id)) { "Flame graph" }
            a href=(link::compare(&trace.id, "")) { "Compare" }
            @if let Some(root) = root { a href=(link::traces_like(&root.name, trace.state())) { "More like this" } }
            a href="/recent" { "Slowest and failing" }
            a href=(link::download(&trace.id, "")) download { "Download JSON" }
            a href=(link::download(&trace.id, "otlp")) download { "Download OTLP" }
        }
    }
}

/// Renders a notice for each reason why the trace is incomplete, or would be incomplete in X-Ray.
fn notices(trace: &Trace) -> Markup {
    let is_orphan = |entity: &&Document| entity.orphan && entity.kind == Kind::Subsegment;
    let orphans = trace.entities().filter(is_orphan).count() as u64;
    let has_stand_in = |reason| trace.segments.iter().any(|segment| segment.stand_in == Some(reason));
    let unanswered = unanswered(trace);
    html! {
        @if trace.is_partial() {
            p.notice {
                "Some segments are still open; their bars extend to the right edge. Either they are running, or their \
                 end was never sent."
            }
        }
        @if has_stand_in(StandIn::Lambda) {
            p.notice {
                (StandIn::Lambda.explanation()) " Its subsegments were sent by themselves, as SDKs do in a function."
            }
        }
        @if has_stand_in(StandIn::Rejected) {
            p.notice.bad {
                span { (StandIn::Rejected.explanation()) " " a href="/problems" { "Show the problems" } }
            }
        }
        @if orphans > 0 {
            p.notice {
                "The parent of " (format::count_of(orphans, "subsegment")) " is missing. It has not arrived, or it was \
                 sent with a different trace ID."
            }
        }
        @if let Some(explanation) = trace.missing_parents() {
            p.notice {
                span {
                    (with_inline_code(&explanation)) " If the parent was rejected, the "
                    a href="/problems" { "page of problems" } " says why."
                }
            }
        }
        @if unanswered > 0 {
            p.notice {
                "The segment of the called service is missing for " (format::count_of(unanswered, "call")) ". The SDK \
                 marked the calls as traced, but the segment has not arrived."
            }
        }
        @if trace.limit_exceeded {
            p.notice.bad {
                "This trace is larger than 500 kB, the maximum that X-Ray keeps of one trace. X-Ray would drop part of \
                 it."
            }
        }
    }
}

/// Returns the number of calls whose callee sends its own segment, and that segment has not arrived.
fn unanswered(trace: &Trace) -> u64 {
    let answered: HashSet<&str> = trace.segments.iter().filter_map(|segment| segment.parent_id.as_deref()).collect();
    trace.entities().filter(|entity| entity.traced && !answered.contains(entity.id.as_str())).count() as u64
}
