//! The positions of the nodes and edges of a graph.
//!
//! Callers stand left of the services that they call, edges cross as rarely as possible, and an edge goes around the
//! nodes between its ends. The crate `rust_sugiyama` arranges the nodes of small graphs in layers, [`columns`] those of
//! large ones. (Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System Structures", 1981.)

use std::collections::HashMap;

use rust_sugiyama::configure::{Config, RankingType};
use rust_sugiyama::from_vertices_and_edges;

use super::columns::{self, Ends};

/// A point of the drawing: x grows to the right, y grows downwards.
pub(super) type Point = (f64, f64);

/// The positions of all nodes and edges.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Layout {
    /// The centre of each node.
    pub(super) nodes: Vec<Point>,
    /// The points that each edge passes between its ends.
    pub(super) bends: Vec<Vec<Point>>,
    /// The width and height of the drawing.
    pub(super) size: (f64, f64),
}

/// The room around each node, which keeps edges away from it.
const MARGIN: f64 = 8.0;
/// The vertical distance between two margins.
const GAP: f64 = 10.0;
/// The horizontal distance between columns. Curves and their labels need it.
const COLUMN_GAP: f64 = 74.0;
/// The height that an edge takes where it passes a column.
const LANE: f64 = 4.0;
/// The room around the whole drawing.
const FRAME: f64 = 24.0;
/// With more bends than this, edges are drawn straight: the page would have several megabytes.
const MAX_BENDS: usize = 20_000;
/// A graph with more nodes, edges and bends than this is arranged by [`columns`]. The time that the crate takes grows
/// faster than the size of the graph.
const MAX_THOROUGH: usize = 160;

/// Computes the positions of `nodes` nodes of one size and of the edges between them.
///
/// The nodes are arranged twice. The first time shows which columns each edge passes. The second time, a small vertex
/// stands for the edge in each such column, so that the arrangement keeps room for it and the edge can bend there:
///
/// ```text
/// edges:     A→B  B→C  A→C
/// first:     A    B    C        A→C passes the column of B
/// second:    A    B    C
///                 v             the edges A→B  B→C  A→v  v→C
/// ```
pub(super) fn layout(nodes: usize, edges: &[Ends], size: (f64, f64)) -> Layout {
    let mut vertices = vec![Vertex::node(size); nodes];
    let arranged = without_loops(edges);
    let columns = columns_of(&arrange(&vertices, &arranged));
    let mut lanes = Lanes::new();
    let mut pieces = Vec::new();
    for edge @ (from, to) in left_to_right(&arranged, &columns) {
        let passed = columns[to].saturating_sub(columns[from] + 1);
        let lane: Vec<usize> = (vertices.len()..vertices.len() + passed).collect();
        vertices.resize(vertices.len() + passed, Vertex { width: LANE, height: LANE });
        let stops: Vec<usize> = std::iter::once(from).chain(lane.iter().copied()).chain([to]).collect();
        pieces.extend(stops.windows(2).map(|pair| (pair[0], pair[1])));
        lanes.insert(edge, lane);
        if vertices.len() > nodes + MAX_BENDS {
            return straight(nodes, edges, size);
        }
    }
    let centres = arrange(&vertices, &pieces);
    let bends = edges.iter().map(|edge| bends(*edge, &lanes, &centres)).collect();
    framed(&centres, nodes, bends, size)
}

/// The vertices that stand for an edge in the columns that it passes, by the edge.
type Lanes = HashMap<Ends, Vec<usize>>;

/// Computes a layout in which no edge bends.
fn straight(nodes: usize, edges: &[Ends], size: (f64, f64)) -> Layout {
    let centres = arrange(&vec![Vertex::node(size); nodes], &without_loops(edges));
    framed(&centres, nodes, vec![Vec::new(); edges.len()], size)
}

/// Returns the edges that connect two nodes. A node that calls itself needs no place in the arrangement.
fn without_loops(edges: &[Ends]) -> Vec<Ends> {
    edges.iter().copied().filter(|(from, to)| from != to).collect()
}

/// The size of a node, or of an edge in a column that it passes.
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

/// Computes the centres of the vertices. Parts of the graph that no edge connects stand below each other, the largest
/// first.
fn arrange(vertices: &[Vertex], edges: &[Ends]) -> Vec<Point> {
    let mut parts = if vertices.len() + edges.len() <= MAX_THOROUGH {
        arrange_thoroughly(vertices, edges)
    } else {
        arrange_fast(vertices, edges)
    };
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let mut centres = vec![(0.0, 0.0); vertices.len()];
    let mut next_top = 0.0;
    for part in parts {
        let top_of = |(index, (_, y)): &(usize, Point)| y - vertices[*index].height / 2.0;
        let bottom_of = |(index, (_, y)): &(usize, Point)| y + vertices[*index].height / 2.0;
        let top = part.iter().map(top_of).fold(f64::INFINITY, f64::min);
        let bottom = part.iter().map(bottom_of).fold(f64::NEG_INFINITY, f64::max);
        let left = part.iter().map(|(_, (x, _))| *x).fold(f64::INFINITY, f64::min);
        for (index, (x, y)) in part {
            centres[index] = (x - left, y - top + next_top);
        }
        next_top += bottom - top + GAP;
    }
    centres
}

