//! Traces two services of actix-web in one program. The shop calls the stock service with awc, and both record one
//! trace.
//!
//! ```text
//! cargo run -p example-actix-service
//! ```
//!
//! `xray::actix_web::SegmentMiddleware` records each incoming request as a segment, and continues the trace of the
//! caller. The program prints the tree of segments and calls, as X-Ray would show it, and ends. It needs no network and
//! no daemon: the services listen on free ports of the loopback interface, and a `MemoryEmitter` keeps the documents.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, Responder, rt, web};
use xray::actix_web::SegmentMiddleware;
use xray::emitter::MemoryEmitter;
use xray::{Document, Recorder, SegmentId};

/// The URL of the items in the stock service.
#[derive(Clone)]
struct Items(String);

/// Answers a request to the shop.
async fn cart(items: web::Data<Items>, count: web::Path<u32>) -> impl Responder {
    xray::current().annotate("items", *count);
    let mut cart = String::new();
    for item in 1..=*count {
        match title(&items.0, item).await {
            Some(title) => cart += &title,
            None => return HttpResponse::BadGateway().finish(),
        }
    }
    HttpResponse::Ok().body(cart)
}

/// Each call is recorded as a subsegment, and its request carries the trace header.
#[xray::traced_http]
async fn title(items: &str, item: u32) -> Option<String> {
    let mut response = awc::Client::default().get(format!("{items}/{item}?token=secret")).send().await.ok()?;
    let body = response.body().await.ok()?;
    response.status().is_success().then(|| String::from_utf8_lossy(&body).into_owned())
}

/// Answers a request to the stock service, which has two items.
async fn item(item: web::Path<u32>) -> impl Responder {
    match *item {
        1 => HttpResponse::Ok().body("a teapot\n"),
        2 => HttpResponse::Ok().body("a cup\n"),
        _ => HttpResponse::NotFound().finish(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A program with a daemon needs no recorder of its own: the first segment installs one.
    let emitter = MemoryEmitter::new();
    Recorder::builder().sampler(xray::sampling::Always).emitter(emitter.clone()).install()?;
    rt::System::new().block_on(run(&emitter))
}

async fn run(emitter: &MemoryEmitter) -> Result<(), Box<dyn std::error::Error>> {
    let stock = start(
        |app| {
            app.route("/items/{item}", web::get().to(item));
        },
        "stock",
    )?;
    let items = Items(format!("http://{stock}/items"));
    let shop = start(
        move |app| {
            app.app_data(web::Data::new(items.clone())).route("/carts/{count}", web::get().to(cart));
        },
        "shop",
    )?;
    for (path, segments) in [("carts/2", 3), ("carts/3", 4)] {
        let mut response = awc::Client::default().get(format!("http://{shop}/{path}")).send().await?;
        println!("=== GET /{path}: {}", response.status());
        print!("{}", String::from_utf8_lossy(&response.body().await?));
        show(&documents(emitter, segments).await, None, "");
    }
    rt::System::current().stop();
    Ok(())
}

/// Starts a service on a free port.
fn start(
    routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    name: &'static str,
) -> std::io::Result<SocketAddr> {
    // The last middleware is the outermost one, so `SegmentMiddleware` measures the whole request.
    let app = move || App::new().configure(routes.clone()).wrap(SegmentMiddleware::new(name));
    let server = HttpServer::new(app).workers(1).disable_signals().bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = server.addrs()[0];
    rt::spawn(server.run());
    Ok(address)
}

/// Waits for `count` segments. A segment ends when its response has been sent, which may be after the client has
/// received it.
async fn documents(emitter: &MemoryEmitter, count: usize) -> Vec<Document> {
    let mut documents = emitter.take();
    for _ in 0..1_000 {
        if documents.len() >= count {
            break;
        }
        rt::time::sleep(Duration::from_millis(5)).await;
        documents.extend(emitter.take());
    }
    documents
}

/// Prints the segments whose parent is `caller`, each with its calls.
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
    let flag = if document.fault {
        " (fault)"
    } else if document.error {
        " (error)"
    } else {
        ""
    };
    format!(
        "{}: {} {}{from}, {}{flag}",
        document.name,
        request.method.unwrap_or_default(),
        request.url.unwrap_or_default(),
        response.status.map_or("no response".to_owned(), |status| status.to_string()),
    )
}
