//! The drawing of the service graph, in SVG.

use std::cmp::Reverse;
use std::collections::HashSet;

use maud::{Markup, html};

use super::columns::Ends;
use super::labels::{call_label, counts, description, kind, service_label};
use super::layout::{Layout, Point, layout};
use super::query::Query;
use super::selection::Selection;
use crate::console::{format, status};
use crate::document::State;
use crate::graph::{Edge, Service, ServiceGraph, Statistics};

/// The width and height of a node.
pub(super) const NODE: (f64, f64) = (216.0, 68.0);

/// The room left and right of a node's texts.
const TEXT_START: f64 = 66.0;
const TEXT_END: f64 = 8.0;

/// The most characters of a node's text. Of the narrowest letters, about as many fit.
const MAX_CHARS: usize = 60;

/// The text that a screen reader reads for a drawing.
pub(super) const DESCRIPTION: &str = "Service map. The tables below hold the same data.";

/// How many nodes are drawn at most. Those with the most requests are chosen.
const MAX_NODES: usize = 500;
/// How many edges are drawn at most. Those with the most requests are chosen.
const MAX_EDGES: usize = 1_500;
/// A wider drawing is not shrunk to fit the window, because its text would be too small to read. Beside the details of
/// a service there is less room.
const MAX_FITTED_WIDTH: f64 = 1_700.0;
const MAX_FITTED_WIDTH_BESIDE: f64 = 1_100.0;
/// With more edges than this, edges have no labels, because the labels would cover each other.
const MAX_LABELS: usize = 40;
/// With more edges than this, only the line itself can be hit. The tables have links to all calls.
const MAX_BROAD: usize = 300;

/// Renders the drawing at the size that the reader has chosen.
pub(super) fn picture(drawn: &Drawn<'_>) -> Markup {
    let zoom = drawn.query.zoom;
    let (width, height) = drawn.layout.size;
    let scaled = |length: f64| (length * f64::from(zoom.unwrap_or(100).clamp(10, 400)) / 100.0).round();
    let max_width = if drawn.selection.is_some() { MAX_FITTED_WIDTH_BESIDE } else { MAX_FITTED_WIDTH };
    let fits = zoom.is_none() && width <= max_width;
    let has_labels = drawn.edges.len() <= MAX_LABELS;
    html! {
        @if drawn.services.len() < drawn.all {
            p.notice { "Showing the " (drawn.services.len()) " busiest of " (drawn.all) " services." }
        }
        // With `tabindex` the arrow keys can scroll the drawing. (WCAG 2.2, 2.1.1.)
        div.map.wide[zoom.is_none()] data-scrolls tabindex="0" role="group" aria-label=(DESCRIPTION) {
            svg.fit[fits] width=(scaled(width)) height=(scaled(height))
                viewBox={ "0 0 " (width.round()) " " (height.round()) } {
                (arrowhead("arrowhead"))
                // Later elements cover earlier ones, so the nodes come last.
                @for index in 0..drawn.edges.len() { (edge(drawn, index, has_labels)) }
                @for (service, centre) in drawn.services.iter().zip(&drawn.layout.nodes) { (node(drawn, service, *centre, true)) }
            }
        }
    }
}

/// Renders the definition of an arrow's head. Each drawing has one of its own: a browser does not find a definition in
/// a drawing that is not shown.
pub(super) fn arrowhead(id: &str) -> Markup {
    html! {
        defs {
            marker #(id) viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"
                orient="auto-start-reverse" markerUnits="userSpaceOnUse" {
                path.arrowhead d="M0 0.5 8 4 0 7.5z" {}
            }
        }
    }
}

/// The part of the graph that is drawn.
pub(super) struct Drawn<'a> {
    pub(super) services: Vec<&'a Service>,
    edges: Vec<&'a Edge>,
    /// The ends of each edge, as indices of `services`.
    pub(super) ends: Vec<Ends>,
    /// All of `ends`, to look up whether two services call each other.
    pairs: HashSet<Ends>,
    pub(super) layout: Layout,
    /// The number of services of the whole graph.
    all: usize,
    query: &'a Query,
    selection: Option<Selection>,
    /// The reference ids of the services that the reader looks for.
    found: HashSet<usize>,
}

