//! Where the nodes of a graph go: callers left of whom they call, few crossings, edges around the nodes between.

use std::collections::HashMap;

use rust_sugiyama::configure::{Config, RankingType};
use rust_sugiyama::from_vertices_and_edges;

/// A point of the picture: to the right, down.
pub(super) type Point = (f64, f64);

/// Centres of nodes, and through which points each edge goes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Layout {
    pub(super) nodes: Vec<Point>,
    /// For each edge, in its order, the points between its ends.
    pub(super) bends: Vec<Vec<Point>>,
    pub(super) size: (f64, f64),
}

/// Around each node, so that lines keep away from it.
const MARGIN: f64 = 8.0;
/// Between whatever stands in one column.
const GAP: f64 = 10.0;
/// Between columns, beyond margins and [`GAP`].
const COLUMN_GAP: f64 = 74.0;
/// What an edge needs where it passes a column.
const LANE: f64 = 4.0;
/// Around the whole picture.
const FRAME: f64 = 24.0;
/// Above this many bends edges go straight: the work grows with them, and nobody follows the lines.
const MAX_BENDS: usize = 1_500;
/// Up to this many nodes, edges and bends crossings are sought out one by one.
const MAX_FINE: usize = 160;

/// Lays out nodes of one size, given by their number, and edges between them, given by indices.
pub(super) fn layout(nodes: usize, edges: &[(usize, usize)], (width, height): (f64, f64)) -> Layout {
    let mut vertices = vec![Vertex::node((width, height)); nodes];
    let plain: Vec<_> = edges.iter().copied().filter(|(from, to)| from != to).collect();
    let columns = columns(&arrange(&vertices, &plain));
    // Along each edge that passes a column stands a vertex of its own there, so that the edge has its place in it.
    let mut lanes = HashMap::<(usize, usize), Vec<usize>>::new();
    let mut chains = Vec::new();
    for edge @ (from, to) in forward(&plain, &columns) {
        let passed = columns[to].saturating_sub(columns[from] + 1);
        let lane: Vec<usize> = (vertices.len()..vertices.len() + passed).collect();
        vertices.resize(vertices.len() + passed, Vertex { width: LANE, height: LANE });
        let stops: Vec<usize> = std::iter::once(from).chain(lane.iter().copied()).chain([to]).collect();
        chains.extend(stops.windows(2).map(|pair| (pair[0], pair[1])));
        lanes.insert(edge, lane);
        if vertices.len() > nodes + MAX_BENDS {
            return straight(nodes, edges, (width, height));
        }
    }
    let places = arrange(&vertices, &chains);
    let bends = edges.iter().map(|edge| bends(*edge, &lanes, &places)).collect();
    framed(&places, nodes, bends, (width, height))
}

fn straight(nodes: usize, edges: &[(usize, usize)], (width, height): (f64, f64)) -> Layout {
    let plain: Vec<_> = edges.iter().copied().filter(|(from, to)| from != to).collect();
    let places = arrange(&vec![Vertex::node((width, height)); nodes], &plain);
    framed(&places, nodes, vec![Vec::new(); edges.len()], (width, height))
}

#[derive(Debug, Clone, Copy)]
struct Vertex {
    width: f64,
    height: f64,
}

impl Vertex {
    fn node((width, height): (f64, f64)) -> Self {
        Self { width: width + 2.0 * MARGIN, height: height + 2.0 * MARGIN }
    }
}

/// Centres for vertices; the parts of the graph that are not connected stand below each other, the largest first.
fn arrange(vertices: &[Vertex], edges: &[(usize, usize)]) -> Vec<Point> {
    let number = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    // The crate's layers are rows, from top to bottom; here they are columns. So its x is our y.
    let sized: Vec<_> = vertices
        .iter()
        .enumerate()
        .map(|(index, vertex)| (number(index), (vertex.height, vertex.width + COLUMN_GAP)))
        .collect();
    let numbered: Vec<_> = edges.iter().map(|(from, to)| (number(*from), number(*to))).collect();
    let config = Config {
        vertex_spacing: GAP,
        // Each node as far left as its callers allow. The crate's search for short edges does not end on some graphs.
        ranking_type: RankingType::Up,
        transpose: vertices.len() + edges.len() <= MAX_FINE,
        ..Config::default()
    };
    let mut parts = from_vertices_and_edges(&sized, &numbered, &config);
    parts.sort_by_key(|(part, ..)| std::cmp::Reverse(part.len()));
    let mut places = vec![(0.0, 0.0); vertices.len()];
    let mut top = 0.0;
    for (part, ..) in parts {
        let upper = |(index, (x, _)): &(usize, (f64, f64))| x - vertices[*index].height / 2.0;
        let lower = |(index, (x, _)): &(usize, (f64, f64))| x + vertices[*index].height / 2.0;
        let begin = part.iter().map(upper).fold(f64::INFINITY, f64::min);
        let end = part.iter().map(lower).fold(f64::NEG_INFINITY, f64::max);
        let left = part.iter().map(|(_, (_, y))| *y).fold(f64::INFINITY, f64::min);
        for (index, (x, y)) in part {
            places[index] = (y - left, x - begin + top);
        }
        top += end - begin + GAP;
    }
    places
}

