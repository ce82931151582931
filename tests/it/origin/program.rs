//! A program that detects its origin.

use std::env;
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use log::Level;
use serde_json::{Value, json};
use tokio::process::Command;
use xray::emitter::MemoryEmitter;
use xray::origin::Detector;
use xray::sampling::{Decision, Sampler, SamplingRequest};
use xray::{Document, Recorder, Segment};

use super::service::emitted_first_segment;
use support::documents::checked;
use support::{child, logs};

/// Names the variable with the time limit of a program, in seconds.
const LIMIT: &str = "XRAY_TEST_LIMIT";

/// The result of a program that detects its origin.
#[derive(Debug)]
pub(super) struct Found {
    /// The service type that its sampler saw, for the first and the last segment.
    pub(super) service_types: [Value; 2],
    /// Its first and its last segment.
    pub(super) segments: [Value; 2],
    pub(super) failures: u64,
    pub(super) warnings: Vec<String>,
}

/// Runs a program with these environment variables until detection has ended.
pub(super) async fn run(detectors: &str, variables: &[(&str, String)]) -> Found {
    run_for(Duration::from_secs(60), detectors, variables).await
}

/// Like [`run`], with a time limit.
pub(super) async fn run_for(limit: Duration, detectors: &str, variables: &[(&str, String)]) -> Found {
    let output = Command::from(child::command(module_path!(), "program_in_a_child_process", detectors))
        .env(LIMIT, limit.as_secs().to_string())
        // The machine's own metadata services must not answer.
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("ECS_CONTAINER_METADATA_URI_V4")
        // On a busy machine an answer may take long.
        .env("AWS_METADATA_SERVICE_TIMEOUT", "60")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.lines().find_map(|line| line.strip_prefix("found: "));
    let found = found.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    let found: Value = serde_json::from_str(found).unwrap();
    Found {
        service_types: [0, 1].map(|at| found["service_types"][at].clone()),
        segments: [0, 1].map(|at| found["segments"][at].clone()),
        failures: found["failures"].as_u64().unwrap(),
        warnings: serde_json::from_value(found["warnings"].clone()).unwrap(),
    }
}

#[test]
fn program_in_a_child_process() {
    let Some(detectors) = child::case() else { return };
    logs::keep();
    let detectors = Detector::all().filter(|detector| detectors.contains(&format!("{detector:?}")));
    let emitter = MemoryEmitter::new();
    let recorder = Recorder::builder().detect_origin(detectors).sampler(NoteType).emitter(emitter.clone()).build();
    let segment = || {
        Segment::builder("todo-app").recorder(&recorder).begin().end();
        let document: Option<Document> = emitter.take().pop();
        (document, TYPES.lock().unwrap().pop().flatten())
    };
    let first = segment();
    let endpoint = env::var("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_default();
    if let Some(address) = endpoint.strip_prefix("http://") {
        emitted_first_segment(address);
    }
    let limit = Duration::from_secs(env::var(LIMIT).unwrap().parse().unwrap());
    let started = Instant::now();
    let last = loop {
        thread::sleep(Duration::from_millis(10));
        let last = segment();
        let is_known = last.0.as_ref().is_some_and(|document| document.origin.is_some());
        if is_known || recorder.stats().origin_failures > 0 || started.elapsed() > limit {
            break last;
        }
    };
    let found = json!({
        "segments": checked([first.0, last.0].into_iter().flatten().collect()),
        "service_types": [first.1, last.1],
        "failures": recorder.stats().origin_failures,
        "warnings": warnings(),
    });
    println!("\nfound: {found}");
}

static TYPES: Mutex<Vec<Option<String>>> = Mutex::new(Vec::new());

struct NoteType;

impl Sampler for NoteType {
    fn sample(&self, request: &SamplingRequest<'_>) -> Decision {
        TYPES.lock().unwrap().push(request.service_type().map(str::to_owned));
        Decision::sampled()
    }
}

/// Returns what `xray` warned of, and its errors.
fn warnings() -> Vec<String> {
    logs::lines().into_iter().filter(|line| line.level <= Level::Warn).map(|line| line.text).collect()
}
