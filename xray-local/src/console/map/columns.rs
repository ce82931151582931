//! A fast arrangement of large graphs in columns.
//!
//! The time grows with the number of vertices and edges, times a logarithm. The crate that arranges small graphs finds
//! fewer crossings, and takes too long for large ones.

use std::collections::HashMap;

/// An edge, by the indices of the nodes from which and to which it goes.
pub(super) type Ends = (usize, usize);

/// How often the columns are sorted from left to right and back.
const SWEEPS: usize = 6;
/// How often vertices move towards their neighbours.
const MOVES: usize = 8;

/// A part of a graph whose vertices are connected: each vertex with its column and the height of its centre.
pub(super) type Part = Vec<(usize, (usize, f64))>;

/// Arranges vertices of these heights, `gap` apart. The edges lead to the right, except some of those that form
/// circles.
pub(super) fn arrange(heights: &[f64], edges: &[Ends], gap: f64) -> Vec<Part> {
    let edges = without_circles(heights.len(), edges);
    let graph = Graph::of(heights.len(), &edges);
    let columns = graph.columns();
    graph.parts().into_iter().map(|part| arrange_part(&graph, &part, &columns, heights, gap)).collect()
}

/// The neighbours of each vertex.
struct Graph {
    /// To the left.
    before: Vec<Vec<usize>>,
    /// To the right.
    after: Vec<Vec<usize>>,
}

impl Graph {
    fn of(vertices: usize, edges: &[Ends]) -> Self {
        let (mut before, mut after) = (vec![Vec::new(); vertices], vec![Vec::new(); vertices]);
        for (from, to) in edges {
            after[*from].push(*to);
            before[*to].push(*from);
        }
        Self { before, after }
    }

    /// Returns the column of each vertex: as far left as its neighbours on the left allow.
    fn columns(&self) -> Vec<usize> {
        let mut columns = vec![0; self.before.len()];
        let mut missing: Vec<usize> = self.before.iter().map(Vec::len).collect();
        let mut ready: Vec<usize> = (0..missing.len()).filter(|vertex| missing[*vertex] == 0).collect();
        while let Some(vertex) = ready.pop() {
            for next in &self.after[vertex] {
                columns[*next] = columns[*next].max(columns[vertex] + 1);
                missing[*next] -= 1;
                if missing[*next] == 0 {
                    ready.push(*next);
                }
            }
        }
        columns
    }

    /// Returns the connected parts. In each, a vertex is followed by its neighbours on the right.
    fn parts(&self) -> Vec<Vec<usize>> {
        let mut seen = vec![false; self.before.len()];
        let mut parts = Vec::new();
        // A part begins with a vertex in the first column, from which more of it can be reached to the right.
        let mut starts: Vec<usize> = (0..seen.len()).collect();
        starts.sort_by_key(|vertex| self.before[*vertex].len());
        for start in starts {
            let (mut part, mut waiting) = (Vec::new(), vec![start]);
            while let Some(vertex) = waiting.pop() {
                if !std::mem::replace(&mut seen[vertex], true) {
                    part.push(vertex);
                    waiting.extend(&self.before[vertex]);
                    waiting.extend(self.after[vertex].iter().rev());
                }
            }
            if !part.is_empty() {
                parts.push(part);
            }
        }
        parts
    }
}

/// Turns around the edges that close a circle.
fn without_circles(vertices: usize, edges: &[Ends]) -> Vec<Ends> {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        Not,
        Running,
        Done,
    }
    let mut after = vec![Vec::new(); vertices];
    for (from, to) in edges {
        after[*from].push(*to);
    }
    let mut visits = vec![Visit::Not; vertices];
    let mut straight = Vec::with_capacity(edges.len());
    for start in 0..vertices {
        let mut stack = vec![(start, 0)];
        while let Some((vertex, next)) = stack.last_mut() {
            let vertex = *vertex;
            if *next == 0 && visits[vertex] != Visit::Not {
                stack.pop();
                continue;
            }
            visits[vertex] = Visit::Running;
            // The edges that are still to be followed.
            let followed = after[vertex].iter().enumerate().skip(*next);
            let mut deeper = None;
            for (index, to) in followed {
                *next = index + 1;
                match visits[*to] {
                    Visit::Running => straight.push((*to, vertex)),
                    Visit::Done => straight.push((vertex, *to)),
                    Visit::Not => {
                        straight.push((vertex, *to));
                        deeper = Some(*to);
                        break;
                    }
                }
            }
            if let Some(to) = deeper {
                stack.push((to, 0));
            } else {
                visits[vertex] = Visit::Done;
                stack.pop();
            }
        }
    }
    straight
}

