//! Which part of a trace the timeline shows: the parameters of the page, and the addresses of other views.

use serde::Deserialize;

use crate::console::link;

/// The parameters of the page. They are texts, because a mistyped one must not lead to an error page: a parameter that
/// cannot be read counts as absent.
#[derive(Debug, Default, Clone, Deserialize)]
pub(in crate::console) struct View {
    /// `show` to show inferred segments. Otherwise they are left out, because each is a copy of its call.
    #[serde(default)]
    pub(super) inferred: String,
    /// A text. The rows that contain it are marked.
    #[serde(default)]
    pub(super) find: String,
    /// The start and the end of the range of time that is shown, in seconds from the start of the trace.
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    /// The id of the row that is selected. The page of rows that has it is shown.
    #[serde(default)]
    pub(super) at: String,
}

impl View {
    /// Returns the view of one segment or subsegment.
    pub(in crate::console) fn at(id: &str, shows_inferred: bool) -> Self {
        let inferred = if shows_inferred { link::SHOW_INFERRED } else { "" };
        Self { at: id.to_owned(), inferred: inferred.to_owned(), ..Self::default() }
    }

    /// Returns the address of the view of a trace.
    pub(in crate::console) fn address(&self, trace: &str) -> String {
        let Self { inferred, find, from, to, at } = self;
        let parameters = [("inferred", inferred), ("find", find), ("from", from), ("to", to), ("at", at)];
        link::with_query(&link::trace(trace), &parameters.map(|(name, value)| (name, value.as_str())))
    }

    /// Returns the parameters that a form of the page must keep, without those that it sets.
    pub(super) fn kept(&self, set: &[&str]) -> Vec<(&'static str, &str)> {
        let all = [("inferred", &self.inferred), ("find", &self.find), ("from", &self.from), ("to", &self.to)];
        let all = all.into_iter().map(|(name, value)| (name, value.as_str()));
        all.filter(|(name, value)| !value.is_empty() && !set.contains(name)).collect()
    }

    pub(super) fn shows_inferred(&self) -> bool {
        self.inferred == link::SHOW_INFERRED
    }

    pub(super) fn with_inferred(&self, shows_inferred: bool) -> Self {
        Self { inferred: if shows_inferred { link::SHOW_INFERRED.to_owned() } else { String::new() }, ..self.clone() }
    }

    /// Returns the range of time, in seconds from the start of a trace of this length. Returns `None` for the whole
    /// trace.
    pub(super) fn range(&self, length: f64) -> Option<(f64, f64)> {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        if self.from.is_empty() && self.to.is_empty() {
            return None;
        }
        let from = number(&self.from).unwrap_or(0.0).clamp(0.0, length);
        let to = number(&self.to).unwrap_or(length).clamp(0.0, length);
        (to > from && to - from < length).then_some((from, to))
    }

    /// Returns the view with another range of time, in seconds from the start of the trace.
    pub(in crate::console) fn with_range(&self, range: Option<(f64, f64)>) -> Self {
        let (from, to) = range.map(|(from, to)| (text(from), text(to))).unwrap_or_default();
        Self { from, to, at: String::new(), ..self.clone() }
    }

    pub(super) fn with_find(&self, find: &str) -> Self {
        Self { find: find.to_owned(), ..self.clone() }
    }

    pub(super) fn with_row(&self, id: &str) -> Self {
        Self { at: id.to_owned(), ..self.clone() }
    }
}

/// Writes seconds with at most microseconds, the resolution of the times: `0.25`.
pub(super) fn text(seconds: f64) -> String {
    let text = format!("{seconds:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(from: &str, to: &str) -> View {
        View { from: from.to_owned(), to: to.to_owned(), ..View::default() }
    }

    #[test]
    fn a_range_lies_within_the_trace_and_is_not_empty() {
        for (from, to, range) in [
            ("0.5", "1", Some((0.5, 1.0))),
            ("0.5", "", Some((0.5, 2.0))),
            ("", "1", Some((0.0, 1.0))),
            ("-1", "1", Some((0.0, 1.0))),
            ("1", "9", Some((1.0, 2.0))),
            ("0", "2", None),
            ("", "", None),
            ("1", "1", None),
            ("2", "1", None),
            ("NaN", "inf", None),
            ("x", "y", None),
            ("1e308", "-1e308", None),
        ] {
            assert_eq!(view(from, to).range(2.0), range, "{from} {to}");
        }
        assert_eq!(view("0.1", "0.2").range(f64::INFINITY), Some((0.1, 0.2)));
        assert_eq!(view("1", "").range(f64::INFINITY), None, "to the end");
    }

    #[test]
    fn the_address_has_only_parameters_that_are_set() {
        let view = view("", "").with_range(Some((0.25, 1.0 / 3.0))).with_find("a&b");
        assert_eq!(view.address("1-2"), "/traces/1-2?find=a%26b&from=0.25&to=0.333333");
        assert_eq!(View::default().address("1-2"), "/traces/1-2");
    }
}
