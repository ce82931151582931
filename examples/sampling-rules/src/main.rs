//! Local sampling rules: which requests are recorded, and which rule decides.
//!
//! ```text
//! cargo run -p example-sampling-rules
//! ```
//!
//! The program needs no network and no daemon. A `MemoryEmitter` keeps the documents that would be sent.

use xray::emitter::MemoryEmitter;
use xray::sampling::Local;
use xray::{Recorder, Segment, TraceHeader, TraceId};

/// Rules in the format of a rules file (for `Local::from_file`). The first rule that matches decides.
const RULES: &str = r#"{
  "version": 2,
  "rules": [
    {
      "description": "Record no health check.",
      "host": "*",
      "http_method": "GET",
      "url_path": "/health",
      "fixed_target": 0,
      "rate": 0
    },
    {
      "description": "Record every payment.",
      "host": "*.example.com",
      "http_method": "POST",
      "url_path": "/pay/*",
      "fixed_target": 0,
      "rate": 1
    }
  ],
  "default": { "fixed_target": 2, "rate": 0 }
}"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().sampler(Local::from_json(RULES)?).emitter(emitter.clone()).build();
    let header = |decision: &str| format!("Root={};{decision}", TraceId::random());

    for (method, path, header) in [
        ("GET", "/health", String::new()),
        ("POST", "/pay/7", String::new()),
        ("GET", "/cart", String::new()),
        ("GET", "/cart", String::new()),
        ("GET", "/cart", String::new()),
        ("GET", "/health", header("Sampled=1")),
        ("POST", "/pay/7", header("Sampled=0")),
    ] {
        let url = format!("https://shop.example.com{path}");
        let segment = Segment::builder("shop")
            .request(method, &url)
            .trace_header(&TraceHeader::parse(&header))
            .recorder(&recorder)
            .begin();
        let decision = if segment.is_sampled() { "sampled" } else { "not sampled" };
        // A decision of the caller, in the trace header, overrides the rules.
        let decided_by = if header.is_empty() { "the rules" } else { "the caller" };
        println!("{method:4} {path:8} {decision}, decided by {decided_by}");
    }
    println!("{} segments were recorded", emitter.take().len());

    if let Err(error) = Local::from_json(&RULES.replace("\"rate\": 1", "\"rate\": 100")) {
        println!("rules with a mistake are refused: {error}");
    }
    Ok(())
}