impl<'a> Drawn<'a> {
    /// Chooses the busiest services, and the busiest edges between them.
    pub(super) fn of(
        graph: &'a ServiceGraph,
        query: &'a Query,
        selection: Option<Selection>,
        found: &[&Service],
    ) -> Self {
        let found: HashSet<usize> = found.iter().map(|service| service.reference_id).collect();
        let mut services: Vec<&Service> = graph.services.iter().collect();
        if services.len() > MAX_NODES {
            // What the reader looks for is drawn in any case.
            let is_wanted = |service: &Service| {
                let id = service.reference_id;
                found.contains(&id) || selection.is_some_and(|selection| selection.touches(id, id))
            };
            services.sort_by_key(|service| (!is_wanted(service), Reverse(requests(service))));
            services.truncate(MAX_NODES);
        }
        // Edges name services by their reference id, the index in the whole graph.
        let mut index_of = vec![None; graph.services.len()];
        for (index, service) in services.iter().enumerate() {
            if let Some(slot) = index_of.get_mut(service.reference_id) {
                *slot = Some(index);
            }
        }
        let index_of = |reference_id: usize| index_of.get(reference_id).copied().flatten();
        let all =
            services.iter().enumerate().flat_map(|(from, service)| service.edges.iter().map(move |edge| (from, edge)));
        let mut edges: Vec<_> =
            all.filter_map(|(from, edge)| Some(((from, index_of(edge.reference_id)?), edge))).collect();
        if edges.len() > MAX_EDGES {
            edges.sort_by_key(|(_, edge)| Reverse(edge.summary_statistics.total_count));
            edges.truncate(MAX_EDGES);
        }
        let (ends, edges): (Vec<_>, Vec<_>) = edges.into_iter().unzip();
        let layout = layout(services.len(), &ends, NODE);
        let (pairs, all) = (ends.iter().copied().collect(), graph.services.len());
        Self { services, edges, ends, pairs, layout, all, query, selection, found }
    }
}

fn requests(service: &Service) -> u64 {
    service.summary_statistics.as_ref().map_or(0, |statistics| statistics.total_count)
}

fn edge(drawn: &Drawn<'_>, index: usize, has_label: bool) -> Markup {
    let (edge, (from, to)) = (drawn.edges[index], drawn.ends[index]);
    // Two services that call each other share a lane. Their lines are moved apart, one up and one down.
    let offset = match drawn.pairs.contains(&(to, from)) {
        true if from < to => -7.0,
        true => 7.0,
        false => 0.0,
    };
    let points = points(&drawn.layout, index, (from, to), offset);
    let (x, y) = label_position(&points);
    let label = html! {
        @if has_label {
            text.label x=(round(x)) y=(round(y - 5.0)) { (call_label(&edge.summary_statistics)) }
        }
    };
    line(drawn, index, &path(&points), "arrowhead", &label)
}

/// Renders an edge as a line with an arrow's head.
pub(super) fn line(drawn: &Drawn<'_>, index: usize, path: &str, arrowhead: &str, label: &Markup) -> Markup {
    let (edge, (from, to)) = (drawn.edges[index], drawn.ends[index]);
    let (from, to) = (drawn.services[from], drawn.services[to]);
    let statistics = &edge.summary_statistics;
    let is_near = drawn.selection.is_some_and(|selection| selection.touches(from.reference_id, to.reference_id));
    html! {
        // The Tab key passes over edges: the table of calls has the same links, and a map may have hundreds of edges.
        a href=(drawn.query.with_edge(from, to)) tabindex="-1" {
            g.edge.faulty[statistics.fault_statistics.total_count > 0].near[is_near] {
                // Browsers show the `title` of an SVG element as a tooltip.
                title { (from.name) " → " (to.name) ": " (description(statistics)) }
                path d=(path) marker-end={ "url(#" (arrowhead) ")" } {}
                // An invisible broad line, because the pointer would hardly hit the thin one.
                @if drawn.edges.len() <= MAX_BROAD { path.hit d=(path) {} }
                (label)
            }
        }
    }
}

