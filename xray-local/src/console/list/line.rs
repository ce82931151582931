//! One trace in the list.

use maud::{Markup, html};

use crate::console::elements::age_of;
use crate::console::{entity, format, link, status};
use crate::document::{Document, Http, Namespace, State};
use crate::trace::Trace;

/// What the list says of a trace; the trace itself may be large.
#[derive(Debug)]
pub(super) struct Line {
    id: String,
    start: f64,
    state: State,
    service: String,
    method: String,
    /// What was asked for, or what was done.
    subject: String,
    /// Whether the request is one that the trace makes, not one that it serves.
    is_call: bool,
    code: Option<i64>,
    /// In seconds.
    pub(super) took: Option<f64>,
    segments: usize,
    troubles: [(State, usize); 3],
    is_partial: bool,
}

/// What a line shows of a URL or a name.
const MAX_CHARS: usize = 300;

impl Line {
    pub(super) fn of(trace: &Trace) -> Self {
        let root = entity::main_segment(trace);
        let (http, is_call) = root.and_then(|root| request(trace, root)).unzip();
        let service = root.map_or("", |root| root.name.as_str());
        let url = http.and_then(|http| http.url.as_deref());
        let count =
            |state| (state, trace.entities().filter(|entity| !entity.inferred && entity.state() == state).count());
        Self {
            id: trace.id.clone(),
            start: trace.start(),
            state: state(trace),
            service: format::shortened(service, MAX_CHARS),
            method: format::shortened(http.and_then(|http| http.method.as_deref()).unwrap_or_default(), 20),
            subject: format::shortened(url.unwrap_or(service), MAX_CHARS),
            is_call: is_call == Some(true) && url.is_some(),
            code: http.and_then(|http| http.status),
            took: trace.response_time().or_else(|| trace.duration()),
            segments: trace.segments.len(),
            troubles: [State::Fault, State::Throttle, State::Error].map(count),
            is_partial: trace.is_partial(),
        }
    }

    /// A row of the table, in which the slowest trace took so many seconds.
    pub(super) fn row(&self, slowest: f64) -> Markup {
        html! {
            tr {
                td.state { (status::label(self.state)) }
                td.method { (self.method) }
                td.what { a #{ "t-" (self.id) } href=(link::trace(&self.id)) { (self.subject()) } }
                td.num.code { @if let Some(code) = self.code { (code) } }
                td.service { (self.service) }
                td.num.took {
                    @if let Some(took) = self.took { (format::duration(took)) (self.gauge(took / slowest)) } @else { "…" }
                }
                td.parts { (self.segments) " " (self.troubles()) }
                td.num.age { (age_of(self.start)) }
            }
        }
    }

    fn subject(&self) -> Markup {
        let (host, path) = format::split_url(&self.subject);
        html! {
            @if self.is_call { span.host { "calls " } }
            @if host.is_empty() || path.len() < 2 { (host) (path) } @else { (path) " " span.host { (host) } }
        }
    }

    /// What went wrong inside of a trace that by itself went otherwise.
    fn troubles(&self) -> Markup {
        html! {
            @for (trouble, count) in self.troubles {
                @if count > 0 && self.state != trouble {
                    span class={ "tag " (status::class(trouble)) } { (count) " " (status::word(trouble).to_lowercase()) } " "
                }
            }
            @if self.is_partial && self.state != State::InProgress { span.tag.progress { "in progress" } }
        }
    }

    fn gauge(&self, share: f64) -> Markup {
        let width = if share.is_finite() { (share * 100.0).clamp(2.0, 100.0) } else { 2.0 };
        html! {
            svg.gauge aria-hidden="true" {
                rect class=(status::class(self.state)) width={ (format_args!("{width:.1}")) "%" } height="4" {}
            }
        }
    }
}

/// The HTTP request that a trace is about, and whether it is one that the trace makes.
fn request<'a>(trace: &'a Trace, root: &'a Document) -> Option<(&'a Http, bool)> {
    let served = root.http.as_ref().map(|http| (http, root.namespace.is_some()));
    let mut calls = trace.entities().filter(|entity| entity.namespace == Some(Namespace::Remote));
    served.or_else(|| calls.find_map(|call| Some((call.http.as_ref()?, true))))
}

/// How the root went; without one, the worst of what is there.
fn state(trace: &Trace) -> State {
    if let Some(root) = trace.root() {
        return root.state();
    }
    let states = [State::Fault, State::Throttle, State::Error, State::InProgress];
    let has = |state: &State| trace.segments.iter().any(|segment| segment.state() == *state);
    states.into_iter().find(has).unwrap_or(State::Ok)
}
