//! A program with `tracing` spans that become X-Ray subsegments. X-Ray is added in two places: where the program sets
//! up its subscriber, and where its work begins.
//!
//! ```text
//! cargo run -p example-tracing
//! ```
//!
//! The program needs no network. A `MemoryEmitter` keeps the documents that would be sent to the daemon.

use std::fmt;

use tracing::{Instrument as _, info, info_span, instrument};
use tracing_subscriber::prelude::*;
use xray::document::{AnnotationValue, Cause};
use xray::emitter::MemoryEmitter;
use xray::tracing::{SubsegmentLayer, WithTraceId};
use xray::{Document, Instrument as _, Recorder};

#[derive(Debug)]
struct SoldOut(&'static str);

impl fmt::Display for SoldOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is sold out", self.0)
    }
}

impl std::error::Error for SoldOut {}

#[instrument]
async fn order(id: u32) -> Result<(), SoldOut> {
    price(2).await;
    // The span carries the trace into the task.
    let reserved = tokio::spawn(reserve("tea").instrument(info_span!("reserve in the background")));
    reserved.await.unwrap_or(Ok(()))
}

#[instrument]
async fn price(items: u32) -> u32 {
    tokio::task::yield_now().await;
    info!("asked for a price");
    3 * items
}

#[instrument(err)]
async fn reserve(item: &'static str) -> Result<(), SoldOut> {
    Err(SoldOut(item))
}

#[tokio::main]
async fn main() {
    // The first place: `SubsegmentLayer` makes subsegments of spans, and `WithTraceId` adds the trace id to each log
    // line.
    let logs = tracing_subscriber::fmt::layer().with_ansi(false).map_event_format(WithTraceId::new);
    let json = tracing_subscriber::fmt::layer().json().map_event_format(WithTraceId::new);
    tracing_subscriber::registry().with(logs).with(json).with(SubsegmentLayer::new()).init();

    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(xray::sampling::Always).emitter(emitter.clone()).build();
    let segment = xray::Segment::builder("shop").recorder(&recorder);

    println!("=== The log, as text and as JSON");
    // The second place: a segment around the work.
    let result = order(7).in_segment(segment).await;

    println!("\n=== What X-Ray receives. The order ended with {result:?}");
    for document in emitter.take() {
        println!("trace {}", document.trace_id.map(|id| id.to_string()).unwrap_or_default());
        show(&document, 1);
    }
}

/// Prints a line for each segment and subsegment: its name, its annotations and its errors.
fn show(document: &Document, depth: usize) {
    let annotations = document.annotations.iter().map(|(key, value)| format!(" {key}={}", text(value)));
    let exceptions = match &document.cause {
        Some(Cause::Exceptions(cause)) => &cause.exceptions[..],
        _ => &[],
    };
    let errors = exceptions.iter().map(|exception| exception.message.as_deref().unwrap_or_default());
    let errors = errors.map(|message| format!(", error: {message}"));
    let indent = "    ".repeat(depth);
    println!("{indent}{}{}{}", document.name, annotations.collect::<String>(), errors.collect::<String>());
    document.subsegments.iter().for_each(|subsegment| show(subsegment, depth + 1));
}

fn text(value: &AnnotationValue) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
