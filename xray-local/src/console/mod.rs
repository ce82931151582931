//! The console: pages that show what the store has.
//!
//! Rendered here, by templates that escape whatever comes from a document; the script only brings what is live. A page
//! allows nothing but its own style sheet, its own script and requests to where it came from.

mod assets;
mod counters;
mod elements;
mod entity;
mod format;
mod link;
mod list;
mod map;
mod page;
mod problems;
mod segment;
mod state;
mod status;
mod timeline;
mod trace;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Router, http};
use maud::Markup;
use serde::Deserialize;

use crate::store::Store;

use state::Console;

/// The pages, for a server that listens at an address, and counts the datagrams that it had to drop.
///
/// | path | page |
/// |---|---|
/// | `/?filter=..&before=..` | traces, newest first, by filter expression |
/// | `/traces/{id}` | one trace as a timeline |
/// | `/traces/{id}/segment?id=..` | all of one segment or subsegment |
/// | `/map?minutes=..&zoom=..` | the service graph as a picture and as tables |
/// | `/problems` | rejected and suspicious documents |
/// | `/counters` | what the store has seen and has |
/// | `/changes`, `/changes?trace=..` | a number that grows with what came |
/// | `/assets/..` | style sheet, script, icon |
pub(crate) fn routes(store: Store, address: SocketAddr, dropped: Arc<AtomicU64>) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/traces/{id}", get(trace))
        .route("/traces/{id}/segment", get(segment))
        .route("/map", get(map))
        .route("/problems", get(problems))
        .route("/counters", get(counters))
        .route("/changes", get(changes))
        .route("/assets/{name}", get(asset))
        .layer(map_response(guarded))
        .with_state(Console { store, address, dropped, started: Instant::now() })
}

async fn list(State(console): State<Console>, Query(query): Query<list::Query>) -> Response {
    render(move || Some(list::page(&console, &query))).await
}

async fn trace(State(console): State<Console>, Path(id): Path<String>) -> Response {
    render(move || trace::page(&console, &id)).await
}

#[derive(Deserialize)]
struct SegmentQuery {
    id: String,
}

async fn segment(
    State(console): State<Console>,
    Path(trace): Path<String>,
    Query(SegmentQuery { id }): Query<SegmentQuery>,
) -> Response {
    render(move || segment::page(&console, &trace, &id)).await
}

async fn map(State(console): State<Console>, Query(query): Query<map::Query>) -> Response {
    render(move || Some(map::page(&console, &query))).await
}

async fn problems(State(console): State<Console>) -> Response {
    render(move || Some(problems::page(&console))).await
}

async fn counters(State(console): State<Console>) -> Response {
    render(move || Some(counters::page(&console))).await
}

#[derive(Deserialize)]
struct ChangesQuery {
    trace: Option<String>,
}

async fn changes(State(console): State<Console>, Query(query): Query<ChangesQuery>) -> String {
    let revision = match query.trace {
        None => console.revision(),
        Some(id) => console.store.stored(&id).map_or(0, |stored| stored.revision()),
    };
    revision.to_string()
}

async fn asset(Path(name): Path<String>) -> Response {
    match assets::find(&name) {
        Some(asset) => asset.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Answers with a page, made off the threads that serve connections: it may be long work. Without a page, what was asked
/// for is not here.
async fn render(page: impl FnOnce() -> Option<Markup> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(page).await {
        Ok(Some(page)) => Html(page.into_string()).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, Html(page::not_found().into_string())).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Nothing but what is of the console's own may run, load or be reached from a page, nor may another site frame it.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'",
);

async fn guarded(mut response: Response) -> Response {
    let headers: &mut http::HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
