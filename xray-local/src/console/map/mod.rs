//! The service map: the service graph as a drawing and as tables.

mod labels;
mod layout;
mod picture;
mod tables;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use maud::{Markup, html};
use serde::Deserialize;

use super::page::{Page, Section};
use super::state::Console;
use super::{format, link, status};
use crate::document::State;
use crate::graph::{ServiceGraph, service_graph};
use crate::time::TimeRange;

/// The parameters of the page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    /// The length of the time range up to now. Without it the map shows all traces.
    minutes: Option<u32>,
    /// The size of the drawing, in per cent. Without it the drawing fits the window.
    zoom: Option<u32>,
}

/// The time ranges to choose from, in minutes.
const RANGES: [(Option<u32>, &str); 4] =
    [(Some(5), "5 minutes"), (Some(60), "1 hour"), (Some(360), "6 hours"), (None, "All")];

/// The sizes to choose from, in per cent.
const ZOOMS: [(Option<u32>, &str); 5] =
    [(None, "Fit"), (Some(50), "50 %"), (Some(75), "75 %"), (Some(100), "100 %"), (Some(150), "150 %")];

/// How long a page assembles traces. The store may hold 100,000 of them. After this time the map shows the traces read
/// so far, which are the newest.
const READ_TIME: Duration = Duration::from_secs(3);

/// How long before the time range a trace may have begun to be read, in seconds. Its later segments may lie within the
/// range.
const MAX_TRACE_AGE: f64 = 3_600.0;

/// Renders the page.
pub(super) fn page(console: &Console, query: &Query) -> Markup {
    let revision = console.revision();
    let range = query.minutes.map_or(TimeRange::ALL, |minutes| TimeRange {
        start: crate::time::now() - f64::from(minutes) * 60.0,
        ..TimeRange::ALL
    });
    let (graph, unread) = graph(console, range);
    let content = html! {
        div.head { h1 { "Service map" } p { "Calls between services: how many, how long they take, how often they fail" } }
        nav.choices aria-label="Time range" {
            @for (minutes, name) in RANGES {
                a href=(link::map(minutes, query.zoom)) aria-current=[(minutes == query.minutes).then_some("true")] {
                    (name)
                }
            }
        }
        div data-live {
            @if unread > 0 {
                p.notice {
                    "The map shows only the newest traces. Reading the other " (format::count_of(unread, "trace"))
                    " would take too long."
                }
            }
            @if graph.services.is_empty() {
                div.card.empty {
                    h2 { "No services yet" }
                    p { "Services appear here as soon as a trace arrives in this time range." }
                    a href="/" { "How to send a trace" }
                }
            } @else {
                section.card aria-label="Drawing" {
                    (picture::picture(&graph, query.zoom))
                    (legend(query))
                }
                (tables::services(&graph))
                (tables::calls(&graph))
            }
        }
    };
    Page::new("Service map", Section::Map, revision, content).render(console)
}

/// Returns the service graph of a time range, and the number of traces that were not read within [`READ_TIME`].
fn graph(console: &Console, range: TimeRange) -> (ServiceGraph, u64) {
    let started = Instant::now();
    let mut stored = console.store.traces();
    stored.retain(|stored| stored.start() + MAX_TRACE_AGE >= range.start);
    let reports = console.store.reports();
    let rejected: HashSet<&str> = reports.iter().filter_map(|report| report.id.as_deref()).collect();
    let mut read = 0;
    let traces = stored.iter().take_while(|_| started.elapsed() < READ_TIME).map(|stored| {
        read += 1;
        stored.trace().with_stand_ins(|id| rejected.contains(id))
    });
    let graph = service_graph(traces, range);
    (graph, (stored.len() - read) as u64)
}

fn legend(query: &Query) -> Markup {
    let states =
        [(State::Ok, "OK"), (State::Error, "errors"), (State::Throttle, "throttled"), (State::Fault, "faults")];
    html! {
        div.legend {
            @for (state, name) in states { span { (status::decorative_dot(state)) (name) } }
            span {
                "A ring shows how the requests of a service ended. The figures are the average duration and the number of \
                 requests. Dashed lines are calls with faults."
            }
            nav.zoom aria-label="Zoom" {
                @for (zoom, name) in ZOOMS {
                    a href=(link::map(query.minutes, zoom)) aria-current=[(zoom == query.zoom).then_some("true")] { (name) }
                }
            }
        }
    }
}
