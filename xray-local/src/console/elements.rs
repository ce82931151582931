//! HTML elements that several pages use.

use maud::{Markup, html};

use super::format;

/// A moment, told as its age.
pub(super) fn age_of(seconds: f64) -> Markup {
    let age = format::age(crate::time::now() - seconds);
    html! { time data-age datetime=(format::moment(seconds)) { (age) } }
}

/// A moment, told as date and time.
pub(super) fn moment(seconds: f64) -> Markup {
    let moment = format::moment(seconds);
    html! { time data-local datetime=(moment) { (moment) } }
}

/// A text in which backticks mark code.
pub(super) fn worded(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
