//! Annotates a function, calls it, and shows what X-Ray makes of the calls.
//!
//! ```text
//! cargo run -p example-quickstart               # prints the traces and ends
//! cargo run -p example-quickstart -- --stay     # keeps the console open, to look at the traces in a browser
//! cargo expand -p example-quickstart            # shows the code that the attribute writes (needs cargo-expand)
//! ```
//!
//! The program needs no network and no AWS account. It runs the service that it calls, and a local X-Ray, on free ports
//! of the loopback interface. With `AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000` it sends to that address instead, for
//! example to an `xray-local` in another shell (`cargo run -p xray-local`).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::{Router, extract::State, routing::any};
use tokio::sync::broadcast;
use xray::Instrument as _;
use xray_local::document::{Document, TraceId};
use xray_local::graph::{Statistics, service_graph};
use xray_local::store::StoredTrace;
use xray_local::time::TimeRange;
use xray_local::trace::Trace;

type Error = Box<dyn std::error::Error>;

/// A traced function. With the attribute, every HTTP call in the function is recorded as a subsegment.
#[xray::traced_http]
async fn status(client: &reqwest::Client, url: &str) -> reqwest::Result<u16> {
    let response = client.get(url).send().await?;
    Ok(response.status().as_u16())
}

/// Two concurrent calls. One of them is sent from a variable.
#[xray::traced_http]
async fn both(client: &reqwest::Client, first: &str, second: &str) -> reqwest::Result<(u16, u16)> {
    let request = client.post(second).body("two");
    let (first, second) = tokio::join!(client.get(first).send(), request.send());
    Ok((first?.status().as_u16(), second?.status().as_u16()))
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    // Stands in for the X-Ray daemon and for X-Ray itself. A real program needs neither this nor the address below: it
    // sends to the daemon on port 2000 by default.
    let local = xray_local::Server::builder().address("127.0.0.1:0").start()?;
    let recorder = xray::Recorder::builder()
        .service_name("quickstart")
        .sampler(xray::sampling::Always)
        .daemon_address(local.udp_address().to_string())
        .install()?;

    let seen = SeenHeaders::default();
    let names = start_service(seen.clone()).await?;
    let closed = unused_address()?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .resolve("names.example.com", names)
        .resolve("nobody.example.com", closed)
        .build()?;
    let url = |path: &str| format!("http://names.example.com:{}{path}", names.port());

    let mut output = Output { local: &local, arrivals: local.arrivals(), seen };
    let result = status(&client, &url("/?token=secret")).in_segment("quickstart").await;
    let trace = output.show("A successful call", &format!("{result:?}")).await?;
    trace.as_ref().map_or(Ok(()), show_side_by_side)?;

    for (title, path) in [
        ("Not found: an error", "/missing"),
        ("Too many requests: a throttle", "/busy"),
        ("The service is unavailable: a fault", "/down"),
    ] {
        let result = status(&client, &url(path)).in_segment("quickstart").await;
        output.show(title, &format!("{result:?}")).await?;
    }

    let result =
        status(&client, &format!("http://nobody.example.com:{}/", closed.port())).in_segment("quickstart").await;
    output
        .show(
            "The connection is refused: a fault with its cause",
            if result.is_err() { "an error" } else { "no error" },
        )
        .await?;

    let result = both(&client, &url("/"), &url("/new")).in_segment("quickstart").await;
    output.show("Two concurrent calls: siblings", &format!("{result:?}")).await?;

    recorder.flush(Duration::from_secs(2));
    if let Some(daemon) = other_daemon() {
        println!("=== The documents were sent to {daemon}");
        return Ok(());
    }
    show_graph(&local);
    println!("=== The console\n    {}", local.console_url());
    if std::env::args().any(|argument| argument == "--stay") {
        println!("    open until Ctrl-C");
        tokio::signal::ctrl_c().await?;
    } else {
        println!("    it closes with this program; `cargo run -p example-quickstart -- --stay` keeps it open");
    }
    Ok(())
}

/// Returns the daemon's address in the environment, which overrides the address in the code.
fn other_daemon() -> Option<String> {
    std::env::var("AWS_XRAY_DAEMON_ADDRESS").ok()
}

/// Prints the traces as they arrive at the local X-Ray.
struct Output<'a> {
    local: &'a xray_local::Server,
    arrivals: broadcast::Receiver<TraceId>,
    seen: SeenHeaders,
}

