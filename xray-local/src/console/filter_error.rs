//! The problem of a filter expression, shown at its place.

use maud::{Markup, html};

use super::elements::with_inline_code;
use crate::filter::FilterError;

/// Renders the expression with a caret under the wrong character, the message, and the expression with its mistake
/// corrected. `link` returns the address of the page with a corrected expression.
pub(super) fn filter_error(filter: &str, error: &FilterError, link: impl Fn(&str) -> String) -> Markup {
    let index = error.column.saturating_sub(1);
    let before: String = filter.chars().take(index).collect();
    // An error at the end of the expression marks the place after the last character. An empty mark would have no
    // width.
    let wrong = filter.chars().nth(index).unwrap_or('\u{a0}');
    let after: String = filter.chars().skip(index + 1).collect();
    html! {
        div #filter-error .filter-error role="alert" {
            // The caret is in the line below. A copy of the text before it gives it its place, whatever the width of
            // the characters.
            pre {
                (before) mark { (wrong) } (after) "\n"
                span.caret aria-hidden="true" { span { (before) } "^" }
            }
            p { "Column " (error.column) ": " (with_inline_code(&error.message)) }
            @if let Some(corrected) = error.corrected(filter) {
                p { "Search for " a.mono href=(link(&corrected)) { (corrected) } }
            }
        }
    }
}
