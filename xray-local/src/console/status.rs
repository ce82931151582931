//! How a request went: a shape, a word and a colour.

use maud::{Markup, html};

use crate::document::State;

/// The class of the style sheet.
pub(super) fn class(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Error => "error",
        State::Throttle => "throttle",
        State::Fault => "fault",
        State::InProgress => "progress",
    }
}

/// The word.
pub(super) fn word(state: State) -> &'static str {
    match state {
        State::Ok => "OK",
        State::Error => "Error",
        State::Throttle => "Throttled",
        State::Fault => "Fault",
        State::InProgress => "In progress",
    }
}

/// Shape and word.
pub(super) fn label(state: State) -> Markup {
    html! { span class={ "status " (class(state)) } { i class={ "dot " (class(state)) } {} (word(state)) } }
}

/// The shape alone, with the word for who does not see it.
pub(super) fn dot(state: State) -> Markup {
    html! { i class={ "dot " (class(state)) } role="img" aria-label=(word(state)) {} }
}