fn arrange_part(graph: &Graph, part: &[usize], columns: &[usize], heights: &[f64], gap: f64) -> Part {
    let last = part.iter().map(|vertex| columns[*vertex]).max().unwrap_or_default();
    let mut order = vec![Vec::new(); last + 1];
    for vertex in part {
        order[columns[*vertex]].push(*vertex);
    }
    // The positions of vertices in their columns, later their heights.
    let mut at: HashMap<usize, f64> = HashMap::with_capacity(part.len());
    for column in &order {
        number(column, &mut at);
    }
    for sweep in 0..SWEEPS {
        for index in 0..order.len() {
            // From left to right by the neighbours on the left, then from right to left by those on the right.
            let (index, neighbours) =
                if sweep % 2 == 0 { (index, &graph.before) } else { (order.len() - 1 - index, &graph.after) };
            let column = &mut order[index];
            column.sort_by(|a, b| mean(&neighbours[*a], &at, at[a]).total_cmp(&mean(&neighbours[*b], &at, at[b])));
            number(column, &mut at);
        }
    }
    for column in &order {
        place(column, |_| 0.0, heights, gap, &mut at);
    }
    for turn in 0..MOVES {
        for index in 0..order.len() {
            let (index, neighbours) =
                if turn % 2 == 0 { (index, &graph.before) } else { (order.len() - 1 - index, &graph.after) };
            let wanted: HashMap<usize, f64> =
                order[index].iter().map(|vertex| (*vertex, mean(&neighbours[*vertex], &at, at[vertex]))).collect();
            place(&order[index], |vertex| wanted[&vertex], heights, gap, &mut at);
        }
    }
    part.iter().map(|vertex| (*vertex, (columns[*vertex], at[vertex]))).collect()
}

/// Sets the positions of the vertices of a column. They are shares of its length, so that columns can be compared.
fn number(column: &[usize], at: &mut HashMap<usize, f64>) {
    #[expect(clippy::cast_precision_loss, reason = "a graph has few vertices")]
    let share = |index: usize| (index as f64 + 0.5) / column.len() as f64;
    at.extend(column.iter().enumerate().map(|(index, vertex)| (*vertex, share(index))));
}

/// Returns the mean position of neighbours, or the vertex's own position if it has none.
fn mean(neighbours: &[usize], at: &HashMap<usize, f64>, own: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a vertex has few neighbours")]
    let count = neighbours.len() as f64;
    if neighbours.is_empty() { own } else { neighbours.iter().map(|neighbour| at[neighbour]).sum::<f64>() / count }
}

/// Places the vertices of a column as near as possible to where they are wanted. They keep their order and distance.
///
/// Without its distance to the first vertex, each vertex may stand no higher than the one before it. Neighbours that
/// would are joined in a block, which stands at the mean of where its vertices are wanted. ("Pool adjacent violators".)
fn place(column: &[usize], wanted: impl Fn(usize) -> f64, heights: &[f64], gap: f64, at: &mut HashMap<usize, f64>) {
    // The sum of the wanted places of a block, and the number of its vertices.
    let mut blocks: Vec<(f64, f64)> = Vec::new();
    let mut distances = Vec::with_capacity(column.len());
    let mut distance = 0.0;
    for (index, vertex) in column.iter().enumerate() {
        if let Some(before) = index.checked_sub(1) {
            distance += f64::midpoint(heights[column[before]], heights[*vertex]) + gap;
        }
        distances.push(distance);
        let mut block = (wanted(*vertex) - distance, 1.0);
        while let Some(last) = blocks.last().filter(|last| last.0 / last.1 >= block.0 / block.1) {
            block = (block.0 + last.0, block.1 + last.1);
            blocks.pop();
        }
        blocks.push(block);
    }
    let mut rest = column.iter().zip(distances);
    for (sum, count) in blocks {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the number of vertices of a column"
        )]
        for (vertex, distance) in rest.by_ref().take(count as usize) {
            at.insert(*vertex, sum / count + distance);
        }
    }
}
