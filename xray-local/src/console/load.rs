//! Loading files with traces: the form, and the result for each file.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::http::{Response as HttpResponse, StatusCode, header};
use axum::response::Response;
use maud::{Markup, html};

use super::page::{Page, Section};
use super::state::Console;
use super::{format, link, page};
use crate::import::{Imported, import};

/// The address of the form, to which it posts too.
pub(super) const PATH: &str = "/load";

/// The field of the form that has the files.
const FIELD: &str = "file";

/// The most files that are read at a time, and the longest name of a file that is shown.
const MAX_FILES: usize = 100;
const MAX_NAME_CHARS: usize = 100;

/// How many traces of the loaded files are listed.
const MAX_LISTED: usize = 100;

/// A file of the form.
struct File {
    name: String,
    content: Bytes,
}

/// Responds with the form.
pub(super) async fn form(State(console): State<Console>) -> Response {
    console.clone().respond(move || page::response(StatusCode::OK, rendered(&console, &html! {}))).await
}

/// Loads the files of the form. Leads to the trace if the files hold one trace, and otherwise says what they hold.
pub(super) async fn load(State(console): State<Console>, form: Result<Multipart, MultipartRejection>) -> Response {
    let files = match form {
        Ok(form) => files(form).await,
        Err(rejection) => Err(rejection.body_text()),
    };
    console
        .clone()
        .respond(move || {
            let imported = files.map(|files| imported(&console, files));
            match &imported {
                Ok(imported) if imported.iter().all(|(_, imported)| imported.problem_count == 0) => {
                    let mut traces = imported.iter().flat_map(|(_, imported)| &imported.traces);
                    if let (Some(trace), None) = (traces.next(), traces.next()) {
                        return see_other(&link::trace(&trace.to_string()));
                    }
                    page::response(StatusCode::OK, rendered(&console, &outcome(imported)))
                }
                Ok(imported) => {
                    page::response(StatusCode::UNPROCESSABLE_ENTITY, rendered(&console, &outcome(imported)))
                }
                Err(reason) => {
                    let problem = html! { p.notice.bad role="alert" { (reason) } };
                    page::response(StatusCode::UNPROCESSABLE_ENTITY, rendered(&console, &problem))
                }
            }
        })
        .await
}

fn see_other(address: &str) -> HttpResponse<Vec<u8>> {
    let response = HttpResponse::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, address);
    response.body(Vec::new()).expect("the address of a trace is the value of a header")
}

/// Reads the files of a form.
async fn files(mut form: Multipart) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(error) => return Err(format!("The form cannot be read: {}", error.body_text())),
        };
        if field.name() != Some(FIELD) {
            continue;
        }
        let name = format::truncate(field.file_name().unwrap_or_default(), MAX_NAME_CHARS);
        let content = field.bytes().await.map_err(|error| format!("The form cannot be read: {}", error.body_text()))?;
        // A browser sends an empty file without a name if none was chosen.
        if !(name.is_empty() && content.is_empty()) {
            files.push(File { name, content });
        }
        if files.len() > MAX_FILES {
            return Err(format!("Choose at most {MAX_FILES} files at a time."));
        }
    }
    if files.is_empty() { Err("Choose a file first.".to_owned()) } else { Ok(files) }
}

fn imported(console: &Console, files: Vec<File>) -> Vec<(String, Imported)> {
    files.into_iter().map(|file| (file.name, import(&file.content, &console.intake))).collect()
}

fn rendered(console: &Console, outcome: &Markup) -> Markup {
    let content = html! {
        div.head { h1 { "Load a file" } p { "Or drop it on any page" } }
        (outcome)
        form #load .card.load action=(PATH) method="post" enctype="multipart/form-data" {
            p {
                "A file holds a segment document, one document per line, traces as "
                code { "aws xray batch-get-traces" } " prints them, or OpenTelemetry spans as OTLP in JSON, up to 8 MiB."
            }
            p.line {
                label.visually-hidden for="file" { "Files" }
                input #file type="file" name=(FIELD) multiple required;
                button.button type="submit" { "Load" }
            }
        }
    };
    Page::new("Load a file", Section::Traces, console.revision(), content).render(console)
}

/// Renders which traces the files hold, and what was not taken.
fn outcome(imported: &[(String, Imported)]) -> Markup {
    html! {
        @for (name, imported) in imported {
            @if imported.problem_count > 0 {
                div.notice.bad role="alert" {
                    div {
                        p { b { (name) } ": " (format::count_of(imported.problem_count as u64, "problem")) }
                        ul.reasons {
                            @for problem in &imported.problems {
                                li {
                                    @if let Some(line) = problem.line { "Line " (line) ": " }
                                    (problem.reason)
                                }
                            }
                        }
                    }
                }
            }
            @if !imported.traces.is_empty() {
                div.notice {
                    div {
                        p { b { (name) } ": " (format::count_of(imported.traces.len() as u64, "trace")) }
                        ul {
                            @for trace in imported.traces.iter().take(MAX_LISTED) {
                                @let id = trace.to_string();
                                li { a.mono href=(link::trace(&id)) { (id) } }
                            }
                            @if imported.traces.len() > MAX_LISTED { li { a href="/" { "Show all traces" } } }
                        }
                    }
                }
            }
        }
    }
}
