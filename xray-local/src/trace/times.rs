//! Which time of a trace each row explains: the time that it spends by itself, and its part of the critical path.

use super::Row;

/// The times of a [`Row`].
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Times {
    /// The time in which no child of the row was running, in seconds. `None` while the row is in progress.
    pub(crate) own: Option<f64>,
    /// The row's part of the critical path, as starts and ends in seconds since 1970, the latest first.
    pub(crate) critical: Vec<(f64, f64)>,
}

impl Times {
    /// Returns the length of the row's part of the critical path, in seconds.
    pub(crate) fn critical_seconds(&self) -> f64 {
        self.critical.iter().map(|(start, end)| end - start).sum()
    }
}

/// Returns the times of each row of a tree ([`Trace::rows`](super::Trace::rows)).
///
/// The critical path starts at the end of the row `root` and goes back in time. At each moment it is in the child that
/// ended last before that moment, or in the parent if no child did. If one of these parts were shorter, the root would
/// be shorter too.
pub(crate) fn times(rows: &[Row<'_>], root: &str) -> Vec<Times> {
    let tree = Tree::of(rows);
    let mut times: Vec<_> = (0..rows.len()).map(|row| Times { own: tree.own(row), critical: Vec::new() }).collect();
    if let Some(root) = rows.iter().position(|row| row.document.id == root) {
        tree.follow(root, &mut times);
    }
    times
}

/// The rows with their children and their ends.
struct Tree<'a> {
    rows: &'a [Row<'a>],
    /// The children of each row, ordered by start.
    children: Vec<Vec<usize>>,
    /// The end of the trace. It stands for the end of a row that is in progress.
    last: f64,
}

/// A part of the critical path whose rows are not known yet: it is within this row and this time.
struct OpenRow {
    row: usize,
    start: f64,
    end: f64,
}

