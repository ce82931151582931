//! The Lambda functions. Each runs in a child process.

use std::env;
use std::fs;
use std::pin::Pin;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::get;
use futures::Stream;
use lambda_runtime::tower::Layer as _;
use lambda_runtime::{Error, LambdaEvent, Runtime, StreamResponse, service_fn};
use log::Level;
use serde::Deserialize;
use serde_json::{Value, json};
use support::{child, logs};
use tokio::sync::Barrier;
use xray::emitter::{Emitter, FinishedSegment};
use xray::lambda::TraceLayer;
use xray::sampling::{Decision, Sampler, SamplingRequest};
use xray::tower::SegmentLayer;
use xray::{Instrument as _, Recorder, Segment, Subsegment, TraceHeader};

/// The number of invocations that the step `together` waits for.
pub(super) const TOGETHER: usize = 8;

static SAMPLERS_ASKED: AtomicUsize = AtomicUsize::new(0);
static FLUSHES: AtomicUsize = AtomicUsize::new(0);
static LEFT_OPEN: Mutex<Option<Subsegment>> = Mutex::new(None);
static TOGETHER_NOW: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(TOGETHER));

/// The steps that a function takes, in order. `url` is the URL of a service for the steps that make a call.
#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    url: String,
    steps: Vec<String>,
}

/// Returns the command that runs this function in a process of its own.
pub(super) fn function_command(function: &str) -> Command {
    child::command(module_path!(), "function", function)
}

#[test]
fn function() {
    let Some(case) = child::case() else { return };
    logs::keep();
    let recorder = Recorder::builder().sampler(CountAsked);
    let recorder = match case.as_str() {
        "stuck" => recorder.emitter(Stuck),
        "in progress" => recorder.in_progress_after(Duration::from_millis(20)),
        _ => recorder,
    };
    recorder.install().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ended = runtime.block_on(async {
        match case.as_str() {
            "concurrent" => Runtime::new(service_fn(handler)).layer(TraceLayer::new()).run_concurrent().await,
            "without layer" => without_layer().await,
            "message without layer" => message_without_layer().await,
            "http" => Runtime::new(lambda_http::Adapter::from(router())).layer(TraceLayer::new()).run().await,
            "stream" => Runtime::new(service_fn(stream)).layer(TraceLayer::new()).run().await,
            "concurrent stream" => Runtime::new(TraceLayer::new().layer(service_fn(stream))).run_concurrent().await,
            _ => Runtime::new(service_fn(handler)).layer(TraceLayer::new()).run().await,
        }
    });
    panic!("the runtime ended by itself: {ended:?}");
}

async fn without_layer() -> Result<(), Error> {
    // Segments that begin before the first invocation.
    for _ in 0..3 {
        assert!(work("warm").in_segment("init").await.is_none());
    }
    Runtime::new(service_fn(async |event| handler(event).in_segment("todo-app").await)).run().await
}

async fn message_without_layer() -> Result<(), Error> {
    // A message that was sent in the trace of the invocation.
    let segment = || {
        let header = TraceHeader::parse(&env::var("_X_AMZN_TRACE_ID").unwrap());
        Segment::builder("queue").trace_header(&header)
    };
    Runtime::new(service_fn(async |event| handler(event).in_segment(segment()).await)).run().await
}

/// An axum router as it could run outside Lambda too.
fn router() -> Router {
    let cart = async |Path(items): Path<u32>| {
        xray::current().annotate("items", items);
        format!("{items} items")
    };
    Router::new().route("/carts/{items}", get(cart)).layer(SegmentLayer::new("shop"))
}