/// Returns the points of an edge, from the side of one node to the side of another. The edge of a node that calls
/// itself is a loop at its upper right corner.
fn points(layout: &Layout, index: usize, (from, to): Ends, offset: f64) -> Vec<Point> {
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
    // Two points for each bend keep the line level across the whole column, so that it does not cut a node's corner.
    let bends = layout.bends[index].iter().flat_map(|(x, y)| [(x - side, *y), (x + side, *y)]);
    let (first, last) = ((start.0 + side, start.1), (end.0 - side, end.1));
    let moved = |(x, y): Point| (x, y + offset);
    std::iter::once(first).chain(bends).chain([last]).map(moved).collect()
}

/// Returns the path data of a smooth line that is level at each point.
fn path(points: &[Point]) -> String {
    let start = format!("M{} {}", round(points[0].0), round(points[0].1));
    let curves = points.windows(2).map(|pair| {
        let ((x, y), (next_x, next_y)) = (pair[0], pair[1]);
        // Control points at the height of each end make the curve level there.
        let middle = round(f64::midpoint(x, next_x));
        format!("C{middle} {} {middle} {} {} {}", round(y), round(next_y), round(next_x), round(next_y))
    });
    std::iter::once(start).chain(curves).collect()
}

/// Returns the middle of the last curve. Edges that leave one node together have parted there, so that their labels do
/// not cover each other.
fn label_position(points: &[Point]) -> Point {
    let pair = &points[points.len() - 2..];
    (f64::midpoint(pair[0].0, pair[1].0), f64::midpoint(pair[0].1, pair[1].1))
}

