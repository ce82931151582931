//! The numbers of the traces that match the filter: how many, how they ended, how long they took.

use maud::{Markup, html};

use crate::console::histogram::{condition, histogram, percentiles};
use crate::console::periods::Periods;
use crate::console::range::Range;
use crate::console::{format, link, status};
use crate::document::State;
use crate::filter::Search;
use crate::graph::Times;
use crate::trace::Trace;

/// The numbers of the traces added so far.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The response times of the traces whose root segment has ended.
    times: Times,
    /// The start and the state of each trace.
    starts: Vec<(f64, State)>,
}

impl Numbers {
    /// Adds a trace.
    pub(super) fn add(&mut self, trace: &Trace) {
        self.starts.push((trace.start(), trace.state()));
        // The filter expression `responsetime` refers to the root segment, too.
        if let Some(seconds) = trace.response_time() {
            self.times.add(seconds);
        }
    }

    /// Returns the number of traces.
    pub(super) fn traces(&self) -> usize {
        self.starts.len()
    }

    /// Renders the numbers. `text` is the text of the search box, and `search` its meaning. The links keep the
    /// range of time.
    pub(super) fn render(&self, text: &str, search: &Search, period: &Range) -> Markup {
        let (whole, range) = split_range(text);
        // A bar replaces the range that is in the text already.
        let wider = range.and_then(|_| Search::parse(whole).ok());
        let link = |condition: &str| {
            let (search, text) = wider.as_ref().map_or((search, text), |wider| (wider, whole));
            link::traces_in(&search.narrowed(text, condition), &period.parameters())
        };
        let count = |state: State| self.starts.iter().filter(|(_, other)| *other == state).count() as u64;
        let ended = self.traces() as u64 - count(State::InProgress);
        let states = [State::Fault, State::Throttle, State::Error].map(|state| (state, count(state)));
        let periods = Periods::of(&self.starts);
        html! {
            section.card.numbers aria-label="Statistics" {
                dl.facts {
                    div { dt { "Requests" } dd { (format::count(self.traces() as u64)) } }
                    @for (state, count) in states {
                        div {
                            dt { (status::plural(state)) }
                            dd {
                                @if count > 0 { (status::decorative_dot(state)) " " }
                                (format::count(count)) " " small { (format::percent(count, ended)) }
                            }
                        }
                    }
                    (percentiles(&self.times))
                    @if range.is_some() {
                        div { dt { "Range" } dd { a #all-times href=(link::traces_in(whole, &period.parameters())) { "All response times" } } }
                    }
                }
                div.charts {
                    (histogram("time", &self.times, |range| Some(link(&condition(range)))))
                    (periods.throughput())
                    (periods.failures())
                }
            }
        }
    }
}

/// Splits a filter expression before the range that a bar of the histogram has added to it.
fn split_range(text: &str) -> (&str, Option<&str>) {
    let Some(index) = text.rfind("responsetime >= ") else { return (text, None) };
    let (whole, range) = text.split_at(index);
    let numbers = range.trim_start_matches("responsetime >= ");
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let is_range = numbers
        .split_once(" AND responsetime < ")
        .map_or_else(|| is_number(numbers), |(start, end)| is_number(start) && is_number(end));
    let whole = if whole.is_empty() { Some("") } else { whole.strip_suffix(" AND ") };
    match whole {
        Some(whole) if is_range => (whole, Some(range)),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_a_bar_is_split_off_and_nothing_else() {
        for (text, split) in [
            ("responsetime >= 0.1 AND responsetime < 0.2", ("", true)),
            ("fault AND responsetime >= 0.1 AND responsetime < 0.2", ("fault", true)),
            ("(ok OR fault) AND responsetime >= 92000", ("(ok OR fault)", true)),
            ("fault AND responsetime >= 0.1 AND ok", ("fault AND responsetime >= 0.1 AND ok", false)),
            ("fault OR responsetime >= 0.1", ("fault OR responsetime >= 0.1", false)),
            ("service(\"a\") { responsetime >= 0.1 }", ("service(\"a\") { responsetime >= 0.1 }", false)),
            ("", ("", false)),
        ] {
            let (whole, range) = split_range(text);
            assert_eq!((whole, range.is_some()), split, "{text}");
        }
    }
}
