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
mod compare;
mod counters;
mod curl;
mod download;
mod elements;
mod empty;
mod entity;
mod filter_error;
mod flame;
mod format;
mod histogram;
mod label;
mod link;
mod list;
mod load;
mod logs;
mod map;
mod page;
mod parameter;
mod periods;
mod problems;
mod range;
mod recent;
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
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::Markup;
use serde::Deserialize;

use crate::account::Account;
use crate::intake::Intake;
use crate::jobs::Jobs;
use crate::rules::SamplingRules;

use state::Console;

/// Creates the routes of all pages. `address` is where the server listens, `otlp_address` the additional address for
/// spans, and `dropped` counts the datagrams that the server dropped.
///
/// | path | response |
/// |---|---|
/// | `/?filter=..&before=..` | the traces that match a filter expression or contain a text, newest first, and their statistics |
/// | `/?filter=..&by=..&sort=..` | the statistics of these traces by URL or by operation |
/// | `POST /sampling` | changes which requests SDKs record |
/// | `/traces/{id}?find=..&from=..&to=..&at=..&inferred=..` | one trace as a timeline |
/// | `/traces/{id}.json?format=..` | one trace as a file, in X-Ray's form or as OTLP |
/// | `/traces/{id}/flame` | one trace as a flame graph |
/// | `/traces/{id}/segment?id=..` | the details of one segment or subsegment |
/// | `/map?filter=..&node=..&to=..` | the service graph, as a drawing and as tables; the details of a service or of calls |
/// | `/compare?a=..&b=..` | two traces side by side |
/// | `/recent?minutes=..` | the slowest and the failing traces of the last minutes |
/// | `/load`, `POST /load` | a form for files with traces, which are put into the store |
/// | `/problems` | rejected and suspicious documents |
/// | `/counters` | what the store received and holds |
/// | `/changes`, `/changes?trace=..` | the revision of the store or of one trace, a number that grows with each change |
/// | `/assets/..` | the style sheet, the script and the icon |
pub(crate) fn routes(
    intake: Intake,
    rules: SamplingRules,
    account: Account,
    jobs: Jobs,
    address: SocketAddr,
    otlp_address: Option<SocketAddr>,
    dropped: Arc<AtomicU64>,
) -> Router {
    Router::new()
        .route("/", get(list))
        .route(sampling::PATH, post(sampling::switch))
        .route("/traces/{id}", get(trace))
        .route("/traces/{id}/flame", get(flame))
        .route("/traces/{id}/segment", get(segment))
        .route("/map", get(map))
        .route("/compare", get(compare))
        .route("/recent", get(recent))
        .route(load::PATH, get(load::form).post(load::load).layer(DefaultBodyLimit::disable()))
        .route("/problems", get(problems))
        .route("/counters", get(counters))
        .route("/changes", get(changes))
        .route("/assets/{name}", get(asset))
        .layer(map_response(add_security_headers))
        .with_state(Console {
            store: intake.store().clone(),
            intake,
            rules,
            account,
            jobs,
            address,
            otlp_address,
            dropped,
            started: Instant::now(),
            last_graph: Arc::default(),
        })
}

async fn list(State(console): State<Console>, Query(query): Query<list::Query>) -> Response {
    match query.trace_address(&console) {
        Some(address) => Redirect::to(&address).into_response(),
        None => render(&console.clone(), move || Some(list::page(&console, &query))).await,
    }
}

async fn trace(
    State(console): State<Console>,
    Path(id): Path<String>,
    Query(view): Query<timeline::View>,
    Query(file): Query<download::Query>,
) -> Response {
    if let Some(id) = id.strip_suffix(download::SUFFIX).map(str::to_owned) {
        let own = console.clone();
        return console.respond(move || download::file(&own, &id, &file).unwrap_or_else(|| missing(&own))).await;
    }
    render(&console.clone(), move || trace::page(&console, &id, &view)).await
}

async fn flame(State(console): State<Console>, Path(id): Path<String>) -> Response {
    render(&console.clone(), move || flame::page(&console, &id)).await
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
    render(&console.clone(), move || segment::page(&console, &trace, &id)).await
}

async fn map(State(console): State<Console>, Query(query): Query<map::Query>) -> Response {
    render(&console.clone(), move || Some(map::page(&console, &query))).await
}

async fn compare(State(console): State<Console>, Query(query): Query<compare::Query>) -> Response {
    render(&console.clone(), move || Some(compare::page(&console, &query))).await
}

async fn recent(State(console): State<Console>, Query(query): Query<recent::Query>) -> Response {
    render(&console.clone(), move || Some(recent::page(&console, &query))).await
}

async fn problems(State(console): State<Console>) -> Response {
    render(&console.clone(), move || Some(problems::page(&console))).await
}

async fn counters(State(console): State<Console>) -> Response {
    render(&console.clone(), move || Some(counters::page(&console))).await
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
async fn render(console: &Console, page: impl FnOnce() -> Option<Markup> + Send + 'static) -> Response {
    let own = console.clone();
    console.respond(move || page().map_or_else(|| missing(&own), |page| page::response(StatusCode::OK, page))).await
}

/// Returns the response to a request for a trace or segment that the store does not hold.
fn missing(console: &Console) -> axum::http::Response<Vec<u8>> {
    page::response(StatusCode::NOT_FOUND, page::not_found(console))
}

/// Returns the response to a file that the server refused before the console could read it, or `None` if the path is
/// not the one to which files are sent.
pub(crate) fn refused(path: &str, status: StatusCode, message: &str) -> Option<Response> {
    if path != load::PATH {
        return None;
    }
    let page = page::response(status, page::refused("The file was not loaded", message));
    Some(with_security_headers(page.map(Body::from)))
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
async fn add_security_headers(response: Response) -> Response {
    with_security_headers(response)
}

fn with_security_headers(mut response: Response) -> Response {
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