/// Rounds to a tenth of a pixel. More digits would only make the page larger.
pub(super) fn round(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

/// Renders a node. With `has_id`, the node that is selected has the id to which the links of the page scroll.
pub(super) fn node(drawn: &Drawn<'_>, service: &Service, (x, y): Point, has_id: bool) -> Markup {
    let id = service.reference_id;
    let is_selected = drawn.selection.is_some_and(|selection| selection.node == id || selection.callee == Some(id));
    let is_first = drawn.selection.is_some_and(|selection| selection.node == id);
    let is_faded = !drawn.found.is_empty() && !drawn.found.contains(&id);
    // Clients have no statistics. The service that they call has them.
    let statistics = service.summary_statistics.as_ref();
    let kind = kind(service.kind.as_deref());
    let drawing = html! {
        g.node.stand-in[service.stand_in].selected[is_selected].faded[is_faded] id=[(has_id && is_first).then_some("selected")]
            transform={ "translate(" (round(x - NODE.0 / 2.0)) " " (round(y - NODE.1 / 2.0)) ")" } {
            title {
                (service.name) ", " (kind)
                @if let Some(statistics) = statistics { ", " (description(statistics)) }
                @if service.stand_in { ", not received" }
            }
            rect.box width=(NODE.0) height=(NODE.1) rx="10" {}
            (ring(statistics))
            path.glyph transform="translate(24 24)" d=(glyph(service.kind.as_deref())) {}
            // The inner drawing cuts off what is wider. With the script, an ellipsis says so.
            svg x=(TEXT_START) width=(NODE.0 - TEXT_START - TEXT_END) height=(NODE.1) {
                text.name data-fit y="24" { (format::truncate(&service.name, MAX_CHARS)) }
                text.kind data-fit y="41" { (format::truncate(kind, MAX_CHARS)) }
                @if let Some(statistics) = statistics {
                    text.figures data-fit y="57" { (format::truncate(&service_label(statistics), MAX_CHARS)) }
                }
            }
        }
    };
    html! { a href=(drawn.query.with_node(service)) aria-current=[is_selected.then_some("true")] { (drawing) } }
}

/// Renders the shares of requests in each state as the arcs of a ring, clockwise from the top.
fn ring(statistics: Option<&Statistics>) -> Markup {
    let counts = statistics.map_or([(State::Ok, 0); 4], counts);
    let total = counts.iter().map(|(_, count)| *count).sum::<u64>().max(1);
    #[expect(clippy::cast_precision_loss, reason = "the length of an arc needs few digits")]
    let percent = |count: u64| count as f64 * 100.0 / total as f64;
    let mut before = 0.0;
    html! {
        g transform="translate(34 34) rotate(-90)" {
            circle.track r="22" {}
            @for (state, count) in counts {
                @if count > 0 {
                    // With a path length of 100, an arc is a dash whose length is its percentage. A little overlap
                    // closes the gap that antialiasing would leave between two arcs.
                    circle class={ "share " (status::class(state)) } r="22" pathLength="100"
                        stroke-dasharray={ (round(percent(count) + 0.3)) " 100" } stroke-dashoffset=(round(-before)) {}
                    ({ before += percent(count); "" })
                }
            }
        }
    }
}

/// Returns the path data of the symbol for a node's type, 20 by 20 pixels: a person, a globe, a database, an AWS cube
/// or a server.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns points on the line that [`path`] describes, a few pixels apart.
    fn along(points: &[Point]) -> Vec<Point> {
        let curves = points.windows(2).flat_map(|pair| {
            let ((x, y), (next_x, next_y)) = (pair[0], pair[1]);
            let middle = f64::midpoint(x, next_x);
            (0..=40).map(move |step| {
                let at = f64::from(step) / 40.0;
                let (b, c) = (3.0 * at * (1.0 - at).powi(2), 3.0 * at.powi(2) * (1.0 - at));
                let curve = |start, one, two, end| (1.0 - at).powi(3) * start + b * one + c * two + at.powi(3) * end;
                (curve(x, middle, middle, next_x), curve(y, y, next_y, next_y))
            })
        });
        curves.collect()
    }

    /// Returns the number of pairs of an edge and a node that it crosses although it does not end there.
    fn crossings(nodes: usize, edges: &[Ends]) -> usize {
        let layout = layout(nodes, edges, NODE);
        let lines = edges.iter().enumerate().filter(|(_, (from, to))| from != to).map(|(index, ends)| {
            let lines = [-7.0, 0.0, 7.0].map(|offset| along(&points(&layout, index, *ends, offset)));
            (*ends, lines.concat())
        });
        let crosses = |line: &[Point], (x, y): Point| {
            line.iter().any(|point| (point.0 - x).abs() < NODE.0 / 2.0 && (point.1 - y).abs() < NODE.1 / 2.0)
        };
        lines
            .map(|((from, to), line)| {
                let others = layout.nodes.iter().enumerate().filter(|(node, _)| *node != from && *node != to);
                others.filter(|(_, centre)| crosses(&line, **centre)).count()
            })
            .sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_edge_crosses_a_node(
            (nodes, edges) in (2_usize..60).prop_flat_map(|nodes| {
                (Just(nodes), proptest::collection::vec((0..nodes, 0..nodes), 0..100))
            })
        ) {
            prop_assert_eq!(crossings(nodes, &edges), 0);
        }
    }

    #[test]
    fn no_edge_of_a_large_map_crosses_a_node() {
        for nodes in [200, 500] {
            let called =
                |node: usize| [node * 2 + 1, node * 2 + 2, node + 7].into_iter().filter(move |callee| *callee < nodes);
            let edges: Vec<Ends> = (0..nodes).flat_map(|node| called(node).map(move |callee| (node, callee))).collect();
            assert_eq!(crossings(nodes, &edges), 0, "{nodes} nodes");
        }
    }
}