impl<'a> Tree<'a> {
    fn of(rows: &'a [Row<'a>]) -> Self {
        let (mut children, mut above) = (vec![Vec::new(); rows.len()], Vec::<usize>::new());
        for (index, row) in rows.iter().enumerate() {
            above.truncate(row.depth);
            if let Some(&parent) = above.last() {
                children[parent].push(index);
            }
            above.push(index);
        }
        let ends = rows.iter().map(|row| row.document.end_time.unwrap_or(row.document.start_time));
        let last = ends.max_by(f64::total_cmp).unwrap_or_default();
        Self { rows, children, last }
    }

    fn start(&self, row: usize) -> f64 {
        self.rows[row].document.start_time
    }

    fn end(&self, row: usize) -> f64 {
        self.rows[row].document.end_time.unwrap_or(self.last)
    }

    fn own(&self, row: usize) -> Option<f64> {
        let (start, end) = (self.start(row), self.rows[row].document.end_time?);
        let (mut own, mut covered) = ((end - start).max(0.0), start);
        for &child in &self.children[row] {
            let (from, to) = (self.start(child).max(covered), self.end(child).min(end));
            if to > from {
                own -= to - from;
                covered = to;
            }
        }
        Some(own.max(0.0))
    }

    /// Adds the critical path of a row to the times.
    ///
    /// A stack replaces recursion here: a trace may be a chain of thousands of calls.
    fn follow(&self, root: usize, times: &mut [Times]) {
        let mut stack = vec![OpenRow { row: root, start: self.start(root), end: self.end(root) }];
        while let Some(OpenRow { row, start, end }) = stack.pop() {
            // A child may end after its parent, which did not wait for it, or by a clock that differs.
            let ends = |child: usize| self.end(child).min(end);
            let mut children: Vec<usize> = self.children[row].clone();
            // Of children that end together, the one that started first explains most.
            children.sort_by(|a, b| ends(*b).total_cmp(&ends(*a)).then(self.start(*a).total_cmp(&self.start(*b))));
            let mut at = end;
            for child in children {
                let (from, to) = (self.start(child).max(start), ends(child));
                if to > at || from >= to {
                    continue;
                }
                if to < at {
                    times[row].critical.push((to, at));
                }
                stack.push(OpenRow { row: child, start: from, end: to });
                at = from;
            }
            if start < at {
                times[row].critical.push((start, at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::trace::Trace;

    /// The name, the own time and the critical path of a row.
    type Found = (String, Option<f64>, Vec<(f64, f64)>);

    /// Returns what is found for each row.
    fn found(documents: &[Value]) -> Vec<Found> {
        let trace = Trace::of_values(documents.iter().cloned());
        let rows = trace.rows(false);
        let times = times(&rows, "root");
        rows.iter().zip(times).map(|(row, times)| (row.document.name.clone(), times.own, times.critical)).collect()
    }

    fn entity(id: &str, start: f64, end: f64, children: &[Value]) -> Value {
        json!({"id": id, "name": id, "start_time": start, "end_time": end, "subsegments": children})
    }

    fn row(name: &str, own: f64, critical: &[(f64, f64)]) -> Found {
        (name.to_owned(), Some(own), critical.to_vec())
    }

    #[test]
    fn of_parallel_children_the_one_that_ends_last_is_critical() {
        let children = [entity("a", 1.0, 4.0, &[]), entity("b", 2.0, 6.0, &[]), entity("c", 7.0, 8.0, &[])];
        assert_eq!(
            found(&[entity("root", 0.0, 10.0, &children)]),
            [
                row("root", 4.0, &[(8.0, 10.0), (6.0, 7.0), (0.0, 2.0)]),
                row("a", 3.0, &[]),
                row("b", 4.0, &[(2.0, 6.0)]),
                row("c", 1.0, &[(7.0, 8.0)]),
            ]
        );
    }

    #[test]
    fn a_called_segment_explains_the_time_of_its_call() {
        let call = json!({"id": "call", "name": "call", "namespace": "remote", "start_time": 1, "end_time": 5});
        let mut callee = entity("callee", 2.0, 4.0, &[]);
        callee["parent_id"] = "call".into();
        assert_eq!(
            found(&[entity("root", 0.0, 6.0, &[call]), callee]),
            [
                row("root", 2.0, &[(5.0, 6.0), (0.0, 1.0)]),
                row("call", 2.0, &[(4.0, 5.0), (1.0, 2.0)]),
                row("callee", 2.0, &[(2.0, 4.0)]),
            ]
        );
    }

    #[test]
    fn a_child_outside_its_parent_counts_only_within_it() {
        let children =
            [entity("early", -3.0, 1.0, &[]), entity("late", 8.0, 30.0, &[]), entity("after", 20.0, 21.0, &[])];
        let found = found(&[entity("root", 0.0, 10.0, &children)]);
        assert_eq!(found[0], row("root", 7.0, &[(1.0, 8.0)]));
        let critical: Vec<_> =
            found[1..].iter().map(|(name, _, critical)| (name.as_str(), critical.as_slice())).collect();
        assert_eq!(critical, [("early", &[(0.0, 1.0)][..]), ("late", &[(8.0, 10.0)]), ("after", &[])]);
    }

    #[test]
    fn a_row_in_progress_reaches_the_end_of_the_trace_and_has_no_own_time() {
        let open = json!({"id": "root", "name": "root", "start_time": 0, "in_progress": true,
            "subsegments": [{"id": "a", "name": "a", "start_time": 1, "end_time": 4}]});
        assert_eq!(found(&[open]), [("root".to_owned(), None, vec![(0.0, 1.0)]), row("a", 3.0, &[(1.0, 4.0)])]);
    }

    #[test]
    fn the_parts_of_the_critical_path_never_overlap_whatever_the_times_are() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            let mut time = || random.f64() * 10.0 - 2.0;
            let mut documents = vec![entity("root", 0.0, 8.0, &[])];
            for number in 0..30 {
                let (start, end) = (time(), time());
                let parent = if number < 4 { "root".to_owned() } else { format!("{}", number / 3) };
                documents
                    .push(json!({"id": number.to_string(), "type": "subsegment", "parent_id": parent, "name": "a",
                    "start_time": start, "end_time": end}));
            }
            let mut parts: Vec<_> = found(&documents).into_iter().flat_map(|(_, _, critical)| critical).collect();
            parts.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(parts.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 1e-9), "{parts:?}");
            let all: f64 = parts.iter().map(|(start, end)| end - start).sum();
            assert!((all - 8.0).abs() < 1e-6, "the path covers the whole time of the root: {parts:?}");
        }
    }
}
