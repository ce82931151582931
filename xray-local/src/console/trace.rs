//! The page of one trace.

use std::collections::HashSet;

use maud::{Markup, html};

use super::elements::moment;
use super::page::{Page, Section};
use super::state::Console;
use super::{entity, format, status, timeline};
use crate::document::{Document, Kind};
use crate::service::ServiceId;
use crate::trace::Trace;

pub(super) fn page(console: &Console, id: &str) -> Option<Markup> {
    let trace = console.store.trace(id)?;
    let title = title(&trace);
    let changes = format!("/changes?trace={}", trace.id);
    let content = html! {
        p.crumbs {
            a href="/" { "Traces" } " / " span.mono { (trace.id) }
            button.copy type="button" data-copy=(trace.id) hidden { "Copy" }
        }
        div data-live {
            (head(&trace, &title))
            (notices(&trace))
        }
        div.trace {
            div data-live { (timeline::timeline(&trace)) }
            aside.card aria-label="Selected segment" data-details {
                p.aside-empty { "Select a bar to see all of it: request, cause, annotations, metadata, raw JSON." }
            }
        }
    };
    let page = Page { title: &title, section: Some(Section::Traces), changes: (&changes, trace.revision), content };
    Some(page.render(console))
}

/// What the trace is about, in a line.
fn title(trace: &Trace) -> String {
    let root = entity::main_segment(trace);
    let request =
        root.and_then(|root| root.http.as_ref()).and_then(|http| Some((http.method.as_deref()?, http.url.as_deref()?)));
    match (request, root) {
        (Some((method, url)), _) => format::shortened(&format!("{method} {url}"), 300),
        (None, Some(root)) => root.name.clone(),
        (None, None) => trace.id.clone(),
    }
}

/// The same as a heading: the path before the host.
fn heading(title: &str) -> Markup {
    let (method, url) = title.split_once(' ').unwrap_or_default();
    let (host, path) = format::split_url(url);
    html! {
        h1 {
            @if host.is_empty() || path.len() < 2 { (title) } @else { (method) " " (path) " " span.host { (host) } }
        }
    }
}

fn head(trace: &Trace, title: &str) -> Markup {
    let root = entity::main_segment(trace);
    let services: HashSet<ServiceId> = trace.segments.iter().map(ServiceId::of).collect();
    let inferred = trace.segments.iter().filter(|segment| segment.inferred).count();
    let parts = trace.entities().filter(|entity| entity.kind == Kind::Subsegment).count();
    let segments = trace.segments.iter().filter(|segment| segment.kind == Kind::Segment).count();
    let http = root.and_then(|root| root.http.as_ref());
    let (response, duration) = (trace.response_time().map(format::duration), trace.duration().map(format::duration));
    html! {
        div.head { (heading(title)) }
        dl.facts {
            @if let Some(root) = root { (fact("Status", &status::label(root.state()))) }
            @if let Some(code) = http.and_then(|http| http.status) { (fact("Code", &html! { (code) })) }
            @if let Some(took) = &response { (fact("Response time", &html! { (took) })) }
            @if let Some(took) = duration.filter(|took| response.as_ref() != Some(took)) { (fact("Duration", &html! { (took) })) }
            (fact("Started", &moment(trace.start())))
            (fact("Segments", &html! {
                (segments) @if inferred > 0 { small { " (" (inferred) " inferred)" } } ", " (parts) " subsegments"
            }))
            (fact("Services", &html! { (services.len()) }))
            @if let Some(user) = root.and_then(|root| root.user.as_deref()) { (fact("User", &html! { (user) })) }
            @if let Some(client) = http.and_then(|http| http.client_ip.as_deref()) { (fact("Client", &html! { (client) })) }
        }
    }
}

fn fact(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// What is not yet, or no longer, as it should be.
fn notices(trace: &Trace) -> Markup {
    let orphans = trace.entities().filter(|entity| entity.orphan).count();
    let unanswered = trace.entities().filter(|entity| is_unanswered(trace, entity)).count();
    html! {
        @if trace.is_partial() {
            p.notice { "In progress: not all of this trace has ended. Bars that are open to the right are still under way, or were never completed." }
        }
        @if orphans > 0 {
            p.notice { (format::counted(orphans, "subsegment")) " without a parent: the segment has not arrived, or has another trace id." }
        }
        @if unanswered > 0 {
            p.notice { (format::counted(unanswered, "call")) " to a service that sends its own segment, which has not arrived." }
        }
        @if trace.limit_exceeded {
            p.notice.bad { "More than X-Ray keeps of one trace (500 kB): there, a part of this would be missing." }
        }
    }
}

/// Whether a call expects a segment of its callee and there is none.
fn is_unanswered(trace: &Trace, call: &Document) -> bool {
    call.traced && !trace.segments.iter().any(|segment| segment.parent_id.as_deref() == Some(call.id.as_str()))
}
