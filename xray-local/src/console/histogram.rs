//! The histogram of response times, drawn as SVG.

use maud::{Markup, html};

use super::format;
use crate::graph::{Range, Times};

/// The most bars. With more, a bar would be too narrow for a finger.
const MAX_BARS: usize = 24;
/// The height of the tallest bar, and the room above it for the names of the percentiles, in pixels.
const HEIGHT: f64 = 56.0;
const TOP: f64 = 14.0;
/// The height of a bar with few requests, so that it can be seen and hit.
const MIN_HEIGHT: f64 = 2.0;
/// The least distance between the names of two percentiles, in per cent of the width. Names that are closer would
/// overlap.
const NAME_DISTANCE: f64 = 9.0;

/// The percentiles that the console shows: their names and their shares.
pub(super) const PERCENTILES: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)];

/// Returns the condition of a filter expression on the durations in a range.
pub(super) fn condition(range: &Range) -> String {
    match range.end {
        Some(end) => format!("responsetime >= {} AND responsetime < {end}", range.start),
        None => format!("responsetime >= {}", range.start),
    }
}

/// Renders the histogram. `link` returns the address of the traces with a request in a range, if a filter can find
/// them. `id` distinguishes the histograms of a page.
pub(super) fn histogram(id: &str, times: &Times, link: impl Fn(&Range) -> Option<String>) -> Markup {
    let ranges = times.ranges(MAX_BARS);
    let most = ranges.iter().map(|range| range.count).max().unwrap_or_default();
    html! {
        figure.chart {
            figcaption { "Response time" }
            svg.bars height=(TOP + HEIGHT + 16.0) role="group" aria-label="Response times. Each bar leads to its traces." {
                @for (index, range) in ranges.iter().enumerate() {
                    @if range.count > 0 { (bar(id, range, index, ranges.len(), most, link(range))) }
                }
                (marks(&ranges, times))
                @for (index, anchor) in [(0, "start"), (ranges.len() / 2, "middle")] {
                    @if let Some(range) = ranges.get(index) {
                        @if index == 0 || ranges.len() > 3 {
                            text x=(share(index, ranges.len())) y=(TOP + HEIGHT + 13.0) text-anchor=(anchor) {
                                (format::bound(range.start))
                            }
                        }
                    }
                }
                @if let Some(range) = ranges.last() {
                    text x="100%" y=(TOP + HEIGHT + 13.0) text-anchor="end" { (range.end.map_or("∞".to_owned(), format::bound)) }
                }
            }
        }
    }
}

fn bar(id: &str, range: &Range, index: usize, bars: usize, most: u64, address: Option<String>) -> Markup {
    let height = height(range.count, most);
    let label = format!("{}: {}", name(range), format::count_of(range.count, "request"));
    html! {
        // The `id` keeps the focus on the bar when the page is updated.
        a id={ (id) "-" (range.start) } href=[address] aria-label=(label) {
            title { (label) }
            rect.hit x=(share(index, bars)) width=(share(1, bars)) y=(TOP) height=(HEIGHT) {}
            rect.bar x=(share(index, bars)) width=(share(1, bars)) y=(TOP + HEIGHT - height) height=(height) {}
        }
    }
}

/// Renders a line for each percentile.
fn marks(ranges: &[Range], times: &Times) -> Markup {
    let mut named = f64::NEG_INFINITY;
    html! {
        @for (name, quantile) in PERCENTILES {
            @if let Some(x) = times.quantile(quantile).and_then(|seconds| position(ranges, seconds)) {
                line.mark x1={ (round(x)) "%" } x2={ (round(x)) "%" } y1=(TOP - 2.0) y2=(TOP + HEIGHT) {}
                @if x - named >= NAME_DISTANCE {
                    ({ named = x; "" })
                    text.mark-name x={ (round(x.clamp(3.0, 97.0))) "%" } y="9" text-anchor="middle" { (name) }
                }
            }
        }
    }
}

/// Returns the position of a duration, in per cent of the width.
fn position(ranges: &[Range], seconds: f64) -> Option<f64> {
    let last = ranges.len().checked_sub(1)?;
    // The duration is rounded and may lie beyond its range. It is drawn at the nearest bar.
    let index = ranges.partition_point(|range| range.start <= seconds).saturating_sub(1).min(last);
    let (start, end) = (ranges[index].start, ranges[index].end.unwrap_or(f64::INFINITY));
    let within = ((seconds - start) / (end - start)).clamp(0.0, 1.0);
    #[expect(clippy::cast_precision_loss, reason = "there are few bars")]
    let position = (index as f64 + within) * 100.0 / ranges.len() as f64;
    Some(position)
}

/// Returns the name of a range: `10 ms to 12 ms`.
fn name(range: &Range) -> String {
    match range.end {
        Some(end) => format!("{} to {}", format::bound(range.start), format::bound(end)),
        None => format!("{} and more", format::bound(range.start)),
    }
}

/// Returns the height of a bar in pixels.
pub(super) fn height(count: u64, most: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "the height of a bar needs few digits")]
    let height = count as f64 / most.max(1) as f64 * HEIGHT;
    round(height.max(MIN_HEIGHT))
}

/// Returns a share of the width in per cent, as the value of an attribute.
pub(super) fn share(part: usize, whole: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "there are few bars")]
    let percent = part as f64 * 100.0 / whole.max(1) as f64;
    format!("{percent:.2}%")
}

fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// Renders the percentiles as entries of a list of facts.
pub(super) fn percentiles(times: &Times) -> Markup {
    html! {
        @for (name, quantile) in PERCENTILES {
            div { dt { (name) } dd { (times.quantile(quantile).map_or_else(|| "–".to_owned(), format::duration)) } }
        }
    }
}
