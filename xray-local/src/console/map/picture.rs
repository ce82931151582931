//! The service graph as SVG.

use std::collections::HashSet;

use maud::{Markup, html};

use super::labels::{average, figures, is_client, kind, pace, traces_of_call};
use super::layout::{Layout, Point, layout};
use crate::console::{format, link};
use crate::graph::{Edge, Service, ServiceGraph, Statistics};

/// The size of a node.
const NODE: (f64, f64) = (216.0, 68.0);
/// What is drawn at most: the busiest.
const MAX_NODES: usize = 300;
const MAX_EDGES: usize = 900;
/// What is wider is not made to fit: nobody could read it.
const MAX_FITTED: f64 = 2_200.0;
/// Up to here edges carry their figures in the picture.
const MAX_LABELS: usize = 40;

pub(super) fn picture(graph: &ServiceGraph, zoom: Option<u32>) -> Markup {
    let drawn = Drawn::of(graph);
    let layout = layout(drawn.services.len(), &drawn.ends, NODE);
    let (width, height) = layout.size;
    let scaled = |length: f64| (length * f64::from(zoom.unwrap_or(100).clamp(10, 400)) / 100.0).round();
    let fits = zoom.is_none() && width <= MAX_FITTED;
    let has_labels = drawn.edges.len() <= MAX_LABELS;
    html! {
        @if drawn.services.len() < graph.services.len() {
            p.notice { "The picture has the " (drawn.services.len()) " busiest of " (graph.services.len()) " services." }
        }
        div.map data-scrolls tabindex="0" role="group" aria-label="Service map; the tables below say the same" {
            svg.fit[fits] width=(scaled(width)) height=(scaled(height)) viewBox={ "0 0 " (width.round()) " " (height.round()) } {
                defs {
                    marker #tip viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse" markerUnits="userSpaceOnUse" {
                        path.tip d="M0 0.5 8 4 0 7.5z" {}
                    }
                }
                @for place in 0..drawn.edges.len() { (edge(&drawn, place, &layout, has_labels)) }
                @for (service, place) in drawn.services.iter().zip(&layout.nodes) { (node(service, *place)) }
            }
        }
    }
}

/// The part of the graph that is drawn; services by their place in it.
struct Drawn<'a> {
    services: Vec<&'a Service>,
    edges: Vec<&'a Edge>,
    /// Of each edge, from and to.
    ends: Vec<(usize, usize)>,
    pairs: HashSet<(usize, usize)>,
}

impl<'a> Drawn<'a> {
    fn of(graph: &'a ServiceGraph) -> Self {
        let mut services: Vec<&Service> = graph.services.iter().collect();
        let requests =
            |service: &Service| service.summary_statistics.as_ref().map_or(0, |statistics| statistics.total_count);
        if services.len() > MAX_NODES {
            services.sort_by_key(|service| std::cmp::Reverse(requests(service)));
            services.truncate(MAX_NODES);
        }
        let mut place_of = vec![None; graph.services.len()];
        for (place, service) in services.iter().enumerate() {
            if let Some(slot) = place_of.get_mut(service.reference_id) {
                *slot = Some(place);
            }
        }
        let place = |reference_id: usize| place_of.get(reference_id).copied().flatten();
        let all =
            services.iter().enumerate().flat_map(|(from, service)| service.edges.iter().map(move |edge| (from, edge)));
        let mut edges: Vec<_> =
            all.filter_map(|(from, edge)| Some(((from, place(edge.reference_id)?), edge))).collect();
        if edges.len() > MAX_EDGES {
            edges.sort_by_key(|(_, edge)| std::cmp::Reverse(edge.summary_statistics.total_count));
            edges.truncate(MAX_EDGES);
        }
        let (ends, edges): (Vec<_>, Vec<_>) = edges.into_iter().unzip();
        Self { services, edges, pairs: ends.iter().copied().collect(), ends }
    }
}

fn edge(drawn: &Drawn<'_>, place: usize, layout: &Layout, has_label: bool) -> Markup {
    let (edge, (from, to)) = (drawn.edges[place], drawn.ends[place]);
    let ends = (drawn.services[from], drawn.services[to]);
    // Two that call each other have a line each.
    let aside = match drawn.pairs.contains(&(to, from)) {
        true if from < to => -7.0,
        true => 7.0,
        false => 0.0,
    };
    let points = points(layout, place, (from, to), aside);
    let path = path(&points);
    let (x, y) = middle_of_last(&points);
    let statistics = &edge.summary_statistics;
    html! {
        a href=(traces_of_call(ends.0, ends.1)) tabindex="-1" {
            g.edge.faulty[statistics.fault_statistics.total_count > 0] {
                title { (ends.0.name) " → " (ends.1.name) ": " (spoken(statistics)) }
                path d=(path) marker-end="url(#tip)" {}
                path.hit d=(path) {}
                @if has_label { text.label x=(round(x)) y=(round(y - 5.0)) { (pace(statistics)) } }
            }
        }
    }
}