/// Which column each vertex stands in.
fn columns(places: &[Point]) -> Vec<usize> {
    let mut starts: Vec<f64> = places.iter().map(|(x, _)| *x).collect();
    starts.sort_by(f64::total_cmp);
    starts.dedup_by(|a, b| (*a - *b).abs() < 1.0);
    places.iter().map(|(x, _)| starts.partition_point(|start| *start < x - 1.0)).collect()
}

/// Each pair of nodes once, from left to right.
fn forward(edges: &[(usize, usize)], columns: &[usize]) -> Vec<(usize, usize)> {
    let mut pairs: Vec<_> = edges.iter().map(|edge| ordered(*edge, |index| columns[index])).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

fn ordered((from, to): (usize, usize), column: impl Fn(usize) -> usize) -> (usize, usize) {
    if column(from) <= column(to) { (from, to) } else { (to, from) }
}

fn bends((from, to): (usize, usize), lanes: &HashMap<(usize, usize), Vec<usize>>, places: &[Point]) -> Vec<Point> {
    let points = |lane: &Vec<usize>| lane.iter().map(|index| places[*index]).collect::<Vec<_>>();
    if let Some(lane) = lanes.get(&(from, to)) {
        return points(lane);
    }
    let mut backward = lanes.get(&(to, from)).map(points).unwrap_or_default();
    backward.reverse();
    backward
}

/// Moves all so that the picture begins at 0, with some room around.
fn framed(places: &[Point], nodes: usize, bends: Vec<Vec<Point>>, (width, height): (f64, f64)) -> Layout {
    let all = || places.iter().copied();
    let least = |of: fn(Point) -> f64| all().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(Point) -> f64| all().map(of).fold(f64::NEG_INFINITY, f64::max);
    if places.is_empty() {
        return Layout::default();
    }
    let (left, top) = (least(|point| point.0), least(|point| point.1));
    let shift = |(x, y): Point| (x - left + width / 2.0 + FRAME, y - top + height / 2.0 + FRAME);
    let size = (most(|point| point.0) - left + width + 2.0 * FRAME, most(|point| point.1) - top + height + 2.0 * FRAME);
    Layout {
        nodes: places[..nodes].iter().copied().map(shift).collect(),
        bends: bends.into_iter().map(|bends| bends.into_iter().map(shift).collect()).collect(),
        size,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: (f64, f64) = (200.0, 64.0);

    fn overlaps((ax, ay): Point, (bx, by): Point) -> bool {
        (ax - bx).abs() < SIZE.0 && (ay - by).abs() < SIZE.1
    }

    #[test]
    fn callers_stand_left_of_whom_they_call() {
        let layout = layout(4, &[(0, 1), (1, 2), (1, 3)], SIZE);
        let x: Vec<_> = layout.nodes.iter().map(|(x, _)| *x).collect();
        assert!(x[0] < x[1] && x[1] < x[2] && (x[2] - x[3]).abs() < 1.0, "{layout:?}");
        assert_eq!(layout.bends, vec![Vec::<Point>::new(); 3]);
    }

    #[test]
    fn an_edge_goes_around_the_nodes_that_it_passes() {
        let layout = layout(4, &[(0, 1), (1, 2), (2, 3), (0, 3)], SIZE);
        assert_eq!(layout.bends[3].len(), 2, "{layout:?}");
        for bend in &layout.bends[3] {
            for (x, y) in &layout.nodes {
                assert!((bend.0 - x).abs() >= SIZE.0 / 2.0 || (bend.1 - y).abs() >= SIZE.1 / 2.0, "{layout:?}");
            }
        }
    }

    #[test]
    fn nothing_gives_an_empty_picture() {
        assert_eq!(layout(0, &[], SIZE), Layout::default());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn whatever_calls_what_no_two_nodes_overlap(
            (nodes, edges) in (1_usize..24).prop_flat_map(|nodes| {
                (Just(nodes), proptest::collection::vec((0..nodes, 0..nodes), 0..40))
            })
        ) {
            let layout = layout(nodes, &edges, SIZE);
            prop_assert_eq!(layout.nodes.len(), nodes);
            prop_assert_eq!(layout.bends.len(), edges.len());
            for (index, a) in layout.nodes.iter().enumerate() {
                prop_assert!(a.0 - SIZE.0 / 2.0 >= 0.0 && a.0 + SIZE.0 / 2.0 <= layout.size.0);
                prop_assert!(a.1 - SIZE.1 / 2.0 >= 0.0 && a.1 + SIZE.1 / 2.0 <= layout.size.1);
                for b in &layout.nodes[index + 1..] {
                    prop_assert!(!overlaps(*a, *b), "{:?}", layout);
                }
            }
        }
    }
}