async fn handler(event: LambdaEvent<Event>) -> Result<Value, Error> {
    for step in &event.payload.steps {
        perform(step, &event.payload.url).await?;
    }
    Ok(json!({
        "trace": xray::trace_id().map(|id| id.to_string()),
        // Work without a context, such as the stream of a response.
        "trace_outside": thread::spawn(xray::trace_id).join().unwrap().map(|id| id.to_string()),
        "variable": env::var("_X_AMZN_TRACE_ID").ok(),
        "values_rejected": xray::stats().values_rejected,
        "warnings": logs::lines().iter().filter(|line| line.level <= Level::Warn).count(),
        "samplers_asked": SAMPLERS_ASKED.load(Ordering::Relaxed),
        "flushes": FLUSHES.load(Ordering::Relaxed),
    }))
}

async fn perform(step: &str, url: &str) -> Result<(), Error> {
    match step {
        "call" => drop(fetch(url).await?),
        "nested" => drop(fetch(url).in_subsegment("outer").await?),
        "thread" => {
            let outer = xray::current().subsegment("outer");
            let inner = || xray::current().subsegment("inner").end();
            outer.in_scope(|| thread::spawn(xray::in_current_trace(inner))).join().unwrap();
        }
        "write" => {
            let facade = xray::current();
            facade.annotate("tier", "gold");
            facade.add_metadata("cart", [1, 2]);
            facade.set_user("alice");
            facade.record_error(&std::io::Error::other("refused"));
        }
        "leave open" => *LEFT_OPEN.lock().unwrap() = Some(xray::current().subsegment("left open")),
        "end what is left open" => drop(LEFT_OPEN.lock().unwrap().take()),
        "segment" => {
            work("cart").in_segment("todo-app").await;
        }
        "segment of a message" => {
            let header = "Root=1-11111111-111111111111111111111111;Parent=1111111111111111";
            for decision in [";Sampled=1", ""] {
                let header = TraceHeader::parse(&format!("{header}{decision}"));
                work("cart").in_segment(Segment::builder("queue").trace_header(&header)).await;
            }
        }
        "fail" => {
            work("cart").await;
            return Err("out of stock".into());
        }
        "panic" => async { panic!("out of stock") }.in_subsegment("outer").await,
        "work" => {
            work("cart").await;
        }
        "wait for the end" => drop(thread::spawn(|| {
            while xray::trace_id().is_some() {
                thread::sleep(Duration::from_millis(1));
            }
            fs::write(env::temp_dir().join("ended"), "").unwrap();
        })),
        "hang" => std::future::pending().in_subsegment("outer").await,
        "together" => {
            TOGETHER_NOW.wait().await;
        }
        _ => panic!("{step}"),
    }
    Ok(())
}

/// Records a subsegment, and returns the id of its parent.
async fn work(name: &str) -> Option<xray::SegmentId> {
    let around = xray::current().id();
    async {}.in_subsegment(name).await;
    around
}

#[xray::traced_http]
async fn fetch(url: &str) -> reqwest::Result<String> {
    reqwest::get(url).await?.text().await
}

/// Answers with a stream of two chunks. Makes a call before the answer, and one for each chunk.
async fn stream(event: LambdaEvent<Event>) -> Result<StreamResponse<Chunks>, Error> {
    let url = event.payload.url;
    fetch(&url).await?;
    let chunk = move |number| {
        let url = url.clone();
        async move {
            if number == 2 {
                return None;
            }
            fetch(&url).await.ok()?;
            let seen = xray::trace_id().map_or_else(String::new, |id| id.to_string());
            Some((Ok(seen.into()), number + 1))
        }
    };
    let chunks: Chunks = Box::pin(futures::stream::unfold(0, chunk));
    Ok(StreamResponse::from(chunks))
}

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

struct CountAsked;

impl Sampler for CountAsked {
    fn sample(&self, _: &SamplingRequest<'_>) -> Decision {
        SAMPLERS_ASKED.fetch_add(1, Ordering::Relaxed);
        Decision::sampled()
    }
}

/// An emitter whose `flush` always times out.
struct Stuck;

impl Emitter for Stuck {
    fn emit(&self, _: FinishedSegment) {}

    fn flush(&self, limit: Duration) -> bool {
        FLUSHES.fetch_add(1, Ordering::Relaxed);
        thread::sleep(limit);
        false
    }
}
