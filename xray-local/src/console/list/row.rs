//! One row of the list: a trace.

use maud::{Markup, html};

use crate::console::elements::age;
use crate::console::{entity, format, link, status};
use crate::document::{Document, Http, Namespace, State};
use crate::trace::Trace;
use crate::url;

/// One row of the list: a summary of a trace. The trace itself may be megabytes large and is not kept while a page is
/// made.
#[derive(Debug)]
pub(super) struct Row {
    id: String,
    /// In seconds since 1970.
    start: f64,
    state: State,
    service: String,
    method: String,
    /// The URL of the request, or the service's name if there is no URL.
    subject: String,
    /// `true` if the subject is the URL of a call that the trace makes, rather than of a request that it serves.
    is_call: bool,
    status_code: Option<i64>,
    /// In seconds.
    pub(super) duration: Option<f64>,
    segments: usize,
    /// How many segments and subsegments have each of these states.
    problems: [(State, u64); 3],
    is_partial: bool,
    /// The number of segments and subsegments that were cancelled.
    cancelled: u64,
}

/// The longest URL or name that a row shows. The style sheet cuts it to the width of its column.
const MAX_CHARS: usize = 300;

/// The longest HTTP method that a row shows.
const MAX_METHOD_CHARS: usize = 20;

impl Row {
    /// Reads what a row shows from a trace.
    pub(super) fn of(trace: &Trace) -> Self {
        let main = entity::main_segment(trace);
        let (http, is_call) = main.and_then(|main| request(trace, main)).unzip();
        let service = main.map_or("", |main| main.name.as_str());
        let url = http.and_then(|http| http.url.as_deref());
        // An inferred segment repeats the state of the call that it was inferred from.
        let has_state = |entity: &&Document, state: State| !entity.inferred && entity.state() == state;
        let count = |state| (state, trace.entities().filter(|entity| has_state(entity, state)).count() as u64);
        Self {
            id: trace.id.clone(),
            start: trace.start(),
            state: trace.state(),
            service: format::truncate(service, MAX_CHARS),
            method: format::truncate(
                http.and_then(|http| http.method.as_deref()).unwrap_or_default(),
                MAX_METHOD_CHARS,
            ),
            subject: format::truncate(url.unwrap_or(service), MAX_CHARS),
            is_call: is_call == Some(true) && url.is_some(),
            status_code: http.and_then(|http| http.status),
            duration: trace.response_time().or_else(|| trace.duration()),
            segments: trace.segments.len(),
            problems: [State::Fault, State::Throttle, State::Error].map(count),
            is_partial: trace.is_partial(),
            cancelled: trace.entities().filter(|entity| !entity.inferred && entity.is_cancelled()).count() as u64,
        }
    }

    /// Renders the row. `longest` is the duration of the slowest trace in the table, in seconds.
    pub(super) fn render(&self, longest: f64) -> Markup {
        html! {
            tr data-failed[self.state.is_failure()] {
                td.state { (status::label(self.state)) }
                td.method { (self.method) }
                td.subject { a #{ "t-" (self.id) } href=(link::trace(&self.id)) { (self.subject()) } }
                td.num.code { @if let Some(code) = self.status_code { (code) } }
                td.service { (self.service) }
                td.num.duration {
                    @if let Some(seconds) = self.duration {
                        (format::duration(seconds)) (self.gauge(seconds / longest))
                    } @else { "…" }
                }
                td.segments {
                    span.number { (self.segments) } " " (self.tags())
                    // No stop of the Tab key: a row has one. The page of the trace has this link too.
                    a.compare href=(link::compare(&self.id, "")) tabindex="-1" {
                        "Compare" span.visually-hidden { " " (self.subject) }
                    }
                }
                td.num.age { (age(self.start)) }
            }
        }
    }

    /// Renders the path before the host: in a narrow column the end is cut, and the path differs more between traces.
    fn subject(&self) -> Markup {
        let (host, path) = url::split(&self.subject);
        html! {
            @if self.is_call { span.host { "calls " } }
            @if host.is_empty() || path.len() < 2 { (host) (path) } @else { (path) " " span.host { (host) } }
        }
    }

    /// Renders a tag for each problem that the state of the trace does not show: a request may succeed although one of
    /// its calls failed or was cancelled.
    fn tags(&self) -> Markup {
        html! {
            @for (state, number) in self.problems {
                @if number > 0 && self.state != state {
                    span class={ "tag " (status::class(state)) } { (status::count(number, state)) } " "
                }
            }
            @if self.cancelled > 0 { span.tag.cancelled { (format::count(self.cancelled)) " cancelled" } " " }
            @if self.is_partial && self.state != State::InProgress { span.tag.progress { "in progress" } }
        }
    }

    /// Renders a bar of a length relative to the slowest trace.
    fn gauge(&self, share: f64) -> Markup {
        // The share is not finite if all traces took 0 seconds. A bar of less than 2 % could not be seen.
        let width = if share.is_finite() { (share * 100.0).clamp(2.0, 100.0) } else { 2.0 };
        html! {
            svg.gauge aria-hidden="true" {
                rect class=(status::class(self.state)) width={ (format_args!("{width:.1}")) "%" } height="4" {}
            }
        }
    }
}

/// Returns the HTTP request that a trace is about, and whether the trace makes it rather than serves it. A trace that
/// serves no request, such as a scheduled job, is described by the first HTTP call that it makes.
fn request<'a>(trace: &'a Trace, main: &'a Document) -> Option<(&'a Http, bool)> {
    // A subsegment that has arrived without its segment is a call. It has a namespace, a segment has none.
    let served = main.http.as_ref().map(|http| (http, main.namespace.is_some()));
    let mut calls = trace.entities().filter(|entity| entity.namespace == Some(Namespace::Remote));
    served.or_else(|| calls.find_map(|call| Some((call.http.as_ref()?, true))))
}
