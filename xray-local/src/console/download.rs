//! A trace as a file.

use axum::http::{Response, StatusCode, header};
use serde::Deserialize;

use super::state::Console;
use crate::api::batch_of;
use crate::document::TraceId;
use crate::otlp;

/// The end of the address of a file.
pub(super) const SUFFIX: &str = ".json";

/// The parameters of the address.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Query {
    /// `otlp`, or `xray` or nothing for the form of `BatchGetTraces`.
    #[serde(default)]
    format: String,
}

/// Returns a trace as a file, which a browser saves instead of showing it. Returns `None` if the store does not hold
/// the trace.
pub(super) fn file(console: &Console, id: &str, query: &Query) -> Option<Response<Vec<u8>>> {
    let id = TraceId::parse(id).or_else(|| TraceId::parse_w3c(id))?.to_string();
    let trace = console.store.stored(&id)?.open();
    let (name, body) = match query.format.as_str() {
        "" | "xray" => (format!("{id}.json"), batch_of(&trace)),
        "otlp" => {
            let received = trace.segments.iter().filter(|segment| !segment.inferred);
            (format!("{id}.otlp.json"), otlp::requests(received))
        }
        _ => {
            let mut response = Response::new(b"the parameter `format` must be `xray` or `otlp`".to_vec());
            *response.status_mut() = StatusCode::BAD_REQUEST;
            return Some(response);
        }
    };
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        // The id has only digits, letters and hyphens.
        .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""));
    Some(response.body(body).expect("the headers are valid"))
}
