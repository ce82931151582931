//! Annotate a function, run it, look at what X-Ray would receive. Offline: the service that it calls and the
//! listener that stands for the X-Ray daemon are both in here, on free ports of the loopback interface.
//!
//! ```text
//! cargo run --example quickstart
//! cargo expand --example quickstart     # what the attribute makes of the two functions
//! ```

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::{Router, extract::State, routing::any};
use xray::{Document, Instrument as _};

type Error = Box<dyn std::error::Error>;

/// The traced function: one attribute, and every HTTP call in it is a subsegment.
#[xray::traced_http]
async fn status(client: &reqwest::Client, url: &str) -> reqwest::Result<u16> {
    let response = client.get(url).send().await?;
    Ok(response.status().as_u16())
}

/// Two calls at once, one builder in a variable.
#[xray::traced_http]
async fn both(client: &reqwest::Client, first: &str, second: &str) -> reqwest::Result<(u16, u16)> {
    let request = client.post(second).body("two");
    let (first, second) = tokio::join!(client.get(first).send(), request.send());
    Ok((first?.status().as_u16(), second?.status().as_u16()))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    daemon.set_read_timeout(Some(Duration::from_secs(5)))?;
    let recorder = xray::Recorder::builder()
        .sampler(xray::sampling::Always)
        .service_name("quickstart")
        .daemon_address(daemon.local_addr()?.to_string())
        .install()?;

    let seen = SeenHeaders::default();
    let service = start_service(seen.clone()).await?;
    let client = reqwest::Client::new();

    for (title, path) in [
        ("A call that is answered", "/todos/1?token=secret"),
        ("Not found: an error", "/missing"),
        ("Too many requests: a throttle", "/busy"),
        ("The service fails: a fault", "/down"),
    ] {
        let url = format!("http://{service}{path}");
        let result = status(&client, &url).in_segment("quickstart").await;
        show(title, &format!("{result:?}"), &daemon, &seen)?;
    }

    let nobody = unused_address()?;
    let result = status(&client, &format!("http://{nobody}/")).in_segment("quickstart").await;
    show("Nobody there: a fault with its cause", &format!("{:?}", result.is_err()), &daemon, &seen)?;

    let (first, second) = (format!("http://{service}/todos/1"), format!("http://{service}/todos"));
    let result = both(&client, &first, &second).in_segment("quickstart").await;
    show("Two calls at once: siblings", &format!("{result:?}"), &daemon, &seen)?;

    recorder.flush(Duration::from_secs(2));
    println!("{:?}", recorder.stats());
    Ok(())
}

/// Prints the document as it arrived, what X-Ray would make of it, and what the service saw of the calls.
fn show(title: &str, result: &str, daemon: &UdpSocket, seen: &SeenHeaders) -> Result<(), Error> {
    let mut datagram = vec![0; 65_536];
    let length = daemon.recv(&mut datagram).map_err(|error| {
        format!("no document came ({error}); is AWS_XRAY_DAEMON_ADDRESS or AWS_XRAY_SDK_ENABLED set?")
    })?;
    let datagram = std::str::from_utf8(&datagram[..length])?;
    let (header, document) = datagram.split_once('\n').ok_or("a datagram without a header")?;
    let document: Document = serde_json::from_str(document)?;

    println!("=== {title}\n    the function returned {result}");
    println!("{header}\n{}", serde_json::to_string_pretty(&document)?);
    for subsegment in &document.subsegments {
        println!("--> X-Ray infers a segment {}", inferred(subsegment));
    }
    for header in seen.take() {
        println!("<-- the service saw X-Amzn-Trace-Id: {header}");
    }
    println!();
    Ok(())
}

/// One line on the segment that X-Ray infers for the remote service of a subsegment.
fn inferred(subsegment: &Document) -> String {
    let flags = [("error", subsegment.error), ("throttle", subsegment.throttle), ("fault", subsegment.fault)];
    let flags: Vec<_> = flags.iter().filter(|(_, is_set)| *is_set).map(|(flag, _)| *flag).collect();
    let verdict = if flags.is_empty() { "ok".to_owned() } else { flags.join(" and ") };
    let response = subsegment.http.as_ref().and_then(|http| http.response);
    let answer = match response.and_then(|response| response.status) {
        Some(status) => format!("status {status}"),
        None => "no answer".to_owned(),
    };
    format!("{:?} below subsegment {}: {answer}, {verdict}", subsegment.name, subsegment.id)
}

/// The trace headers of the requests that reached the service, each as it was sent.
#[derive(Clone, Default)]
struct SeenHeaders(Arc<Mutex<Vec<String>>>);

impl SeenHeaders {
    fn add(&self, headers: &HeaderMap) {
        let values = headers.get_all("x-amzn-trace-id").iter();
        let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(values.join(" AND "));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A small HTTP service that notes the trace header of each request.
async fn start_service(seen: SeenHeaders) -> std::io::Result<SocketAddr> {
    let answer = |status: StatusCode, body: &'static str| {
        any(move |State(seen): State<SeenHeaders>, headers: HeaderMap| async move {
            seen.add(&headers);
            (status, body)
        })
    };
    let router = Router::new()
        .route("/todos/1", answer(StatusCode::OK, r#"{"id":1,"title":"trace it"}"#))
        .route("/todos", answer(StatusCode::OK, "two"))
        .route("/missing", answer(StatusCode::NOT_FOUND, ""))
        .route("/busy", answer(StatusCode::TOO_MANY_REQUESTS, ""))
        .route("/down", answer(StatusCode::SERVICE_UNAVAILABLE, ""))
        .with_state(seen);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(address)
}

/// An address at which nobody listens.
fn unused_address() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