/// Computes the centres of the vertices of each connected part.
fn arrange_thoroughly(vertices: &[Vertex], edges: &[Ends]) -> Vec<Vec<(usize, Point)>> {
    let number = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
    // The layers of the crate are rows that follow each other downwards. Here they are columns that follow each other
    // to the right. So width and height change places, and the crate's (x, y) is our (y, x).
    let sizes: Vec<_> = vertices
        .iter()
        .enumerate()
        .map(|(index, vertex)| (number(index), (vertex.height, vertex.width + COLUMN_GAP)))
        .collect();
    let numbered: Vec<_> = edges.iter().map(|(from, to)| (number(*from), number(*to))).collect();
    let config = Config {
        vertex_spacing: GAP,
        // Places each node as far left as its callers allow. `RankingType::MinimizeEdgeLength`, the default, runs
        // forever on some graphs.
        ranking_type: RankingType::Up,
        transpose: true,
        ..Config::default()
    };
    let parts = from_vertices_and_edges(&sizes, &numbered, &config);
    parts.into_iter().map(|(part, ..)| part.into_iter().map(|(index, (x, y))| (index, (y, x))).collect()).collect()
}

/// Like [`arrange_thoroughly`], for large graphs.
fn arrange_fast(vertices: &[Vertex], edges: &[Ends]) -> Vec<Vec<(usize, Point)>> {
    let heights: Vec<f64> = vertices.iter().map(|vertex| vertex.height).collect();
    // Each column has a node, and nodes are wider than the room for an edge.
    let width = vertices.iter().map(|vertex| vertex.width).fold(0.0, f64::max) + COLUMN_GAP;
    #[expect(clippy::cast_precision_loss, reason = "there are few columns")]
    let point = |(vertex, (column, y)): (usize, (usize, f64))| (vertex, (column as f64 * width, y));
    let parts = columns::arrange(&heights, edges, GAP);
    parts.into_iter().map(|part| part.into_iter().map(point).collect()).collect()
}

/// Returns the column of each vertex, counted from the left.
fn columns_of(centres: &[Point]) -> Vec<usize> {
    // Positions in one column may differ by a rounding error. Columns are at least `COLUMN_GAP` apart.
    const TOLERANCE: f64 = 1.0;

    let mut positions: Vec<f64> = centres.iter().map(|(x, _)| *x).collect();
    positions.sort_by(f64::total_cmp);
    positions.dedup_by(|a, b| (*a - *b).abs() < TOLERANCE);
    centres.iter().map(|(x, _)| positions.partition_point(|position| *position < x - TOLERANCE)).collect()
}

/// Returns each connected pair of nodes once, the left one first. Two services that call each other share a lane.
fn left_to_right(edges: &[Ends], columns: &[usize]) -> Vec<Ends> {
    let ordered = |(from, to): Ends| if columns[from] <= columns[to] { (from, to) } else { (to, from) };
    let mut pairs: Vec<_> = edges.iter().copied().map(ordered).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// Returns the points that an edge passes, in its own direction.
fn bends((from, to): Ends, lanes: &Lanes, centres: &[Point]) -> Vec<Point> {
    let points = |lane: &Vec<usize>| lane.iter().map(|index| centres[*index]).collect::<Vec<_>>();
    if let Some(lane) = lanes.get(&(from, to)) {
        return points(lane);
    }
    let mut from_right_to_left = lanes.get(&(to, from)).map(points).unwrap_or_default();
    from_right_to_left.reverse();
    from_right_to_left
}

/// Moves everything so that the drawing begins at (0, 0) with a frame around it, and leaves out the vertices of edges.
fn framed(centres: &[Point], nodes: usize, bends: Vec<Vec<Point>>, (width, height): (f64, f64)) -> Layout {
    if centres.is_empty() {
        return Layout::default();
    }
    let min = |coordinate: fn(&Point) -> f64| centres.iter().map(coordinate).fold(f64::INFINITY, f64::min);
    let max = |coordinate: fn(&Point) -> f64| centres.iter().map(coordinate).fold(f64::NEG_INFINITY, f64::max);
    let (left, top) = (min(|point| point.0), min(|point| point.1));
    let (right, bottom) = (max(|point| point.0), max(|point| point.1));
    let moved = |(x, y): Point| (x - left + width / 2.0 + FRAME, y - top + height / 2.0 + FRAME);
    Layout {
        nodes: centres[..nodes].iter().copied().map(moved).collect(),
        bends: bends.into_iter().map(|bends| bends.into_iter().map(moved).collect()).collect(),
        size: (right - left + width + 2.0 * FRAME, bottom - top + height + 2.0 * FRAME),
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
    fn a_caller_stands_left_of_the_services_that_it_calls() {
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
    fn a_graph_without_nodes_gives_an_empty_layout() {
        assert_eq!(layout(0, &[], SIZE), Layout::default());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nodes_never_overlap_and_stay_within_the_drawing(
            (nodes, edges) in (1_usize..80).prop_flat_map(|nodes| {
                (Just(nodes), proptest::collection::vec((0..nodes, 0..nodes), 0..150))
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
