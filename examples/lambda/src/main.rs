//! A Lambda function, and the documents that it sends.
//!
//! ```text
//! cargo run -p example-lambda
//! ```
//!
//! Under an emulator of Lambda the program is the function alone, and runs the service itself. To see its traces in
//! `xray-local`:
//!
//! ```text
//! xray-local
//! cargo lambda watch -p example-lambda --env-var AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000
//! cargo lambda invoke example-lambda --data-ascii '{"items": 2}'
//! ```
//!
//! With SAM, `local.yaml` describes the function, and its comments list the commands.
//!
//! The program simulates Lambda: it runs the Runtime API, the daemon and a service on free ports of the loopback
//! interface, and starts itself again as the function. For each invocation it prints the trace headers that the service
//! received, and the documents that reached the daemon before the function answered. Then it ends. It needs no network.

use std::env;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;
use xray::{SegmentId, TraceId};

const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
const STOCK_URL: &str = "STOCK_URL";

/// The Lambda function. Tracing needs one line: the layer.
async fn function() -> Result<(), Error> {
    let stock = match env::var(STOCK_URL) {
        Ok(url) => url,
        Err(_) => format!("http://{}", start(stock()).await?),
    };
    let handler = |event| handler(event, &stock);
    Runtime::new(service_fn(handler)).layer(xray::lambda::TraceLayer::new()).run().await
}

async fn handler(event: LambdaEvent<Value>, stock: &str) -> Result<String, Error> {
    let count = event.payload["items"].as_u64().ok_or("the event has no number of items")?;
    cart(stock, count).await
}

#[xray::traced(err, annotate(items = count))]
async fn cart(stock: &str, count: u64) -> Result<String, Error> {
    let mut cart = Vec::new();
    for item in 1..=count {
        cart.push(title(stock, item).await?);
    }
    Ok(cart.join(" and "))
}

/// Each call is recorded as a subsegment, and its request carries the trace header.
#[xray::traced_http]
async fn title(stock: &str, item: u64) -> reqwest::Result<String> {
    reqwest::get(format!("{stock}/items/{item}")).await?.error_for_status()?.text().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if env::var_os(RUNTIME_API).is_some() { function().await } else { play_lambda().await }
}

/// Invokes the function, with each kind of header that Lambda sends.
async fn play_lambda() -> Result<(), Error> {
    // Each invocation has a trace of its own. The parent is the segment that Lambda sends.
    let trace = || format!("Root={}", TraceId::random());
    let parent = || format!("Parent={}", SegmentId::random());
    let invocations = [
        ("sampled", format!("{};{};Sampled=1;Lineage=a:1", trace(), parent()), json!({ "items": 2 })),
        ("an unknown item", format!("{};{};Sampled=1", trace(), parent()), json!({ "items": 3 })),
        ("not sampled", format!("{};{};Sampled=0", trace(), parent()), json!({ "items": 1 })),
        ("PassThrough", format!("{};Lineage=a:1", trace()), json!({ "items": 1 })),
    ];

    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    daemon.set_nonblocking(true)?;
    let (events, waiting) = mpsc::unbounded_channel();
    let (answers, mut answered) = mpsc::unbounded_channel();
    let stock = start(stock()).await?;
    let api = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answer))
        .with_state(Arc::new(Api { waiting: Mutex::new(waiting), answers }));
    let _function = Command::new(env::current_exe()?)
        .env(RUNTIME_API, start(api).await?)
        .env("AWS_LAMBDA_FUNCTION_NAME", "shop")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_XRAY_DAEMON_ADDRESS", daemon.local_addr()?.to_string())
        .env(STOCK_URL, format!("http://{stock}"))
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;

    for (what, header, event) in invocations {
        println!("=== {what}: {header}");
        events.send((header, event))?;
        let (kind, body) = timeout(Duration::from_secs(60), answered.recv()).await?.ok_or("no answer")?;
        println!("{kind}: {}", String::from_utf8_lossy(&body));
        let mut datagram = vec![0; 65_536];
        while let Ok(length) = daemon.recv(&mut datagram) {
            let (_, document) = std::str::from_utf8(&datagram[..length])?.split_once('\n').ok_or("no document")?;
            show(&serde_json::from_str(document)?, "");
        }
    }
    Ok(())
}

/// Starts a service on a free port, and returns its address.
async fn start(service: Router) -> std::io::Result<String> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, service).await });
    Ok(address.to_string())
}

/// The service that the function calls. It has two items.
fn stock() -> Router {
    Router::new().route("/items/{item}", get(item))
}

async fn item(Path(item): Path<u32>, headers: HeaderMap) -> Result<&'static str, StatusCode> {
    println!("the service got a request for item {item}, with the trace header {:?}", headers.get("x-amzn-trace-id"));
    match item {
        1 => Ok("a teapot"),
        2 => Ok("a cup"),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

/// The state of the Runtime API: events for the function, and its answers.
struct Api {
    waiting: Mutex<mpsc::UnboundedReceiver<(String, Value)>>,
    answers: mpsc::UnboundedSender<(String, Bytes)>,
}

/// Hands the next invocation to the function, as soon as there is one.
async fn next(State(api): State<Arc<Api>>) -> Result<([(&'static str, String); 4], String), StatusCode> {
    let (header, event) = api.waiting.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("lambda-runtime-deadline-ms", "4102444800000".to_owned()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:shop".to_owned()),
        ("lambda-runtime-trace-id", header),
    ];
    Ok((headers, event.to_string()))
}

/// Takes the answer of the function: a response or an error.
async fn answer(State(api): State<Arc<Api>>, Path((_, kind)): Path<(String, String)>, body: Bytes) -> StatusCode {
    let _ = api.answers.send((kind, body));
    StatusCode::ACCEPTED
}

/// Prints a document and its subsegments.
fn show(document: &Value, indent: &str) {
    let text = |key: &str| document[key].as_str().unwrap_or_default();
    let parent = if indent.is_empty() { format!(" below {}", text("parent_id")) } else { String::new() };
    let status = document["http"]["response"]["status"].as_u64();
    let status = status.map(|status| format!(", {status}")).unwrap_or_default();
    let fault = if document["fault"] == true { " (fault)" } else { "" };
    println!("{indent}-> {}{parent}{status}{fault}", text("name"));
    for subsegment in document["subsegments"].as_array().into_iter().flatten() {
        show(subsegment, &format!("{indent}   "));
    }
}
