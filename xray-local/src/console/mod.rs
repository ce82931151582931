//! The console: web pages that show the traces of the store.
//!
//! The pages are complete without JavaScript: they are rendered here, by `maud` templates. Such a template escapes
//! every value that it inserts, so that no text of a document can become markup. The script (`assets/console.js`) only
//! adds live updates, keyboard control and the panel beside the timeline. The content security policy of a page allows
//! its own style sheet, its own script and requests to its own server, and nothing else.
//!
//! Each page is a function that takes the [`Console`] and returns markup. Pages import from `page`, `entity`,
//! `elements`, `status`, `link` and `format`, and these import no page.

mod assets;
mod counters;
mod elements;
mod entity;
mod format;
mod label;
mod link;
mod list;
mod map;
mod page;
mod problems;
mod sampling;
mod segment;
mod state;
mod status;
mod timeline;
mod trace;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::Markup;
use serde::Deserialize;

use crate::rules::SamplingRules;
use crate::store::Store;

use state::Console;

/// Creates the routes of all pages. `address` is where the server listens, and `dropped` counts the datagrams that it
/// dropped.
///
/// | path | response |
/// |---|---|
/// | `/?filter=..&before=..` | the traces that match a filter expression or contain a text, newest first |
/// | `POST /sampling` | changes which requests SDKs record |
/// | `/traces/{id}?inferred=..` | one trace as a timeline |
/// | `/traces/{id}/segment?id=..` | the details of one segment or subsegment |
/// | `/map?minutes=..&zoom=..` | the service graph, as a drawing and as tables |
/// | `/problems` | rejected and suspicious documents |
/// | `/counters` | what the store received and holds |
/// | `/changes`, `/changes?trace=..` | the revision of the store or of one trace, a number that grows with each change |
/// | `/assets/..` | the style sheet, the script and the icon |
pub(crate) fn routes(store: Store, rules: SamplingRules, address: SocketAddr, dropped: Arc<AtomicU64>) -> Router {
    Router::new()
        .route("/", get(list))
        .route(sampling::PATH, post(sampling::switch))
        .route("/traces/{id}", get(trace))
        .route("/traces/{id}/segment", get(segment))
        .route("/map", get(map))
        .route("/problems", get(problems))
        .route("/counters", get(counters))
        .route("/changes", get(changes))
        .route("/assets/{name}", get(asset))
        .layer(map_response(add_security_headers))
        .with_state(Console { store, rules, address, dropped, started: Instant::now() })
}

async fn list(State(console): State<Console>, Query(query): Query<list::Query>) -> Response {
    match query.trace_address(&console) {
        Some(address) => Redirect::to(&address).into_response(),
        None => render(move || Some(list::page(&console, &query))).await,
    }
}

async fn trace(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(query): Query<timeline::Query>,
) -> Response {
    render(move || trace::page(&console, &id, &query)).await
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

/// Returns the revision of one trace or of the whole store. The script asks for it every second, so the response is one
/// number rather than a page.
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

/// Responds with the page that `page` renders, or with "Not found" if it returns `None`.
///
/// Rendering may take seconds: a filter searches the whole store. It therefore runs on a blocking thread, and the
/// threads that serve connections stay free.
async fn render(page: impl FnOnce() -> Option<Markup> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(page).await {
        Ok(Some(page)) => Html(page.into_string()).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, Html(page::not_found().into_string())).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Allows a page to load only the console's own files, to connect only to the console and to send forms only to it. No
/// other site may show a page in a frame. If a text of a document ever became markup, its scripts would not run.
///
/// There is no `'unsafe-inline'`. The templates must not use `style` attributes, and a width or a position is given as
/// an SVG attribute (`rect width=..`), which the policy allows.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'",
);

/// Adds the headers that only web pages need. The server adds `x-content-type-options` and
/// `cross-origin-resource-policy` to every response, the console's included.
async fn add_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    // Addresses hold trace ids and filter expressions, which must not leave the console with a followed link. With
    // `no-referrer` a browser would also send `Origin: null` with the console's own forms, which the server refuses.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    // Pages change with each document. Assets keep the header that they have.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
