//! A Lambda function, and what it sends. Offline: this program plays Lambda, with a Runtime API, a daemon and a service of
//! its own on free ports of the loopback interface, starts itself once more as the function, and ends by itself.
//!
//! ```text
//! cargo run --example lambda --features lambda
//! ```
//!
//! Printed is for each invocation what the service that the function asks was told of the trace, and what had reached the
//! daemon when the function answered.

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

const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
const STOCK_URL: &str = "STOCK_URL";

/// The function. All that it needs is the layer.
async fn function() -> Result<(), Error> {
    Runtime::new(service_fn(handler)).layer(xray::lambda::TraceLayer::new()).run().await
}

async fn handler(event: LambdaEvent<Value>) -> Result<String, Error> {
    let count = event.payload["items"].as_u64().ok_or("how many items?")?;
    let stock = env::var(STOCK_URL)?;
    cart(&stock, count).await
}

#[xray::traced(err, annotate(items = count))]
async fn cart(stock: &str, count: u64) -> Result<String, Error> {
    let mut cart = Vec::new();
    for item in 1..=count {
        cart.push(title(stock, item).await?);
    }
    Ok(cart.join(" and "))
}

/// Each call is a subsegment, and its request carries the trace.
#[xray::traced_http]
async fn title(stock: &str, item: u64) -> reqwest::Result<String> {
    reqwest::get(format!("{stock}/items/{item}")).await?.error_for_status()?.text().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if env::var_os(RUNTIME_API).is_some() { function().await } else { play_lambda().await }
}

async fn play_lambda() -> Result<(), Error> {
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793";
    let invocations = [
        ("sampled", format!("{trace};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1"), json!({ "items": 2 })),
        ("an item that is not there", format!("{trace};Parent=53995c3f42cd8ad8;Sampled=1"), json!({ "items": 3 })),
        ("not sampled", format!("{trace};Parent=53995c3f42cd8ad8;Sampled=0"), json!({ "items": 1 })),
        ("PassThrough", format!("{trace};Lineage=a:1"), json!({ "items": 1 })),
    ];

    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    daemon.set_nonblocking(true)?;
    let (events, waiting) = mpsc::unbounded_channel();
    let (answers, mut answered) = mpsc::unbounded_channel();
    let stock = start(Router::new().route("/items/{item}", get(item))).await?;
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

async fn start(service: Router) -> std::io::Result<String> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, service).await });
    Ok(address.to_string())
}

/// The service that the function asks; it has two items.
async fn item(Path(item): Path<u32>, headers: HeaderMap) -> Result<&'static str, StatusCode> {
    println!("asked for item {item} in {:?}", headers.get("x-amzn-trace-id"));
    match item {
        1 => Ok("a teapot"),
        2 => Ok("a cup"),
        _ => Err(StatusCode::NOT_FOUND),
    }
}

struct Api {
    waiting: Mutex<mpsc::UnboundedReceiver<(String, Value)>>,
    answers: mpsc::UnboundedSender<(String, Bytes)>,
}

/// The next invocation, as soon as there is one.
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

async fn answer(State(api): State<Arc<Api>>, Path((_, kind)): Path<(String, String)>, body: Bytes) -> StatusCode {
    let _ = api.answers.send((kind, body));
    StatusCode::ACCEPTED
}

/// A document with what is in it.
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