/// From the side of a node to the side of another; a node that calls itself has a loop above it.
fn points(layout: &Layout, place: usize, (from, to): (usize, usize), aside: f64) -> Vec<Point> {
    let (half_width, half_height) = (NODE.0 / 2.0, NODE.1 / 2.0);
    let (start, end) = (layout.nodes[from], layout.nodes[to]);
    if from == to {
        let (x, y) = start;
        return vec![
            (x + half_width, y - 12.0),
            (x + half_width + 34.0, y - half_height - 6.0),
            (x + 40.0, y - half_height),
        ];
    }
    let side = if start.0 <= end.0 { half_width } else { -half_width };
    let shifted = |(x, y): Point| (x, y + aside);
    // Level while it passes a column.
    let bends = layout.bends[place].iter().flat_map(|(x, y)| [(x - side, *y), (x + side, *y)]);
    let ends = ((start.0 + side, start.1), (end.0 - side, end.1));
    std::iter::once(ends.0).chain(bends).chain([ends.1]).map(shifted).collect()
}

/// A smooth line, level at each point.
fn path(points: &[Point]) -> String {
    let start = format!("M{} {}", round(points[0].0), round(points[0].1));
    let curves = points.windows(2).map(|pair| {
        let ((x, y), (next_x, next_y)) = (pair[0], pair[1]);
        let half = round(f64::midpoint(x, next_x));
        format!("C{half} {} {half} {} {} {}", round(y), round(next_y), round(next_x), round(next_y))
    });
    std::iter::once(start).chain(curves).collect()
}

/// Where the line is halfway to its end from what it passed last: lines from one node have parted there.
fn middle_of_last(points: &[Point]) -> Point {
    let pair = &points[points.len() - 2..];
    (f64::midpoint(pair[0].0, pair[1].0), f64::midpoint(pair[0].1, pair[1].1))
}

fn round(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

fn node(service: &Service, (x, y): Point) -> Markup {
    let statistics = service.summary_statistics.as_ref();
    let said =
        if is_client(service) { String::new() } else { format!(", {}", statistics.map(spoken).unwrap_or_default()) };
    html! {
        a href=(link::through_service(&service.name)) {
            g.node transform={ "translate(" (round(x - NODE.0 / 2.0)) " " (round(y - NODE.1 / 2.0)) ")" } {
                title { (service.name) ", " (kind(service.kind.as_deref())) (said) }
                rect.box width=(NODE.0) height=(NODE.1) rx="10" {}
                (ring(statistics))
                path.glyph transform="translate(24 24)" d=(glyph(service.kind.as_deref())) {}
                text.name x="66" y="24" { (format::shortened(&service.name, 20)) }
                text.kind x="66" y="41" { (format::shortened(kind(service.kind.as_deref()), 24)) }
                @if let Some(statistics) = statistics.filter(|_| !is_client(service)) {
                    text.figures x="66" y="57" { (format::shortened(&figures(statistics), 26)) }
                }
            }
        }
    }
}

/// The shares of what went well and what did not, clockwise from the top.
fn ring(statistics: Option<&Statistics>) -> Markup {
    let shares = statistics.map_or([("", 0); 4], |statistics| {
        [
            ("ok", statistics.ok_count),
            ("error", statistics.error_statistics.other_count),
            ("throttle", statistics.error_statistics.throttle_count),
            ("fault", statistics.fault_statistics.total_count),
        ]
    });
    #[expect(clippy::cast_precision_loss, reason = "a picture of it")]
    let percent = |count: u64| count as f64 * 100.0 / shares.iter().map(|(_, count)| *count).sum::<u64>().max(1) as f64;
    let mut before = 0.0;
    html! {
        g transform="translate(34 34) rotate(-90)" {
            circle.track r="22" {}
            @for (class, count) in shares {
                @if count > 0 {
                    circle class={ "share " (class) } r="22" pathLength="100"
                        stroke-dasharray={ (round(percent(count) + 0.3)) " 100" } stroke-dashoffset=(round(-before)) {}
                    ({ before += percent(count); "" })
                }
            }
        }
    }
}

/// A sign for a node's type, 20 by 20.
fn glyph(kind: Option<&str>) -> &'static str {
    match kind {
        Some("client") => "M10 2.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM3.5 17.5c0-4 3-5.5 6.5-5.5s6.5 1.5 6.5 5.5",
        Some("remote") => {
            "M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15zM2.5 10h15M10 2.5c5 4.5 5 10.5 0 15M10 2.5c-5 4.5-5 10.5 0 15"
        }
        Some(kind) if is_storage(kind) => {
            "M3.5 5c0-3.3 13-3.3 13 0s-13 3.3-13 0v10c0 3.3 13 3.3 13 0V5M3.5 10c0 3.3 13 3.3 13 0"
        }
        Some(kind) if kind.starts_with("AWS::") => "M10 2 17 6v8l-7 4-7-4V6zM3 6l7 4 7-4M10 10v8",
        _ => "M3 3.5h14v5H3zM3 11.5h14v5H3zM6 6h.1M6 14h.1",
    }
}

fn is_storage(kind: &str) -> bool {
    ["Database", "DynamoDB", "RDS", "S3", "ElastiCache"].iter().any(|storage| kind.contains(storage))
}

/// The statistics in a sentence.
fn spoken(statistics: &Statistics) -> String {
    let Some(average) = average(statistics) else { return "nothing ended yet".to_owned() };
    let counts = [
        (statistics.ok_count, "ok"),
        (statistics.error_statistics.other_count, "errors"),
        (statistics.error_statistics.throttle_count, "throttled"),
        (statistics.fault_statistics.total_count, "faults"),
    ];
    let counts: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{} {name}", format::count(*count)))
        .collect();
    format!(
        "{} requests, {} on average: {}",
        format::count(statistics.total_count),
        format::duration(average),
        counts.join(", ")
    )
}