impl Output<'_> {
    /// Prints a function's result, the trace that X-Ray has of its calls, and the headers that the service received.
    async fn show(&mut self, title: &str, result: &str) -> Result<Option<Trace>, Error> {
        println!("=== {title}\n    the function returned {result}");
        let trace = if other_daemon().is_some() { None } else { Some(self.next_trace().await?) };
        for segment in trace.iter().flat_map(|trace| &trace.segments) {
            for subsegment in &segment.subsegments {
                println!("    subsegment {}", line(subsegment));
            }
            if segment.inferred {
                println!("    inferred   {}", line(segment));
            }
        }
        for header in self.seen.take() {
            println!("    the service saw X-Amzn-Trace-Id: {header}");
        }
        println!();
        Ok(trace)
    }

    /// Waits for the next trace.
    async fn next_trace(&mut self) -> Result<Trace, Error> {
        let arrival = tokio::time::timeout(Duration::from_secs(5), self.arrivals.recv()).await;
        let id = arrival.map_err(|_| "no document arrived within 5 s; unset AWS_XRAY_SDK_ENABLED if it is false")??;
        self.local.store().trace(&id.to_string()).ok_or_else(|| "the local X-Ray has dropped the trace".into())
    }
}

/// Returns a line such as `004f72be19cddc2a  GET http://names.example.com/ 200  ok`.
fn line(entity: &Document) -> String {
    let http = entity.http.clone().unwrap_or_default();
    let answer = http.status.map_or("no answer".to_owned(), |status| status.to_string());
    let flags = [("error", entity.error), ("throttle", entity.throttle), ("fault", entity.fault)];
    let flags: Vec<_> = flags.into_iter().filter_map(|(flag, is_set)| is_set.then_some(flag)).collect();
    let verdict = if flags.is_empty() { "ok".to_owned() } else { flags.join(" and ") };
    let (method, url) = (http.method.unwrap_or_default(), http.url.unwrap_or_default());
    format!("{}  {method} {url} {answer}  {verdict}", entity.id)
}

/// Prints the subsegment of a call beside the segment that X-Ray infers from it for the called service.
fn show_side_by_side(trace: &Trace) -> Result<(), Error> {
    let subsegment = trace.root().and_then(|segment| segment.subsegments.first()).ok_or("no subsegment")?;
    let inferred = trace.segments.iter().find(|segment| segment.inferred).ok_or("no inferred segment")?;
    let [left, right] = [subsegment, inferred].map(serde_json::to_string_pretty);
    let (left, right) = (format!("the subsegment\n{}", left?), format!("the inferred segment\n{}", right?));
    let width = left.lines().map(|line| line.chars().count()).max().unwrap_or_default();
    let (mut left, mut right) = (left.lines(), right.lines());
    loop {
        match (left.next(), right.next()) {
            (None, None) => break,
            (left, right) => println!("    {:width$} | {}", left.unwrap_or_default(), right.unwrap_or_default()),
        }
    }
    println!();
    Ok(())
}

/// Prints which service calls which, with the number, the outcome and the duration of the calls.
fn show_graph(local: &xray_local::Server) {
    println!("=== The service graph");
    let traces = local.store().traces();
    let graph = service_graph(traces.iter().map(StoredTrace::trace), TimeRange::ALL);
    for service in &graph.services {
        println!("    {} ({}, {})", service.name, service.kind.as_deref().unwrap_or("service"), service.state);
        for edge in &service.edges {
            let callee = &graph.services[edge.reference_id];
            println!("      -> {}: {}", callee.name, statistics(&edge.summary_statistics));
        }
    }
    println!();
}

fn statistics(edge: &Statistics) -> String {
    let (errors, throttled) = (edge.error_statistics.other_count, edge.error_statistics.throttle_count);
    let (ok, faults) = (edge.ok_count, edge.fault_statistics.total_count);
    let calls = edge.total_count;
    format!(
        "{calls} calls: {ok} ok, {errors} errors, {throttled} throttled, {faults} faults, {:.1} ms in all",
        edge.total_response_time * 1000.0
    )
}

/// The trace headers of the requests that reached the service.
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

/// Starts a small HTTP service that keeps the trace header of each request.
async fn start_service(seen: SeenHeaders) -> std::io::Result<SocketAddr> {
    let answer = |status: StatusCode, body: &'static str| {
        any(move |State(seen): State<SeenHeaders>, headers: HeaderMap| async move {
            seen.add(&headers);
            (status, body)
        })
    };
    let router = Router::new()
        .route("/", answer(StatusCode::OK, r#"["Ada","Grace"]"#))
        .route("/new", answer(StatusCode::CREATED, ""))
        .route("/missing", answer(StatusCode::NOT_FOUND, ""))
        .route("/busy", answer(StatusCode::TOO_MANY_REQUESTS, ""))
        .route("/down", answer(StatusCode::SERVICE_UNAVAILABLE, ""))
        .with_state(seen);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(address)
}

/// Returns an address that refuses connections.
fn unused_address() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
