//! The state of a request, as a shape, a word and a colour.
//!
//! No state is shown by its colour alone: each has a shape of its own, and a word beside the shape or in its label.
//! (WCAG 2.2, 1.4.1.)

use maud::{Markup, html};

use super::format;
use crate::document::State;

/// Returns the class that stands for a state in the style sheet.
pub(super) fn class(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Error => "error",
        State::Throttle => "throttle",
        State::Fault => "fault",
        State::InProgress => "progress",
    }
}

/// Returns the word for a state.
pub(super) fn word(state: State) -> &'static str {
    match state {
        State::Ok => "OK",
        State::Error => "Error",
        State::Throttle => "Throttled",
        State::Fault => "Fault",
        State::InProgress => "In progress",
    }
}

/// Returns the heading of a number of requests in a state.
pub(super) fn plural(state: State) -> &'static str {
    match state {
        State::Error => "Errors",
        State::Fault => "Faults",
        State::Ok | State::Throttle | State::InProgress => word(state),
    }
}

/// Returns a number of requests in a state: `1 fault`, `2 faults`, `2 throttled`.
pub(super) fn count(number: u64, state: State) -> String {
    match state {
        State::Error => format::count_of(number, "error"),
        State::Fault => format::count_of(number, "fault"),
        State::Ok => format!("{} OK", format::count(number)),
        State::Throttle => format!("{} throttled", format::count(number)),
        State::InProgress => format!("{} in progress", format::count(number)),
    }
}

/// Renders the shape and the word.
pub(super) fn label(state: State) -> Markup {
    html! { span class={ "status " (class(state)) } { (decorative_dot(state)) (word(state)) } }
}

/// Renders the shape alone. A screen reader reads the word.
pub(super) fn dot(state: State) -> Markup {
    html! { i class={ "dot " (class(state)) } role="img" aria-label=(word(state)) {} }
}

/// Renders the shape of a segment that was not received, so that its state is unknown.
pub(super) fn unknown_dot() -> Markup {
    html! { i.dot.unknown role="img" aria-label="Not received" {} }
}

/// Renders the shape for a place where the word stands beside it. A screen reader does not mention the shape.
pub(super) fn decorative_dot(state: State) -> Markup {
    html! { i class={ "dot " (class(state)) } {} }
}
