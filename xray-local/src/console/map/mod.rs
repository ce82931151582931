//! The service graph, as a picture and as tables.

mod labels;
mod layout;
mod picture;
mod tables;

use std::time::{Duration, Instant};

use maud::{Markup, html};
use serde::Deserialize;

use super::page::{Page, Section};
use super::state::Console;
use super::{format, link};
use crate::graph::{ServiceGraph, service_graph};
use crate::time::TimeRange;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    /// How far back; all that is here without.
    minutes: Option<u32>,
    /// In hundredths; as it fits without.
    zoom: Option<u32>,
}

const RANGES: [(Option<u32>, &str); 4] =
    [(Some(5), "5 minutes"), (Some(60), "1 hour"), (Some(360), "6 hours"), (None, "All")];

const ZOOMS: [(Option<u32>, &str); 5] =
    [(None, "Fit"), (Some(50), "50 %"), (Some(75), "75 %"), (Some(100), "100 %"), (Some(150), "150 %")];

/// How long one page puts traces together.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn page(console: &Console, query: &Query) -> Markup {
    let revision = console.revision();
    let range = query.minutes.map_or(TimeRange::ALL, |minutes| TimeRange {
        start: crate::time::now() - f64::from(minutes) * 60.0,
        ..TimeRange::ALL
    });
    let (graph, left_out) = graph(console, range);
    let content = html! {
        div.head { h1 { "Service map" } p { "Who calls whom, how often, how fast, how well" } }
        nav.tallies aria-label="Time" {
            @for (minutes, name) in RANGES {
                a href=(link::map(minutes, query.zoom)) aria-current=[(minutes == query.minutes).then_some("true")] { (name) }
            }
        }
        div data-live {
            @if left_out > 0 {
                p.notice { "Drawn from the newest traces; " (format::counted(left_out, "older trace")) " would have taken too long." }
            }
            @if graph.services.is_empty() {
                div.card.empty {
                    h2 { "No services yet" }
                    p { "Services appear with the first trace of the chosen time." }
                    a href="/" { "How to send one" }
                }
            } @else {
                section.card aria-label="Picture" {
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

/// The graph of a time, and how many traces are not in it for want of time.
fn graph(console: &Console, range: TimeRange) -> (ServiceGraph, usize) {
    let begun = Instant::now();
    let mut wanted: Vec<_> = console.store.traces();
    // A trace that began an hour before may well have segments of now.
    wanted.retain(|stored| stored.start() + 3_600.0 >= range.start);
    let mut looked_at = 0;
    let traces = wanted.iter().take_while(|_| begun.elapsed() < PATIENCE).map(|stored| {
        looked_at += 1;
        stored.trace()
    });
    let graph = service_graph(traces, range);
    (graph, wanted.len() - looked_at)
}

fn legend(query: &Query) -> Markup {
    let shares = [("ok", "ok"), ("error", "errors"), ("throttle", "throttled"), ("fault", "faults")];
    html! {
        div.legend {
            @for (class, name) in shares { span { i class={ "dot " (class) } {} (name) } }
            span { "Rings show the shares, with averages and counts beside them. Dashed lines: calls that failed." }
            nav.zoom aria-label="Size" {
                @for (zoom, name) in ZOOMS {
                    a href=(link::map(query.minutes, zoom)) aria-current=[(zoom == query.zoom).then_some("true")] { (name) }
                }
            }
        }
    }
}
