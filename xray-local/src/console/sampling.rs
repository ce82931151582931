//! The note about sampling on the first page, and its switch.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::format;
use super::state::Console;
use crate::rules::{DefaultRule, Sampling};

/// The address that the switch posts to.
pub(super) const PATH: &str = "/sampling";

/// The field of the form, and the names of its values.
const FIELD: &str = "sampling";
const SETTINGS: [(Sampling, &str); 2] = [(Sampling::Everything, "everything"), (Sampling::Aws, "aws")];

/// Renders which requests SDKs record, and a button for each other setting. With a rules file there is nothing to
/// render: its rules are the developer's own.
pub(super) fn note(console: &Console) -> Markup {
    let Some(rule) = console.rules.default_rule() else { return html! {} };
    html! {
        // A form with the method POST, because following a link must change nothing. The server refuses the form of a
        // page of another origin.
        form.sampling method="post" action=(PATH) {
            p {
                "Sampling: SDKs record " (recorded(&rule)) "."
                @if rule.sampling != Some(Sampling::Everything) {
                    " The list may have fewer traces than requests."
                }
                @if rule.others > 0 {
                    " " (format::count_of(rule.others, "other rule"))
                    @if rule.others == 1 { " applies" } @else { " apply" } " first."
                }
            }
            @for (sampling, name) in SETTINGS {
                @if rule.sampling != Some(sampling) {
                    button.small type="submit" name=(FIELD) value=(name) { (action(sampling)) }
                }
            }
        }
    }
}

/// Returns what the default rule records.
fn recorded(rule: &DefaultRule) -> String {
    match rule.sampling {
        Some(Sampling::Everything) => "every request".to_owned(),
        Some(Sampling::Aws) => "1 request a second and 5 % of the others, as in AWS".to_owned(),
        None => {
            let reservoir = format::count_of(rule.reservoir.into(), "request");
            let percent = (rule.rate * 1e4).round() / 100.0;
            format!("{reservoir} a second and {percent} % of the others")
        }
    }
}

fn action(sampling: Sampling) -> &'static str {
    match sampling {
        Sampling::Everything => "Record every request",
        Sampling::Aws => "Sample as in AWS",
    }
}

/// Changes the default rule to the setting in the form, and leads back to the first page.
pub(super) async fn switch(State(console): State<Console>, body: String) -> Response {
    let chosen = form_urlencoded::parse(body.as_bytes()).find(|(field, _)| field == FIELD).map(|(_, value)| value);
    let sampling =
        SETTINGS.into_iter().find(|(_, name)| chosen.as_deref() == Some(*name)).map(|(sampling, _)| sampling);
    let Some(sampling) = sampling else {
        let message = "the form has no field `sampling` with the value `everything` or `aws`";
        return (StatusCode::BAD_REQUEST, message).into_response();
    };
    if !console.rules.set_sampling(sampling, crate::time::now()) {
        let message = "xray-local was started with --rules, so the file has the sampling rules";
        return (StatusCode::CONFLICT, message).into_response();
    }
    Redirect::to("/").into_response()
}
