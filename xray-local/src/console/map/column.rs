//! The drawing for narrow screens: the services below each other, the calls as arcs beside them.
//!
//! The drawing for wide screens has a column for each step of a call. Shrunk to a phone, its text could not be read.
//! Here the width does not depend on the graph, so nothing is shrunk.

use maud::{Markup, html};

use super::columns::Ends;
use super::layout::{Layout, Point};
use super::picture::{DESCRIPTION, Drawn, NODE, arrowhead, line, node, round};

/// The vertical distance between two services.
const GAP: f64 = 16.0;
/// The room at the edges of the drawing.
const FRAME: f64 = 4.0;
/// The room for arcs. With the nodes, it is narrower than the narrowest phones.
const GUTTER: f64 = 84.0;
/// The horizontal distance between two arcs that overlap.
const LANE: f64 = 8.0;
/// The lanes that the gutter has room for. Further arcs share the outermost one.
const MAX_LANES: usize = 9;
/// How far above the centre of a node arcs arrive, and how far below it they leave.
const SPLIT: f64 = 12.0;

/// Renders the drawing. Callers stand above the services that they call, in the order of the columns of the
/// drawing for wide screens.
pub(super) fn column(drawn: &Drawn<'_>) -> Markup {
    let rows = rows(&drawn.layout);
    let centre = |service: usize| -> Point {
        #[expect(clippy::cast_precision_loss, reason = "there are at most 500 rows")]
        let row = rows[service] as f64;
        (FRAME + NODE.0 / 2.0, FRAME + NODE.1 / 2.0 + row * (NODE.1 + GAP))
    };
    let lanes = lanes(&drawn.ends.iter().map(|(from, to)| (rows[*from], rows[*to])).collect::<Vec<_>>());
    #[expect(clippy::cast_precision_loss, reason = "there are at most 500 services")]
    let height = 2.0 * FRAME + drawn.services.len() as f64 * (NODE.1 + GAP) - GAP;
    let width = 2.0 * FRAME + NODE.0 + GUTTER;
    html! {
        div.narrow role="group" aria-label=(DESCRIPTION) {
            svg width=(width) height=(round(height)) viewBox={ "0 0 " (width) " " (round(height)) } {
                (arrowhead("narrow-arrowhead"))
                @for (index, (from, to)) in drawn.ends.iter().enumerate() {
                    @let path = arc(centre(*from), centre(*to), lanes[index]);
                    (line(drawn, index, &path, "narrow-arrowhead", &html! {}))
                }
                @for (index, service) in drawn.services.iter().enumerate() { (node(drawn, service, centre(index), false)) }
            }
        }
    }
}

/// Returns the row of each service: from left to right, then from top to bottom of the drawing for wide screens.
fn rows(layout: &Layout) -> Vec<usize> {
    let mut order: Vec<usize> = (0..layout.nodes.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (layout.nodes[*a], layout.nodes[*b]);
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let mut rows = vec![0; order.len()];
    for (row, service) in order.into_iter().enumerate() {
        rows[service] = row;
    }
    rows
}

/// Returns the lane of each arc between two rows. Short arcs lie inside, and arcs that overlap have lanes of their own
/// as long as there are any.
fn lanes(ends: &[Ends]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..ends.len()).collect();
    order.sort_by_key(|index| ends[*index].0.abs_diff(ends[*index].1));
    let mut lanes = vec![0; ends.len()];
    // The rows that each lane's arcs have reached so far.
    let mut taken: Vec<Vec<Ends>> = vec![Vec::new(); MAX_LANES];
    for index in order {
        let (from, to) = ends[index];
        let (top, bottom) = (from.min(to), from.max(to));
        let is_free = |arcs: &Vec<Ends>| {
            arcs.iter().all(|(other_top, other_bottom)| bottom <= *other_top || *other_bottom <= top)
        };
        let lane = taken.iter().position(is_free).unwrap_or(MAX_LANES - 1);
        taken[lane].push((top, bottom));
        lanes[index] = lane;
    }
    lanes
}

/// Returns the path data of an arc on the right of two nodes.
fn arc((x, from): Point, (_, to): Point, lane: usize) -> String {
    let side = x + NODE.0 / 2.0;
    #[expect(clippy::cast_precision_loss, reason = "there are few lanes")]
    let bulge = 14.0 + lane as f64 * LANE;
    // A cubic curve reaches three quarters of the way to its control points.
    let control = round(side + bulge / 0.75);
    let (start, end) = (round(from + SPLIT), round(to - SPLIT));
    format!("M{side} {start}C{control} {start} {control} {end} {side} {end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_arcs_have_lanes_of_their_own_and_stay_within_the_gutter() {
        assert_eq!(lanes(&[(0, 3), (0, 1), (1, 2), (2, 3), (3, 0)]), [1, 0, 0, 0, 2]);
        let many: Vec<Ends> = (0..40).map(|row| (0, row + 1)).collect();
        let lanes = lanes(&many);
        assert_eq!(lanes.iter().max(), Some(&(MAX_LANES - 1)));
        #[expect(clippy::cast_precision_loss, reason = "there are few lanes")]
        let widest = 14.0 + (MAX_LANES - 1) as f64 * LANE;
        assert!(widest < GUTTER, "{widest}");
    }

    #[test]
    fn callers_stand_above_the_services_that_they_call() {
        let layout = super::super::layout::layout(4, &[(0, 2), (2, 1), (0, 3)], NODE);
        let rows = rows(&layout);
        assert!(rows[0] < rows[2] && rows[2] < rows[1] && rows[0] < rows[3], "{rows:?}");
    }
}
