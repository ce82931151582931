//! Two axum services in one program. The shop calls the stock with reqwest, and both record one trace.
//!
//! ```text
//! cargo run -p example-axum-service
//! ```
//!
//! `xray::tower::SegmentLayer` records each incoming request as a segment, and continues the trace of the caller. The
//! program prints the tree of segments and calls, as X-Ray would show it, and ends. It needs no network and no daemon:
//! the services listen on free ports of the loopback interface, and a `MemoryEmitter` keeps the documents.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use xray::emitter::MemoryEmitter;
use xray::tower::SegmentLayer;
use xray::{Document, Recorder, SegmentId};

/// The service that users call.
fn shop(stock: SocketAddr) -> Router {
    Router::new()
        .route("/carts/{items}", get(cart))
        .with_state(format!("http://{stock}/items"))
        // Added last, so that it is the outermost layer and measures the whole request.
        .layer(SegmentLayer::new("shop").client_ip(|request| {
            let peer: &ConnectInfo<SocketAddr> = request.extensions.get()?;
            Some(peer.0.ip())
        }))
}

async fn cart(State(items): State<String>, Path(count): Path<u32>) -> Result<String, StatusCode> {
    xray::current().annotate("items", count);
    let mut cart = String::new();
    for item in 1..=count {
        cart += &title(&items, item).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    }
    Ok(cart)
}

/// Each call is recorded as a subsegment, and its request carries the trace header.
#[xray::traced_http]
async fn title(items: &str, item: u32) -> reqwest::Result<String> {
    reqwest::get(format!("{items}/{item}?token=secret")).await?.error_for_status()?.text().await
}

/// The service that the shop calls. It has two items.
fn stock() -> Router {
    let item = async |Path(item): Path<u32>| match item {
        1 => Ok("a teapot\n"),
        2 => Ok("a cup\n"),
        _ => Err(StatusCode::NOT_FOUND),
    };
    Router::new().route("/items/{item}", get(item)).layer(SegmentLayer::new("stock"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A program with a daemon needs none of this: the first segment installs a recorder by itself.
    let emitter = MemoryEmitter::new();
    Recorder::builder().sampler(xray::sampling::Always).emitter(emitter.clone()).install()?;

    let stock = start(stock()).await?;
    let shop = start(shop(stock)).await?;
    for (path, segments) in [("carts/2", 3), ("carts/3", 4)] {
        let response = reqwest::get(format!("http://{shop}/{path}")).await?;
        println!("=== GET /{path}: {}", response.status());
        print!("{}", response.text().await?);
        show(&documents(&emitter, segments).await, None, "");
    }
    Ok(())
}

/// Starts a service on a free port.
async fn start(service: Router) -> std::io::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, service).await });
    Ok(address)
}

/// Waits for `count` segments. A segment ends when its response has been sent, which can be shortly after the client
/// has received it.
async fn documents(emitter: &MemoryEmitter, count: usize) -> Vec<Document> {
    let mut documents = emitter.take();
    for _ in 0..1_000 {
        if documents.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        documents.extend(emitter.take());
    }
    documents
}

/// Prints the segments below this caller, each with its calls.
fn show(segments: &[Document], caller: Option<SegmentId>, indent: &str) {
    for segment in segments.iter().filter(|segment| segment.parent_id == caller) {
        println!("{indent}{}", line(segment));
        for call in &segment.subsegments {
            println!("{indent}  -> {}", line(call));
            show(segments, Some(call.id), &format!("{indent}     "));
        }
    }
}

fn line(document: &Document) -> String {
    let http = document.http.clone().unwrap_or_default();
    let (request, response) = (http.request.unwrap_or_default(), http.response.unwrap_or_default());
    let from = request.client_ip.map(|address| format!(" from {address}")).unwrap_or_default();
    format!(
        "{}: {} {}{from}, {}{}",
        document.name,
        request.method.unwrap_or_default(),
        request.url.unwrap_or_default(),
        response.status.map_or("no response".to_owned(), |status| status.to_string()),
        if document.fault {
            " (fault)"
        } else if document.error {
            " (error)"
        } else {
            ""
        },
    )
}
