//! HTML elements that several pages use.

use maud::{Markup, html};

use super::format;

/// Renders a time, in seconds since 1970, as its age: `12 s ago`. The script keeps the age up to date.
pub(super) fn age(seconds: f64) -> Markup {
    let age = format::age(crate::time::now() - seconds);
    html! { time data-age datetime=(format::rfc3339(seconds)) { (age) } }
}

/// Renders a time, in seconds since 1970, as date and time in UTC. The script replaces it by the reader's local time:
/// the server does not know the reader's time zone.
pub(super) fn date_time(seconds: f64) -> Markup {
    let date_time = format::rfc3339(seconds);
    html! { time data-local datetime=(date_time) { (date_time) } }
}

/// Renders a text in which backticks enclose code.
pub(super) fn with_inline_code(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
